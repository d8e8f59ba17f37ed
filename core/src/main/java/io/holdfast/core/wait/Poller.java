package io.holdfast.core.wait;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.ClosedException;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.Registration;
import io.holdfast.core.sys.Faults;
import io.holdfast.core.sys.SysPoll;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The process-wide poller behind {@link Readiness}: one thread in {@code epoll_wait}, helped by
 * virtual threads that are about to park.
 *
 * <p>A descriptor is added by its first wait and stays registered until it is closed or all its
 * waiters have given up. Each wait arms it (EPOLLONESHOT) for the union of its waiters' events. An
 * event wakes the waiters that it concerns and arms again for the rest. The event's data is slot
 * and generation, never the descriptor: within one batch a closed number may belong to somebody
 * else already.
 */
public final class Poller {

    private static final long SHUTDOWN_POLL_NANOS = 1_000_000;
    private static final long NO_SLOT = -1; // not the key of any slot

    private static volatile @Nullable Poller running;

    private final SysEpoll epoll;
    private volatile boolean shuttingDown;
    private final Slots<FdWaiters> slots = new Slots<>();
    private final HandOver handOver = new HandOver();
    private final ReentrantLock sweeping = new ReentrantLock();
    private final SysEpoll.Events swept = new SysEpoll.Events(); // guarded by sweeping

    private Poller(SysEpoll epoll) {
        this.epoll = epoll;
    }

    public static Poller get() {
        Poller poller = running;
        return poller != null ? poller : start();
    }

    /** Not in a static initializer: a failure (EMFILE, no thread) must not be permanent. */
    private static synchronized Poller start() {
        Poller poller = running;
        if (poller != null) {
            return poller;
        }
        SysEpoll epoll = new SysEpoll();
        try {
            Poller started = new Poller(epoll);
            Thread thread =
                    Thread.ofPlatform().daemon().name("holdfast-poller").unstarted(started::run);
            started.handOver.batchesOf(thread);
            started.leaveKernelAtShutdown();
            thread.start();
            running = started;
            return started;
        } finally {
            if (running == null) {
                epoll.close();
            }
        }
    }

    private void run() {
        SysEpoll.Events events = new SysEpoll.Events();
        while (!shuttingDown) {
            dispatch(events, epoll.await(events, -1));
            handOver.endBatch();
        }
        while (true) { // other shutdown hooks may still wait for descriptors
            int n = epoll.await(events, 0);
            if (n == 0) {
                LockSupport.parkNanos(this, SHUTDOWN_POLL_NANOS);
            }
            dispatch(events, n);
            handOver.endBatch();
        }
    }

    /**
     * Lets the poller wait outside of the kernel once the JVM shuts down: before it exits, HotSpot
     * waits up to 300 ms for threads that execute native code.
     */
    private void leaveKernelAtShutdown() {
        try {
            Runtime.getRuntime()
                    .addShutdownHook(new Thread(this::leaveKernel, "holdfast-poller-shutdown"));
        } catch (IllegalStateException e) { // it shuts down already
            shuttingDown = true;
        }
    }

    private void leaveKernel() {
        shuttingDown = true;
        try {
            SysEventfd wake = new SysEventfd(); // never closed: the JVM exits
            wake.signal();
            int ignored =
                    epoll.control(
                            SysEpoll.CTL_ADD,
                            wake.number(),
                            Readiness.IN | SysEpoll.EPOLLONESHOT,
                            NO_SLOT);
        } catch (ErrnoException e) {
            // no free descriptor: the exit takes 300 ms longer
        }
    }

    private void dispatch(SysEpoll.Events events, int n) {
        for (int i = 0; i < n; i++) {
            FdWaiters registration = slots.get(events.data(i));
            if (registration != null) {
                try {
                    registration.event(events.events(i));
                } catch (RuntimeException | Error e) { // must not stop the other descriptors
                    Faults.log("the poller failed with an event", e);
                }
            }
        }
    }

