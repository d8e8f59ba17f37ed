package io.holdfast.core.linux;

import java.time.Duration;

/**
 * Waiting until a descriptor is ready. One epoll instance and one thread serve the whole process: a
 * waiting thread, virtual or platform, is parked and holds neither a carrier nor the kernel.
 *
 * <p>Works on every descriptor that {@code epoll(7)} takes: sockets, pipes, pidfds, eventfds,
 * terminals. The number of waits is bounded by the number of descriptors (RLIMIT_NOFILE) and of
 * threads.
 */
public final class Readiness {
    public static final int IN = 1;
    public static final int PRI = 2;
    public static final int OUT = 4;
    public static final int ERR = 8;
    public static final int HUP = 0x10;
    public static final int RDHUP = 0x2000;

    /** What {@link #await} answers when the time is over. */
    public static final int NONE = 0;

    private Readiness() {}

    /** Called once, on the poller's thread: must neither block nor throw. */
    @FunctionalInterface
    public interface Callback {
        /**
         * @param events what the descriptor is ready for; {@link #NONE} if it was closed
         */
        void ready(int events);
    }

    /** A callback that has not been called yet. */
    public interface Pending {
        /** Gives it up: true if it will not be called. */
        boolean cancel();
    }

    /**
     * Parks the calling thread until the descriptor is ready.
     *
     * @param events {@link #IN}, {@link #OUT}, {@link #PRI}, {@link #RDHUP} or several; {@link
     *     #ERR} and {@link #HUP} always count
     * @return what it is ready for
     * @throws IllegalStateException if it is or gets closed
     * @throws InterruptedException if the thread is interrupted
     * @throws ErrnoException EPERM if the kind of file cannot be waited for
     */
    public static int await(Fd fd, int events) throws InterruptedException {
        return Poller.get().await(fd, events, Long.MAX_VALUE);
    }

    /**
     * The same with a time limit.
     *
     * @return what it is ready for, or {@link #NONE} when the time is over
     */
    public static int await(Fd fd, int events, Duration limit) throws InterruptedException {
        return Poller.get().await(fd, events, Math.max(0, nanos(limit)));
    }

    /**
     * Calls back once when the descriptor is ready, or was closed.
     *
     * @throws IllegalStateException if it is closed
     * @throws ErrnoException EPERM if the kind of file cannot be waited for
     */
    public static Pending once(Fd fd, int events, Callback callback) {
        return Poller.get().once(fd, events, callback);
    }

    /** Nanoseconds of a duration; a longer one than 292 years is that long. */
    public static long nanos(Duration duration) {
        try {
            return duration.toNanos();
        } catch (ArithmeticException e) {
            return duration.isNegative() ? Long.MIN_VALUE : Long.MAX_VALUE;
        }
    }
}
