package io.holdfast.manager;

import io.holdfast.core.Fd;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.Assertions;

/** What a user puts at a path of its own that root is about to use. */
public enum HostilePath {
    FIFO,
    /** A symbolic link to a file or directory of root. */
    LINK,
    /** Symbolic links that lead to each other. */
    LOOP,
    /** A hard link to a file of root, or to a FIFO. */
    HARD_LINK,
    DEVICE,
    LOCKED,
    LEASED,
    HUGE,
    /** The expected file and a link to root's file, exchanged all the time. */
    EXCHANGED;

    public static final long USER = 65534;

    /** The files of root. */
    record Victims(Path file, Path directory, Path fifo) {}

    /** Returns whether it can take the place of a directory. */
    boolean isOfDirectories() {
        return switch (this) {
            case FIFO, LINK, LOOP, EXCHANGED -> true;
            case HARD_LINK, DEVICE, LOCKED, LEASED, HUGE -> false;
        };
    }

    /** Returns the other name, which is exchanged with a path. */
    public static Path other(Path path) {
        return path.resolveSibling("link");
    }

    public static void give(Path path, long uid) {
        try (Fd held = Fcntl.open(path.toString(), Fcntl.O_PATH | Fcntl.O_NOFOLLOW)) {
            Assertions.assertThat(SysStat.chown(held, uid, uid)).isZero();
        }
    }

    /**
     * Makes it. A process of the user must make locks, leases and exchanges.
     *
     * @param path in an existing directory
     * @param isDirectory whether a directory is expected there
     * @param toFifo whether a hard link is to the FIFO
     */
    void make(Path path, boolean isDirectory, boolean toFifo, Victims victims)
            throws IOException, InterruptedException {
        Path target = isDirectory ? victims.directory() : victims.file();
        switch (this) {
            case FIFO -> {
                try (Directory directory = Directory.ofParent(path.toString())) {
                    boolean _ = directory.makeFifo(Directory.nameOf(path.toString()), 0600);
                }
                give(path, USER);
            }
            case LINK -> give(Files.createSymbolicLink(path, target), USER);
            case LOOP -> {
                Path back = path.resolveSibling("back");
                give(Files.createSymbolicLink(path, back), USER);
                give(Files.createSymbolicLink(back, path), USER);
            }
            case HARD_LINK -> Files.createLink(path, toFifo ? victims.fifo() : victims.file());
            case DEVICE -> {
                Process mknod = new ProcessBuilder("mknod", path.toString(), "c", "1", "5").start();
                Assertions.assertThat(mknod.waitFor()).isZero();
                give(path, USER);
            }
            case LOCKED, LEASED -> give(Files.writeString(path, "A=1\n"), USER);
            case HUGE -> {
                try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
                    file.setLength(1L << 30);
                }
                give(path, USER);
            }
            case EXCHANGED -> {
                give(
                        isDirectory
                                ? Files.createDirectory(path)
                                : Files.writeString(path, "A=1\n"),
                        USER);
                give(Files.createSymbolicLink(other(path), target), USER);
            }
        }
    }
}
