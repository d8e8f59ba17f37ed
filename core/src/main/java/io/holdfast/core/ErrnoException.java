package io.holdfast.core;

import org.jspecify.annotations.Nullable;

/**
 * A call that the kernel or libc refused: which call, on what, with which errno, and what to do.
 *
 * <p>Failures that are part of normal life (a process that is gone, a socket that is not ready) are
 * values of the methods concerned, not exceptions.
 */
public final class ErrnoException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The call. */
    private final String call;

    /** What it was called on. */
    private final String subject;

    /** The error number, positive. */
    private final int errno;

    /** What the user can do, or null. */
    private final @Nullable String advice;

    /**
     * Describes a call that failed.
     *
     * @param call the call as its man page names it
     * @param subject what it was called on
     * @param errno the error number, positive
     */
    public ErrnoException(String call, String subject, int errno) {
        this(call, subject, errno, null);
    }

    /**
     * Describes a call that failed.
     *
     * @param call the call as its man page names it
     * @param subject what the call was made on
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
     * The same failure for who knows whose the subject is: a call that was given the name of a file
     * in an open directory can say no more than that name. This one is its cause.
     *
     * @param owner what the subject is of
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
     * The result if it is none, else the failure that it stands for.
     *
     * @param result what the call returned
     * @param call the call as its man page names it
     * @param subject what the call was made on
     * @return the result
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