    /**
     * Handles pending events without waiting, unless another thread is doing so. A virtual thread
     * calls this before it parks: it has often just written the data that another virtual thread
     * waits for. To wake that thread from this carrier takes a tenth of the time that the poller's
     * thread needs to wake up.
     */
    private void sweep() {
        if (sweeping.tryLock()) {
            try {
                dispatch(swept, epoll.await(swept, 0));
            } finally {
                sweeping.unlock();
            }
        }
    }

    /** Returns the executor for work of callbacks that may block. */
    public Executor executor() {
        return handOver;
    }

    public int await(Fd fd, int events, long nanos) throws InterruptedException {
        ThreadWaiter waiter = new ThreadWaiter(events);
        FdWaiters registration;
        try {
            registration = arm(fd, waiter);
        } catch (ErrnoException e) {
            if (e.errno() == Errno.EPERM) { // a file that poll(2) always calls ready
                return events & (Readiness.IN | Readiness.OUT);
            }
            throw e;
        }
        if (Thread.currentThread().isVirtual()) {
            sweep();
        }
        long deadline = nanos == Long.MAX_VALUE ? 0 : System.nanoTime() + nanos;
        boolean interrupted = false;
        while (!waiter.done) {
            long left = nanos == Long.MAX_VALUE ? Long.MAX_VALUE : deadline - System.nanoTime();
            if ((interrupted || left <= 0) && registration.remove(waiter)) {
                if (interrupted) {
                    throw new InterruptedException();
                }
                int now = SysPoll.now(fd, events); // even a limit of zero polls once
                return now < 0 ? Readiness.NONE : now & (events | Readiness.HUP | Readiness.ERR);
            }
            if (interrupted || left <= 0 || left == Long.MAX_VALUE) {
                LockSupport.park(this); // if it could not be removed, its event is on the way
            } else {
                LockSupport.parkNanos(this, left);
            }
            interrupted |= Thread.interrupted();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (waiter.ready == Readiness.NONE) {
            throw new ClosedException(fd + " was closed while waited for");
        }
        return waiter.ready;
    }

    public Registration once(Fd fd, int events, Readiness.Callback callback) {
        CallbackWaiter waiter = new CallbackWaiter(events, callback);
        FdWaiters registration = arm(fd, waiter);
        return () -> registration.remove(waiter);
    }

    private FdWaiters arm(Fd fd, Waiter waiter) {
        for (; ; ) {
            FdWaiters registration = fd.holder(FdWaiters.class);
            if (registration == null) {
                registration = fd.holder(FdWaiters.class, () -> new FdWaiters(fd));
            }
            if (registration.add(waiter)) {
                return registration;
            }
            if (!fd.isOpen()) {
                throw new ClosedException(fd + " was closed");
            }
        }
    }

    /** A thread or callback that waits for one event. */
    private abstract static class Waiter {
        final int events;
        @Nullable Waiter next;

        Waiter(int events) {
            this.events = events;
        }

        abstract void ready(int events);
    }

    private static final class ThreadWaiter extends Waiter {
        private final Thread thread = Thread.currentThread();
        private int ready;
        private volatile boolean done;

        ThreadWaiter(int events) {
            super(events);
        }

        @Override
        void ready(int events) {
            ready = events;
            done = true;
            LockSupport.unpark(thread);
        }
    }

    private static final class CallbackWaiter extends Waiter {
        private final Readiness.Callback callback;

        CallbackWaiter(int events, Readiness.Callback callback) {
            super(events);
            this.callback = callback;
        }

        @Override
        void ready(int events) {
            try {
                callback.ready(events);
            } catch (RuntimeException | Error e) {
                Faults.log("a readiness callback failed", e);
            }
        }
    }

    /** One descriptor in the epoll instance, and its waiters. */
    private final class FdWaiters implements Fd.Holder {

        private final Fd fd;

        @GuardedBy("this")
        private @Nullable Waiter waiters;

        /** Its key in the table of slots while it is in the epoll instance, otherwise NO_SLOT. */
        @GuardedBy("this")
        private long key = NO_SLOT;

        @GuardedBy("this")
        private boolean closed;

        FdWaiters(Fd fd) {
            this.fd = fd;
        }

        /** Adds a waiter; returns false if the descriptor is closed. */
        synchronized boolean add(Waiter waiter) {
            if (closed || !fd.isOpen()) {
                return false;
            }
            waiter.next = waiters;
            waiters = waiter;
            try {
                arm();
            } catch (RuntimeException e) {
                waiters = waiter.next;
                throw e;
            }
            return true;
        }

        /** Removes a waiter; returns false if it was called or is about to be called. */
        synchronized boolean remove(Waiter waiter) {
            Waiter before = null;
            for (Waiter w = waiters; w != null; before = w, w = w.next) {
                if (w == waiter) {
                    if (before == null) {
                        waiters = w.next;
                    } else {
                        before.next = w.next;
                    }
                    if (waiters == null) {
                        disarm();
                    }
                    return true;
                }
            }
            return false;
        }

        /** Removes it from the epoll instance: an event without a waiter must wake no thread. */
        @GuardedBy("this")
        private void disarm() {
            try {
                int number = fd.acquire();
                try {
                    takeOut(number);
                } finally {
                    fd.release();
                }
            } catch (ClosedException e) {
                // just closed: beforeClose() removes it
            }
        }

        @GuardedBy("this")
        private void takeOut(int number) {
            if (key != NO_SLOT) {
                slots.remove(key);
                key = NO_SLOT;
                int ignored = epoll.control(SysEpoll.CTL_DEL, number, 0, 0);
            }
        }

        @GuardedBy("this")
        private void arm() {
            int interest = SysEpoll.EPOLLONESHOT;
            for (Waiter w = waiters; w != null; w = w.next) {
                interest |= w.events;
            }
            int number = fd.acquire();
            try {
                int result =
                        key == NO_SLOT
                                ? putIn(number, interest)
                                : epoll.control(SysEpoll.CTL_MOD, number, interest, key);
                ErrnoException.check(result, "epoll_ctl", fd);
            } finally {
                fd.release();
            }
        }

        @GuardedBy("this")
        private int putIn(int number, int interest) {
            long added = slots.add(this);
            int result = epoll.control(SysEpoll.CTL_ADD, number, interest, added);
            if (result < 0) {
                slots.remove(added);
            } else {
                key = added;
            }
            return result;
        }

        void event(int events) {
            Waiter ready = null;
            Waiter failed = null;
            synchronized (this) {
                Waiter waiting = waiters;
                waiters = null;
                while (waiting != null) {
                    Waiter w = waiting;
                    waiting = w.next;
                    if ((events & (w.events | Readiness.HUP | Readiness.ERR)) != 0) {
                        w.next = ready;
                        ready = w;
                    } else {
                        w.next = waiters;
                        waiters = w;
                    }
                }
                if (waiters != null && !closed && fd.isOpen()) {
                    try {
                        arm();
                    } catch (ClosedException e) {
                        // just closed: closing() wakes them
                    } catch (ErrnoException e) { // other code has closed the number of this Fd
                        failed = waiters;
                        waiters = null;
                    }
                }
            }
            wake(ready, events);
            wake(failed, Readiness.ERR); // their next call on the descriptor fails with the reason
        }

        private void wake(@Nullable Waiter list, int events) {
            for (Waiter w = list; w != null; ) {
                Waiter next = w.next;
                w.ready(events);
                w = next;
            }
        }

        @Override
        public void closing() {
            Waiter left;
            synchronized (this) {
                closed = true;
                left = waiters;
                waiters = null;
            }
            wake(left, Readiness.NONE);
        }

        @Override
        public synchronized void beforeClose(int number) {
            takeOut(number);
        }

        @Override
        public synchronized boolean isWaitedFor() {
            return waiters != null;
        }

        @Override
        public void moved(int number) {
            synchronized (this) {
                closed = true;
            }
            fd.unhold(this);
            beforeClose(number);
        }
    }
}
