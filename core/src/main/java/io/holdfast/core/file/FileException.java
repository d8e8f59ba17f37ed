package io.holdfast.core.file;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import java.nio.file.FileSystemException;
import org.jspecify.annotations.Nullable;

/**
 * Thrown when a file could not be opened, made or changed, or was refused. The message is one line
 * with the path, the reason and the remedy: {@code /run/app.pid: is a FIFO, not a regular file
 * (EINVAL)}.
 */
public final class FileException extends FileSystemException {
    private static final long serialVersionUID = 1L;

    /** The error number, positive. */
    private final int errno;

    /** Whether this package refused the file, not the kernel. */
    private final boolean refused;

    private FileException(String path, String reason, int errno, boolean refused) {
        super(path, null, reason);
        this.errno = errno;
        this.refused = refused;
    }

    /**
     * Makes the exception for a file that is refused.
     *
     * @param path the path of the file
     * @param what the reason, as a predicate of the path: "is a FIFO, not a regular file"
     * @param errno the error number that fits best, positive
     * @param remedy what the user can do about it, or null
     * @return the refusal
     */
    public static FileException refusal(
            String path, String what, int errno, @Nullable String remedy) {
        String reason = what + " (" + Errno.name(errno) + ")";
        return new FileException(
                path, remedy == null ? reason : reason + "; " + remedy, errno, true);
    }

    /**
     * Makes the exception for a system call that failed on a file.
     *
     * @param path the path of the file
     * @param call the call as its man page names it
     * @param errno the error number, positive
     * @return the failure
     */
    public static FileException of(String path, String call, int errno) {
        String text = Errno.text(errno);
        boolean plain = errno == Errno.ENOENT || errno == Errno.EACCES || errno == Errno.ENOTDIR;
        String what = plain ? text : text.isEmpty() ? call + " failed" : call + ": " + text;
        return new FileException(path, what + " (" + Errno.name(errno) + ")", errno, false);
    }

    static FileException of(String path, ErrnoException e) {
        FileException made = of(path, e.call(), e.errno());
        var _ = made.initCause(e);
        return made;
    }

    /** {@return the error number, positive: compare with the constants of {@link Errno}} */
    public int errno() {
        return errno;
    }

    /** {@return whether the file or a directory above it is missing} */
    public boolean isMissing() {
        return errno == Errno.ENOENT || errno == Errno.ENOTDIR;
    }

    /**
     * Returns the same failure as an unchecked exception of the call that needed the file.
     *
     * @param call the call as its man page names it
     * @param subject the object of the call, for messages
     * @return the unchecked exception
     */
    public ErrnoException asErrno(String call, String subject) {
        ErrnoException e = new ErrnoException(call, subject, errno, refused ? getMessage() : null);
        var _ = e.initCause(this);
        return e;
    }
}
