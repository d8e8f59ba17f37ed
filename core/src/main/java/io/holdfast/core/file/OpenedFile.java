package io.holdfast.core.file;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.file.folder.FileOpening;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.core.sys.KernelPath;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import java.nio.file.Path;

/** An open file, checked and opened as an {@link OpenHow} requires. Owns its descriptor. */
public final class OpenedFile implements AutoCloseable {
    private final String path;
    private final Fd fd;
    private final FileStatus stat;

    /**
     * Wraps a file that is open already.
     *
     * @param path the path by which it was opened, for messages
     * @param fd its descriptor, which this object takes over
     * @param stat the status of the file
     */
    public OpenedFile(String path, Fd fd, FileStatus stat) {
        this.path = path;
        this.fd = fd;
        this.stat = stat;
    }

    /**
     * Opens a file.
     *
     * @param path absolute, or relative to the working directory
     * @param how how to open it
     * @return the file, owned by the caller
     * @throws FileException if it is missing, of another kind, refused, or cannot be opened without
     *     waiting
     */
    public static OpenedFile open(String path, OpenHow how) throws FileException {
        return FileOpening.open(path, how);
    }

    /**
     * Opens a file.
     *
     * @param path the path
     * @param how how to open it
     * @return the file, owned by the caller
     * @throws FileException as {@link #open(String, OpenHow)}
     */
    public static OpenedFile open(Path path, OpenHow how) throws FileException {
        return open(KernelPath.text(path), how);
    }

    /** {@return the path by which it was opened, for messages} */
    public String path() {
        return path;
    }

    /** {@return the status of the file just before it was opened} */
    public FileStatus stat() {
        return stat;
    }

    /** {@return the kind of the file} */
    public FileKind kind() {
        return FileKind.of(stat);
    }

    /** {@return the descriptor, lent} */
    public Fd fd() {
        return fd;
    }

    /** {@return the descriptor, owned by the caller; this object becomes empty} */
    public Fd take() {
        return fd.move();
    }

    /** {@return whether it is {@code /dev/null}} */
    public boolean isNull() {
        return FileOpening.isNull(stat);
    }

    /**
     * {@return the content}
     *
     * @param most the maximum length in bytes
     * @throws FileException EFBIG if the file is longer; other errors of {@code read(2)}
     */
    public byte[] readAll(int most) throws FileException {
        try {
            return KernelFile.readRest(fd, path, most);
        } catch (ErrnoException e) {
            throw e.errno() == Errno.EFBIG
                    ? FileException.refusal(
                            path, "has more than " + most + " bytes", Errno.EFBIG, null)
                    : FileException.of(path, e);
        }
    }

    /**
     * {@return the first bytes of the content}
     *
     * @param most the maximum number of bytes
     * @throws FileException with the error of {@code read(2)}
     */
    public byte[] readFirst(int most) throws FileException {
        try {
            return KernelFile.readFirst(fd, path, most);
        } catch (ErrnoException e) {
            throw FileException.of(path, e);
        }
    }

    /**
     * {@return whether a process has the FIFO open for writing, or the FIFO holds unread data} If
     * neither, a read is at its end at once.
     *
     * @throws FileException EMFILE; EINVAL if the file is not a FIFO that is open for reading
     */
    public boolean hasWriter() throws FileException {
        Fd[] pipe;
        try {
            pipe = Unistd.pipe2(Fcntl.O_NONBLOCK);
        } catch (ErrnoException e) {
            throw FileException.of(path, e);
        }
        try (Fd in = pipe[0];
                Fd out = pipe[1]) {
            int r = in.isOpen() ? Fcntl.teeByte(fd, out) : 0;
            if (r == -Errno.EAGAIN) {
                return true;
            }
            check(r, "tee");
            return r > 0;
        }
    }

    /**
     * Sets its permissions.
     *
     * @param mode 0 to 07777, whatever the umask
     * @throws FileException with the errno of the call that failed
     */
    public void chmod(int mode) throws FileException {
        check(SysStat.fchmod(fd, mode), "fchmod");
    }

    /**
     * Sets its owner and group.
     *
     * @param uid the new owner; -1 keeps the old one
     * @param gid the new group; -1 keeps the old one
     * @throws FileException with the errno of the call that failed
     */
    public void chown(long uid, long gid) throws FileException {
        check(SysStat.fchown(fd, uid, gid), "fchown");
    }

    private void check(int result, String call) throws FileException {
        if (result < 0) {
            throw FileException.of(path, call, -result);
        }
    }

    @Override
    public void close() {
        fd.close();
    }
}
