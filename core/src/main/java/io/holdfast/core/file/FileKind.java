package io.holdfast.core.file;

import io.holdfast.core.FileStatus;

/** The type of a file (inode(7)). */
public enum FileKind {
    /** A regular file. */
    REGULAR(0x8000, "a regular file"),
    /** A directory. */
    DIRECTORY(0x4000, "a directory"),
    /** A FIFO, or a pipe. */
    FIFO(0x1000, "a FIFO"),
    /** A socket. */
    SOCKET(0xC000, "a socket"),
    /** A character device. */
    CHARACTER_DEVICE(0x2000, "a character device"),
    /** A block device. */
    BLOCK_DEVICE(0x6000, "a block device"),
    /** A symbolic link. */
    SYMBOLIC_LINK(0xA000, "a symbolic link"),
    /** Not on a file system: an eventfd, an epoll instance. */
    ANONYMOUS(0, "no file of a file system");

    private static final FileKind[] ALL = values();

    private final int type; // S_IFMT of sys/stat.h
    private final String words;

    FileKind(int type, String words) {
        this.type = type;
        this.words = words;
    }

    /**
     * {@return the kind of a file}
     *
     * @param stat the status of the file
     */
    public static FileKind of(FileStatus stat) {
        for (FileKind kind : ALL) {
            if (kind.type == stat.type()) {
                return kind;
            }
        }
        return ANONYMOUS;
    }

    /** Returns the kind as used in a sentence: {@code a regular file}. */
    @Override
    public String toString() {
        return words;
    }
}
