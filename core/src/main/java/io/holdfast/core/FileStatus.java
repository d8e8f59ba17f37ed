package io.holdfast.core;

/**
 * The status of a file, as {@code statx(2)} reports it.
 *
 * @param device the device of the file system: major number in the high word, minor in the low
 * @param inode the inode number, unsigned
 * @param mode the type and permission bits
 * @param uid the owner
 * @param gid the group
 * @param links the number of hard links
 * @param size the size in bytes, of a regular file or a symbolic link
 * @param special the device that a device node stands for, encoded like {@code device}
 */
public record FileStatus(
        long device,
        long inode,
        int mode,
        long uid,
        long gid,
        long links,
        long size,
        long special) {
    private static final int S_IFMT = 0xF000;
    private static final int S_IFIFO = 0x1000;
    private static final int S_IFREG = 0x8000;
    private static final int S_IFSOCK = 0xC000;
    private static final int S_IFDIR = 0x4000;
    private static final int S_IFLNK = 0xA000;
    private static final int S_ISVTX = 01000;
    private static final int OTHERS_WRITE = 022;

    /** {@return the type of the file: the bits {@code S_IFMT} of the mode (inode(7))} */
    public int type() {
        return mode & S_IFMT;
    }

    /** {@return the permission bits: 0 to 0777} */
    public int permissions() {
        return mode & 0777;
    }

    /**
     * {@return whether it is the same file: the same inode of the same file system}
     *
     * @param other the status of the other file
     */
    public boolean isSameFile(FileStatus other) {
        return device == other.device && inode == other.inode;
    }

    /** {@return whether it is a socket} */
    public boolean isSocket() {
        return (mode & S_IFMT) == S_IFSOCK;
    }

    /** {@return whether it is a pipe, with a name (a FIFO) or without} */
    public boolean isPipe() {
        return (mode & S_IFMT) == S_IFIFO;
    }

    /**
     * {@return whether it is an anonymous inode: an eventfd, an epoll, a pidfd before Linux 6.9}
     */
    public boolean isAnonymous() {
        return (mode & S_IFMT) == 0;
    }

    /** {@return whether it is a directory} */
    public boolean isDirectory() {
        return (mode & S_IFMT) == S_IFDIR;
    }

    /** {@return whether it is a regular file} */
    public boolean isRegular() {
        return (mode & S_IFMT) == S_IFREG;
    }

    /** {@return whether it is a symbolic link} */
    public boolean isLink() {
        return (mode & S_IFMT) == S_IFLNK;
    }

    /**
     * {@return whether the directory is sticky: other users may not rename or remove a user's file}
     */
    public boolean isSticky() {
        return (mode & S_ISVTX) != 0;
    }

    /** {@return whether the group or everybody may write to it} */
    public boolean isWritableByOthers() {
        return (mode & OTHERS_WRITE) != 0;
    }
}
