package io.holdfast.core;

import io.holdfast.core.sys.SysPoll;
import io.holdfast.core.wait.PollWaits;
import io.holdfast.core.wait.Poller;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * Waits until a descriptor is ready.
 *
 * <p>A platform thread waits in {@code poll(2)} itself. A close or an interrupt wakes it through an
 * eventfd, which the descriptor keeps from its first such wait to its close. A virtual thread is
 * parked and holds no carrier: one epoll instance and one thread wake all virtual threads of the
 * process, and call the callbacks.
 *
 * <p>Works on sockets, pipes, pidfds, eventfds, terminals and every other file that {@code poll(2)}
 * supports. A file that is always ready, such as a regular file, is ready at once. The number of
 * waits is bounded by the number of descriptors (RLIMIT_NOFILE) and of threads. A platform thread
 * that gets no eventfd (EMFILE, ENFILE) parks like a virtual one.
 */
public final class Readiness {
    /**
     * There is something to read, a connection to accept, or the end of a stream. On a pidfd: the
     * process has exited.
     */
    public static final int IN = 1;

    /**
     * There is something out of the ordinary, such as out-of-band data or a change of {@code
     * cgroup.events}.
     */
    public static final int PRI = 2;

    /** There is room to write. */
    public static final int OUT = 4;

    /** There is an error, or the pipe has no reader any more. Always reported. */
    public static final int ERR = 8;

    /** The peer has hung up. Always reported. On a pidfd: the process was reaped (Linux 6.9). */
    public static final int HUP = 0x10;

    /** The peer of a stream socket will send no more. */
    public static final int RDHUP = 0x2000;

    /** The result of {@link #await} when the time limit has expired. */
    public static final int NONE = 0;

    private Readiness() {}

    /**
     * A callback for one event. It runs on the poller's thread, or on a virtual thread that is
     * about to park, so it must neither block nor throw: {@link #executor} is for tasks that may.
     */
    @FunctionalInterface
    public interface Callback {
        /**
         * Called once, when the descriptor is ready or closed.
         *
         * @param events bits of {@link Readiness}; {@link #NONE} if the descriptor was closed
         */
        void ready(int events);
    }

    /**
     * Blocks the calling thread until the descriptor is ready. Closing the descriptor ends the
     * wait, and so does an interrupt. If the descriptor becomes ready before the wait has noticed
     * an interrupt, it returns the events and keeps the interrupt status.
     *
     * @param fd the descriptor
     * @param events {@link #IN}, {@link #OUT}, {@link #PRI}, {@link #RDHUP} or several; {@link
     *     #ERR} and {@link #HUP} are always reported
     * @return the events that the descriptor is ready for
     * @throws ClosedException if it is or gets closed
     * @throws InterruptedException if the thread is or gets interrupted; its status is cleared
     */
    public static int await(Fd fd, int events) throws InterruptedException {
        return await(fd, events, Long.MAX_VALUE);
    }

    /**
     * Blocks the calling thread until the descriptor is ready or the time limit has expired, like
     * {@link #await(Fd, int)}.
     *
     * @param fd the descriptor
     * @param events bits of {@link Readiness}
     * @param limit the time limit; 0 or less polls once
     * @return the events that the descriptor is ready for, or {@link #NONE} after the time limit
     * @throws ClosedException if it is or gets closed
     * @throws InterruptedException if the thread is or gets interrupted; its status is cleared
     */
    public static int await(Fd fd, int events, Duration limit) throws InterruptedException {
        return await(fd, events, Math.max(0, nanos(limit)));
    }

    private static int await(Fd fd, int events, long nanos) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        if (nanos == 0) { // polls once
            return checkedEvents(fd, events, SysPoll.now(fd, events));
        }
        Counters.WAITS.increment();
        try {
            if (!Thread.currentThread().isVirtual()) {
                int ready = PollWaits.await(fd, events, nanos);
                if (ready != -Errno.EMFILE && ready != -Errno.ENFILE) {
                    return checkedEvents(fd, events, ready);
                }
            }
            return Poller.get().await(fd, events, nanos);
        } finally {
            Counters.WAITS.decrement();
        }
    }

    private static int checkedEvents(Fd fd, int events, int ready) {
        return ErrnoException.check(ready, "ppoll", fd) & (events | HUP | ERR);
    }

    /**
     * Calls back once, when the descriptor is ready or closed.
     *
     * @param fd the descriptor
     * @param events bits of {@link Readiness}
     * @param callback called once
     * @return the registration, which any thread may cancel
     * @throws ClosedException if it is closed
     * @throws ErrnoException EPERM if this kind of file cannot be waited for
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
     * {@return the executor for work of callbacks that may block: it runs tasks on virtual threads,
     * so that a task that blocks delays no other} Tasks of the same batch of events share a thread
     * as long as none of them blocks.
     */
    public static Executor executor() {
        return Poller.get().executor();
    }

    /**
     * {@return the nanoseconds of a duration, at most {@link Long#MAX_VALUE} (292 years)}
     *
     * @param duration the duration
     */
    public static long nanos(Duration duration) {
        return TimeUnit.NANOSECONDS.convert(duration);
    }
}
