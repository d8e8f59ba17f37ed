package io.holdfast.core;

import io.holdfast.core.sys.SysPoll;
import io.holdfast.core.wait.PollWaits;
import io.holdfast.core.wait.Poller;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * Waiting until a descriptor is ready. A platform thread waits in {@code poll(2)} itself, with an
 * eventfd to wake it, which the descriptor keeps from its first such wait to its close. A virtual
 * thread is parked and holds no carrier: one epoll instance and one thread wake those of the whole
 * process, and call the callbacks.
 *
 * <p>Works on sockets, pipes, pidfds, eventfds, terminals, whatever {@code poll(2)} takes; a file
 * that it always calls ready, as a regular one, is ready at once. The number of waits is bounded by
 * the number of descriptors (RLIMIT_NOFILE) and of threads; a platform thread for which no eventfd
 * is left parks as a virtual one does.
 */
public final class Readiness {
    /**
     * There is something to read, a connection to accept, or the end of a stream; of a pidfd, the
     * exit.
     */
    public static final int IN = 1;

    /**
     * There is something out of the ordinary, such as out-of-band data or a change of {@code
     * cgroup.events}.
     */
    public static final int PRI = 2;

    /** There is room to write. */
    public static final int OUT = 4;

    /** There is an error, or nobody reads the pipe any more; told unasked. */
    public static final int ERR = 8;

    /** The peer has gone altogether; told unasked. Of a pidfd, the reap (Linux 6.9). */
    public static final int HUP = 0x10;

    /** The peer of a stream socket will send no more. */
    public static final int RDHUP = 0x2000;

    /** What {@link #await} answers when the time is over. */
    public static final int NONE = 0;

    private Readiness() {}

    /**
     * Called once, on the poller's thread or on a virtual one that waits for something else: must
     * neither block nor throw. What may is for {@link #executor}.
     */
    @FunctionalInterface
    public interface Callback {
        /**
         * Is called once.
         *
         * @param events what the descriptor is ready for; {@link #NONE} if it was closed
         */
        void ready(int events);
    }

    /**
     * Blocks the calling thread until the descriptor is ready. Closing the descriptor ends the
     * wait; so does an interrupt, but when both the descriptor is ready and the thread interrupted,
     * that is told and the interrupt status kept.
     *
     * @param fd the descriptor
     * @param events {@link #IN}, {@link #OUT}, {@link #PRI}, {@link #RDHUP} or several; {@link
     *     #ERR} and {@link #HUP} always count
     * @return what it is ready for
     * @throws ClosedException if it is or gets closed
     * @throws InterruptedException if the thread is or gets interrupted; its status is cleared
     */
    public static int await(Fd fd, int events) throws InterruptedException {
        return await(fd, events, Long.MAX_VALUE);
    }

    /**
     * The same with a time limit.
     *
     * @param fd the descriptor
     * @param events bits of {@link Readiness}
     * @param limit the time limit
     * @return what it is ready for, or {@link #NONE} when the time is over
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public static int await(Fd fd, int events, Duration limit) throws InterruptedException {
        return await(fd, events, Math.max(0, nanos(limit)));
    }

    private static int await(Fd fd, int events, long nanos) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        if (nanos == 0) { // asks all the same
            return told(fd, events, SysPoll.now(fd, events));
        }
        Counters.WAITS.increment();
        try {
            if (!Thread.currentThread().isVirtual()) {
                int ready = PollWaits.await(fd, events, nanos);
                if (ready != -Errno.EMFILE && ready != -Errno.ENFILE) {
                    return told(fd, events, ready);
                }
            }
            return Poller.get().await(fd, events, nanos);
        } finally {
            Counters.WAITS.decrement();
        }
    }

    private static int told(Fd fd, int events, int ready) {
        return ErrnoException.check(ready, "ppoll", fd) & (events | HUP | ERR);
    }

    /**
     * Calls back once when the descriptor is ready, or was closed.
     *
     * @param fd the descriptor
     * @param events bits of {@link Readiness}
     * @param callback called once
     * @return cancelled by any thread
     * @throws ClosedException if it is closed
     * @throws ErrnoException EPERM if the kind of file cannot be waited for
     */
    public static Registration once(Fd fd, int events, Callback callback) {
        Registration registration =
                Poller.get()
                        .once(
                                fd,
                                events,
                                ready -> {
                                    Counters.WAITS.decrement();
                                    callback.ready(ready);
                                });
        Counters.WAITS.increment();
        return () -> {
            boolean cancelled = registration.cancel();
            if (cancelled) {
                Counters.WAITS.decrement();
            }
            return cancelled;
        };
    }

    /**
     * {@return the executor for what a callback brings about, if it may block: it uses virtual
     * threads, where a task that blocks keeps no other waiting} Those that callbacks of the same
     * batch of events give share a thread for as long as none blocks.
     */
    public static Executor executor() {
        return Poller.get().executor();
    }

    /**
     * {@return nanoseconds of a duration; a longer one than 292 years is that long}
     *
     * @param duration the duration
     */
    public static long nanos(Duration duration) {
        return TimeUnit.NANOSECONDS.convert(duration);
    }
}
