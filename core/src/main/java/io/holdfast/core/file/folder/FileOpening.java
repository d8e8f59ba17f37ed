package io.holdfast.core.file.folder;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.FileKind;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import java.util.Optional;

/** Checks the file that a path leads to, and opens that same file; or makes a new one. */
public final class FileOpening {
    /** Attempts, if another process makes the file between our lookup and our create. */
    private static final int TRIES = 16;

    private static final int NULL_MAJOR = 1;
    private static final int NULL_MINOR = 3;

    private static final int FRESH_MODE = 0; // until fchmod sets the wanted mode

    /** Begins a walk along the path. */
    interface Start {
        PathWalk walk() throws FileException;
    }

    private final String shown;
    private final OpenHow how;
    private final int flags;

    private FileOpening(String shown, OpenHow how) {
        this.shown = shown;
        this.how = how;
        this.flags = how.access() | Fcntl.O_NONBLOCK | Fcntl.O_NOCTTY; // Fcntl adds O_CLOEXEC
    }

    /**
     * Opens or makes a file.
     *
     * @param path absolute, or relative to the working directory
     * @return the file, owned by the caller
     * @throws FileException if it is missing, of another kind, refused, or cannot be opened without
     *     waiting
     */
    public static OpenedFile open(String path, OpenHow how) throws FileException {
        return open(path, how, () -> new PathWalk(path, null, false, true, path, how.links()));
    }

    /**
     * Opens or makes a file.
     *
     * @param shown the path for messages
     * @param start begins the walk, once for each attempt
     */
    static OpenedFile open(String shown, OpenHow how, Start start) throws FileException {
        FileOpening opening = new FileOpening(shown, how);
        for (int i = 0; i < TRIES; i++) {
            try (PathWalk walk = start.walk()) {
                Optional<OpenedFile> file = opening.end(walk.toFile());
                if (file.isPresent()) {
                    return file.get();
                }
            }
        }
        throw FileException.refusal(
                shown, "is being replaced repeatedly", Errno.EAGAIN, "try again");
    }

    /** Returns empty if another process made the file after the lookup. */
    private Optional<OpenedFile> end(PathWalk walk) throws FileException {
        Fd entry = walk.entry();
        FileStatus stat = walk.entryStat();
        if (entry != null && stat != null) {
            return Optional.of(opened(walk, entry, stat));
        }
        if (walk.lastName().equals(".")) {
            return Optional.of(opened(walk, walk.directory(), walk.directoryStat()));
        }
        return made(walk);
    }

    private OpenedFile opened(PathWalk walk, Fd held, FileStatus stat) throws FileException {
        requireKind(stat);
        walk.requireTarget(stat);
        walk.requireNoHardLink(stat);
        String itself = held.with(number -> "/proc/self/fd/" + number);
        int r = Fcntl.openat(null, itself, flags, 0);
        if (r < 0) {
            throw notOpened(FileKind.of(stat), -r);
        }
        return finished(Fd.adopt(r), stat);
    }

    private void requireKind(FileStatus stat) throws FileException {
        FileKind kind = FileKind.of(stat);
        boolean fits = how.kinds().contains(kind) || (how.mayBeNull() && isNull(stat));
        if (!fits) {
            String wanted =
                    how.kinds().stream()
                            .sorted()
                            .map(FileKind::toString)
                            .reduce((one, other) -> one + " or " + other)
                            .orElse("anything");
            throw FileException.refusal(
                    shown,
                    "is " + kind + ", not " + wanted,
                    kind == FileKind.DIRECTORY ? Errno.EISDIR : Errno.EINVAL,
                    null);
        }
    }

    /**
     * {@return whether a file is {@code /dev/null}}
     *
     * @param stat the status of the file
     */
    public static boolean isNull(FileStatus stat) {
        return FileKind.of(stat) == FileKind.CHARACTER_DEVICE
                && stat.special() == ((long) NULL_MAJOR << 32 | NULL_MINOR);
    }

    private FileException notOpened(FileKind kind, int errno) {
        if (errno == Errno.ENXIO && kind == FileKind.FIFO) {
            return FileException.refusal(
                    shown, "is a FIFO without a reader", errno, "start its reader first");
        }
        if (errno == Errno.EAGAIN) {
            return FileException.refusal(
                    shown,
                    "is under a lease of another process",
                    errno,
                    "try again when that process has released it");
        }
        return FileException.of(shown, "open", errno);
    }

    private Optional<OpenedFile> made(PathWalk walk) throws FileException {
        if (how.createMode().isEmpty()) {
            throw FileException.of(shown, "open", Errno.ENOENT);
        }
        walk.requireTarget(walk.directoryStat());
        int creating = flags | Fcntl.O_CREAT | Fcntl.O_EXCL | Fcntl.O_NOFOLLOW;
        int r = Fcntl.openat(walk.directory(), walk.lastName(), creating, FRESH_MODE);
        if (r == -Errno.EEXIST) {
            return Optional.empty();
        }
        FileCalls.check(r, "open", shown);
        Fd fd = Fd.adopt(r);
        try {
            FileCalls.check(SysStat.fchmod(fd, how.createMode().getAsInt()), "fchmod", shown);
            FileStatus stat = SysStat.stat(fd);
            return Optional.of(finished(fd.move(), stat));
        } catch (ErrnoException e) {
            throw FileCalls.failed(shown, e);
        } finally {
            fd.close();
        }
    }

    /** Takes the descriptor over. */
    private OpenedFile finished(Fd fd, FileStatus stat) throws FileException {
        try {
            if (how.isBlocking()) {
                Fcntl.setBlocking(fd, true);
            }
            return new OpenedFile(shown, fd.move(), stat);
        } catch (ErrnoException e) {
            throw FileCalls.failed(shown, e);
        } finally {
            fd.close();
        }
    }
}
