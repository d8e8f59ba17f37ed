package io.holdfast.core;

import io.holdfast.core.sys.Faults;
import io.holdfast.core.wait.JvmSignal;
import io.holdfast.core.wait.Slots;
import io.holdfast.core.wait.SysEpoll;
import io.holdfast.core.wait.SysEventfd;
import io.holdfast.core.wait.TaskQueue;
import java.time.Duration;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A single-threaded event loop for daemons: readiness of descriptors, timers, posted tasks and
 * signals, over its own epoll instance. Process exits arrive through {@code PidFd.onExit(loop, …)}.
 *
 * <p>The thread that calls {@link #run} or {@link #step} owns the loop and all state that its
 * handlers touch. Other threads may call only {@link #post}, {@link #postEnding}, {@link #execute},
 * {@link #stop}, {@link #isOwner} and {@link #errors}. A test can step the loop on its own thread.
 * If a handler throws, the loop counts and logs that, and continues.
 */
public final class EventLoop implements AutoCloseable, java.util.concurrent.Executor {
    /** How many posted tasks may wait, unless {@link #open(int)} says otherwise. */
    private static final int DEFAULT_TASKS = 16_384;

    private static final long WAKE = -1;

    /** Called on the loop's thread when a watched descriptor is ready. */
    @FunctionalInterface
    public interface Handler {
        /**
         * Handles what the descriptor is ready for.
         *
         * @param events bits of {@link Readiness}
         */
        void ready(int events);
    }

    /** A task that is due at a later time. Only for the loop's thread. */
    public final class Timer implements Registration {
        private final long at;
        private final long order;
        private final Runnable task;

        private Timer(long at, long order, Runnable task) {
            this.at = at;
            this.order = order;
            this.task = task;
        }

        @Override
        public boolean cancel() {
            return timers.remove(this);
        }

        private int compare(Timer other) {
            int byTime = Long.compare(at - other.at, 0);
            return byTime != 0 ? byTime : Long.compare(order, other.order);
        }
    }

    /**
     * The watch of a descriptor. Only for the loop's thread. It ends automatically when the
     * descriptor is closed.
     */
    public final class Watch implements Registration {
        private final Fd fd;
        private final Fd.Holder holder = new Holder();
        private final Handler handler;
        private final long data;
        private int events;
        private volatile boolean ended;

        private Watch(Fd fd, int events, Handler handler) {
            this.fd = fd;
            this.events = events;
            this.handler = handler;
            this.data = watches.add(this);
        }

        /** {@return the watched events, bits of {@link Readiness}} */
        public int events() {
            return events;
        }

        /**
         * Changes the watched events. Makes a system call only if they differ.
         *
         * @param wanted bits of {@link Readiness}
         */
        public void events(int wanted) {
            if (events != wanted && !ended) {
                control(fd, SysEpoll.CTL_MOD, wanted, data);
                events = wanted;
            }
        }

        @Override
        public boolean cancel() {
            if (ended) {
                return false;
            }
            ended = true;
            watches.remove(data);
            try {
                int ignored = fd.with(number -> epoll.control(SysEpoll.CTL_DEL, number, 0, 0));
                fd.unhold(holder);
            } catch (ClosedException e) {
                // another thread is closing the descriptor and will call beforeClose, or the loop
                // is closed
            }
            return true;
        }

        /** Ends the watch when its descriptor is closed. */
        private final class Holder implements Fd.Holder {
            @Override
            public void closing() {
                ended = true;
                watches.remove(data);
            }

            @Override
            public void beforeClose(int number) {
                try {
                    int ignored = epoll.control(SysEpoll.CTL_DEL, number, 0, 0);
                } catch (ClosedException e) {
                    // another thread has just closed the loop
                }
            }

            @Override
            public boolean isWaitedFor() {
                return !ended;
            }

            @Override
            public void moved(int number) {}
        }
    }

    /** A handled signal, and whether it is pending: several pending ones count as one. */
    private record SignalWatch(Runnable task, AtomicBoolean raised) {}

    private final SysEpoll epoll;
    private final SysEpoll.Events events = new SysEpoll.Events();
    private final SysEventfd wake;
    private final Slots<Watch> watches = new Slots<>();
    private final TreeSet<Timer> timers = new TreeSet<>(Timer::compare);
    private final TaskQueue tasks;
    private final List<SignalWatch> signals = new CopyOnWriteArrayList<>();
    private final AtomicBoolean signalled = new AtomicBoolean();
    private long timerOrder;
    private final AtomicLong errors = new AtomicLong();
    private volatile boolean stopped;
    private volatile boolean closed;
    private volatile @Nullable Thread owner;

    private EventLoop(TaskQueue tasks, SysEpoll epoll, SysEventfd wake) {
        this.tasks = tasks;
        this.epoll = epoll;
        this.wake = wake;
    }

    /**
     * {@return a new event loop, not yet running}
     *
     * @throws ErrnoException EMFILE
     */
    public static EventLoop open() {
        return open(DEFAULT_TASKS);
    }

    /**
     * {@return a new event loop, not yet running}
     *
     * @param taskLimit how many posted tasks may wait
     * @throws IllegalArgumentException if the limit is not positive
     * @throws ErrnoException EMFILE
     */
    public static EventLoop open(int taskLimit) {
        TaskQueue tasks = new TaskQueue(taskLimit);
        SysEpoll epoll = new SysEpoll();
        SysEventfd wake = null;
        try {
            wake = new SysEventfd();
            EventLoop loop = new EventLoop(tasks, epoll, wake);
            loop.control(wake.fd(), SysEpoll.CTL_ADD, Readiness.IN, WAKE);
            return loop;
        } catch (RuntimeException e) {
            if (wake != null) {
                wake.close();
            }
            epoll.close();
            throw e;
        }
    }

    /**
     * Watches a descriptor, level-triggered, until the watch or the descriptor is closed.
     *
     * @param fd the descriptor
     * @param events bits of {@link Readiness}; ERR and HUP are always reported
     * @param handler called when the descriptor is ready
     * @return the watch, owned by the caller
     * @throws ErrnoException EPERM if this kind of file cannot be watched, EEXIST if this loop
     *     already watches the descriptor
     */
    public Watch watch(Fd fd, int events, Handler handler) {
        Watch watch = new Watch(fd, events, handler);
        try {
            fd.hold(watch.holder);
            control(fd, SysEpoll.CTL_ADD, events, watch.data);
        } catch (RuntimeException e) {
            fd.unhold(watch.holder);
            watches.remove(watch.data);
            throw e;
        }
        return watch;
    }

    private void control(Fd fd, int operation, int events, long data) {
        int number = fd.acquire();
        try {
            ErrnoException.check(epoll.control(operation, number, events, data), "epoll_ctl", fd);
        } finally {
            fd.release();
        }
    }

    /**
     * Runs a task after a delay on the monotonic clock, rounded up to a millisecond.
     *
     * @param delay the time to wait
     * @param task the task
     * @return the timer, which can be cancelled
     */
    public Timer after(Duration delay, Runnable task) {
        long nanos = Math.clamp(Readiness.nanos(delay), 0, Long.MAX_VALUE / 2);
        Timer timer = new Timer(System.nanoTime() + nanos, timerOrder++, task);
        timers.add(timer);
        return timer;
    }

    /** The number of pending timers. */
    int timers() {
        return timers.size();
    }

    /**
     * Runs a task on the loop's thread, after the tasks that were posted before. May be called by
     * any thread.
     *
     * @param task the task
     * @throws RejectedExecutionException if as many tasks wait as the limit allows, or the loop is
     *     closed
     */
    public void post(Runnable task) {
        if (closed) {
            throw new RejectedExecutionException("the event loop is closed");
        }
        if (!tasks.offer(task)) {
            throw new RejectedExecutionException(
                    "the event loop has " + tasks.limit() + " tasks waiting");
        }
        wakeUp();
    }

    /**
     * Posts a task that completes an earlier request, such as an exit or a reply. Such a task is
     * never refused for lack of room, since there are at most as many completions as requests. Does
     * nothing if the loop is closed. May be called by any thread.
     *
     * @param task the task
     */
    public void postEnding(Runnable task) {
        if (!closed) {
            tasks.add(task);
            wakeUp();
        }
    }

    /** Posts a task, like {@link #post}. */
    @Override
    public void execute(Runnable task) {
        post(task);
    }

    /**
     * Runs a task on the loop's thread whenever the process receives the signal, in place of the
     * JVM's own handling. Signals that arrive before the loop handles the first are merged into
     * one, as in the kernel; none is lost, however many tasks wait. A JVM has one handler per
     * signal, the newest; its cancel restores the one before it. The sender is not known. KILL,
     * STOP, SEGV and QUIT (the JVM's thread dump) cannot be handled.
     *
     * @param signal the signal
     * @param task the task
     * @return the registration; any thread may cancel it
     * @throws IllegalArgumentException if the JVM allows no handler of this signal
     */
    public Registration onSignal(Signal signal, Runnable task) {
        SignalWatch watch = new SignalWatch(task, new AtomicBoolean());
        Registration handler =
                JvmSignal.handle(
                        signal,
                        () -> {
                            if (watch.raised.getAndSet(true)) {
                                Counters.MERGED_SIGNALS.increment();
                            }
                            wakeUp();
                        });
        signals.add(watch);
        if (watch.raised.get()) { // before the add, when the loop did not know the watch
            wakeUp();
        }
        return () -> {
            handler.cancel();
            return signals.remove(watch);
        };
    }

    /** {@return whether the calling thread runs the loop now} May be called by any thread. */
    public boolean isOwner() {
        return Thread.currentThread() == owner;
    }

    /** {@return how many handlers, timers and tasks have thrown} May be called by any thread. */
    public long errors() {
        return errors.get();
    }

    /**
     * Runs until {@link #stop}.
     *
     * @throws IllegalStateException if called within a turn of this loop
     */
    public void run() {
        while (!stopped) {
            step(Duration.ofMillis(Long.MAX_VALUE));
        }
    }

    /** Ends {@link #run} after the current turn. May be called by any thread. */
    public void stop() {
        stopped = true;
        wakeUp();
    }

    /**
     * Runs one turn: waits for events, timers and tasks up to the time limit, then handles all that
     * are due.
     *
     * @param limit the time limit
     * @return how many events, timers and tasks were handled
     * @throws IllegalStateException if called within a turn of this loop, by a handler
     */
    public int step(Duration limit) {
        if (isOwner()) {
            throw new IllegalStateException(
                    "event loop: run() or step() called by a handler of the same loop");
        }
        owner = Thread.currentThread();
        try {
            int n = epoll.await(events, waitMillis(Readiness.nanos(limit)));
            int handled = 0;
            boolean woken = false;
            for (int i = 0; i < n; i++) {
                long data = events.data(i);
                if (data == WAKE) {
                    woken = true;
                    continue;
                }
                Watch watch = watches.get(data);
                if (watch != null) {
                    handled++;
                    try {
                        watch.handler.ready(events.events(i));
                    } catch (RuntimeException | Error e) {
                        failed(e);
                    }
                }
            }
            if (woken) {
                wake.drain();
                signalled.set(false);
                handled += runSignals() + runTasks();
            }
            return handled + runTimers();
        } finally {
            owner = null;
        }
    }

    /** Milliseconds until the next timer or the limit, rounded up; -1 if neither is set. */
    private int waitMillis(long limitNanos) {
        long nanos = limitNanos;
        if (!timers.isEmpty()) {
            nanos = Math.min(nanos, timers.first().at - System.nanoTime());
        }
        if (nanos <= 0) {
            return 0;
        }
        if (nanos == Long.MAX_VALUE) {
            return -1;
        }
        long millis = TimeUnit.NANOSECONDS.toMillis(nanos - 1) + 1;
        return (int) Math.min(millis, Integer.MAX_VALUE); // a later timer takes several turns
    }

    private int runSignals() {
        int handled = 0;
        for (SignalWatch watch : signals) {
            if (watch.raised.getAndSet(false)) {
                handled++;
                guarded(watch.task);
            }
        }
        return handled;
    }

    /**
     * Runs the tasks that wait now, and nothing else. Only for the loop's thread, or after that
     * thread has ended.
     *
     * @return how many tasks were run
     */
    public int runTasks() {
        return tasks.drain(this::guarded); // tasks that they post wait for the next turn
    }

    private int runTimers() {
        int handled = 0;
        long now = System.nanoTime();
        while (!timers.isEmpty() && timers.first().at - now <= 0) {
            Timer timer = timers.removeFirst();
            handled++;
            guarded(timer.task);
        }
        return handled;
    }

    private void guarded(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error e) {
            failed(e);
        }
    }

    private void failed(Throwable e) {
        long ignored = errors.incrementAndGet();
        Faults.log("a handler of the event loop failed", e);
    }

    private void wakeUp() {
        if (!signalled.getAndSet(true)) {
            try {
                wake.signal();
            } catch (ClosedException e) {
                // the loop is closed, so no thread waits in it
            }
        }
    }

    /**
     * Ends the watches and closes the epoll instance; the watched descriptors stay open. To be
     * called after {@link #run} has returned. Idempotent.
     */
    @Override
    public void close() {
        stopped = true;
        closed = true;
        watches.values().forEach(Watch::close);
        wake.close();
        epoll.close();
    }
}
