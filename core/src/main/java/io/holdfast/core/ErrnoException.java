package io.holdfast.core;

import org.jspecify.annotations.Nullable;

/**
 * A failed call to the kernel or libc: the call, its subject, the errno, and what the user can do.
 *
 * <p>Failures that are part of normal operation (a process that is gone, a socket that is not
 * ready) are return values of the methods concerned, not exceptions.
 */
public final class ErrnoException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The call as its man page names it. */
    private final String call;

    /** The object of the call, for messages. */
    private final String subject;

    /** The error number, positive. */
    private final int errno;

    /** What the user can do, or null. */
    private final @Nullable String advice;

    /**
     * Describes a call that failed.
     *
     * @param call the call as its man page names it
     * @param subject the object of the call, for messages
     * @param errno the error number, positive
     */
    public ErrnoException(String call, String subject, int errno) {
        this(call, subject, errno, null);
    }

    /**
     * Describes a call that failed.
     *
     * @param call the call as its man page names it
     * @param subject the object of the call, for messages
     * @param errno the error number, positive
     * @param advice what the user can do about it, or null
     */
    public ErrnoException(String call, String subject, int errno, @Nullable String advice) {
        super(message(call, subject, errno, advice));
        this.call = call;
        this.subject = subject;
        this.errno = errno;
        this.advice = advice;
    }

    /**
     * Returns the same failure with a more exact subject, for a caller that knows more than the
     * call: the call gets only the name of a file in an open directory, its caller knows the path
     * of the directory. This exception is the cause of the new one.
     *
     * @param owner the object that the subject belongs to, such as the directory
     * @return the new exception
     */
    public ErrnoException of(Object owner) {
        ErrnoException named = new ErrnoException(call, subject + " of " + owner, errno, advice);
        var ignored = named.initCause(this);
        return named;
    }

    private static String message(String call, String subject, int errno, @Nullable String advice) {
        String text = Errno.text(errno);
        return call
                + (subject.isEmpty() ? "" : " " + subject)
                + ": "
                + Errno.name(errno)
                + (text.isEmpty() ? "" : " (" + text + ")")
                + (advice == null ? "" : "; " + advice);
    }

    /**
     * Returns the result of a call, or throws the error that the result stands for.
     *
     * @param result the result of the call: 0 or more, or -errno
     * @param call the call as its man page names it
     * @param subject the object of the call, for messages
     * @return the result
     * @throws ErrnoException if the result is negative
     */
    public static int check(int result, String call, Object subject) {
        if (result < 0) {
            throw new ErrnoException(call, subject.toString(), -result);
        }
        return result;
    }

    /** {@return the call as its man page names it} */
    public String call() {
        return call;
    }

    /** {@return the subject of the call} */
    public String subject() {
        return subject;
    }

    /** {@return the error number, positive: compare with the constants of {@link Errno}} */
    public int errno() {
        return errno;
    }
}
