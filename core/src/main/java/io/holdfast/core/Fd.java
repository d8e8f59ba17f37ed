package io.holdfast.core;

import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.LeakDetector;
import io.holdfast.core.sys.Unistd;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * An open descriptor and its only owner. Closed once, close-on-exec, and counted while in use.
 *
 * <p>Numbers of descriptors are recycled as PIDs are. A call that runs on a descriptor therefore
 * holds a use of it: {@link #close} refuses new uses at once, and the number goes back to the
 * kernel when the last use has ended, so no call ever runs on a number that meanwhile belongs to
 * something else. A thread that waits for readiness ({@link Readiness}) is woken by the close.
 *
 * <p>Methods that only look take an {@code Fd} and leave it to its owner. Methods that keep one are
 * named {@code adopt…} and leave the given {@code Fd} empty ({@link #move}).
 *
 * <p>Another process decides how long {@code close(2)} takes of a file that it sent, and of a
 * socket in which it has left one unread. Such a descriptor ({@link #received}) is closed by {@link
 * FdCloser} on another thread if that may take long.
 *
 * <p>Safe for use by any thread. With {@code -Dio.holdfast.leaks=true} a descriptor that becomes
 * garbage unclosed is closed and reported with the place that made it.
 */
public final class Fd implements AutoCloseable {
    private static final int CLOSED = 1 << 31;
    private static final int MOVED = CLOSED | 1 << 30;

    /** A move asks who waits: a use or a close takes this away, and then it is refused. */
    private static final int MOVING = 1 << 29;

    private static final int STANDARD_ERROR = 2;
    private static final String INHERITING = "inherited descriptor";
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(Fd.class, "state", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Something that refers to the number and must let go before it is closed. */
    public interface Holder {
        /** New uses are refused from now on. */
        void closing();

        /**
         * The number is about to go back to the kernel.
         *
         * @param number the number of the descriptor
         */
        void beforeClose(int number);

        /** {@return whether somebody waits, so that the number cannot go to another owner} */
        boolean isWaitedFor();

        /**
         * The number has gone to another owner.
         *
         * @param number the number of the descriptor
         */
        void letGo(int number);
    }

    private final int number;
    private final @Nullable LeakDetector leaks;

    /** Whether another process controls the file, and its close must not be waited for. */
    private volatile boolean received;

    /** Replaced under the monitor of this, never changed. */
    private volatile @Nullable Holder[] holders = NONE;

    @SuppressWarnings("unused") // through STATE
    private volatile int state; // users in flight, and the three top bits

    private static final @Nullable Holder[] NONE = {};

    private Fd(int number) {
        this.number = number;
        this.leaks = LeakDetector.ENABLED ? LeakDetector.watch(this, number) : null;
        Counters.DESCRIPTORS.increment();
    }

    /**
     * Takes over a number that nobody else owns, as one that a system call has just returned. The
     * number is not checked.
     *
     * @param number the number of the descriptor
     * @return the owner of the descriptor
     * @throws IllegalArgumentException if it is negative
     */
    public static Fd adopt(int number) {
        if (number < 0) {
            throw new IllegalArgumentException("no descriptor: " + number);
        }
        return new Fd(number);
    }

    /**
     * Takes over the number of a file that another process controls: one that it sent (SCM_RIGHTS),
     * or a socket into which others put descriptors or connections. {@link #close} then never
     * waits.
     *
     * @param number the number of the descriptor
     * @return the owner of the descriptor
     * @throws IllegalArgumentException if it is negative
     */
    public static Fd received(int number) {
        Fd received = adopt(number);
        received.received = true;
        return received;
    }

    /**
     * Takes over a descriptor that the parent process has left open for us, by the number that it
     * told: systemd's {@code LISTEN_FDS} count from 3 on (sd_listen_fds(3)). It is made
     * close-on-exec.
     *
     * <p>Only what was inherited has the flag unset, so a number that belongs to this process, or
     * was taken over before, is refused. (The JVM's own image of the JDK passes, as it was opened
     * without: take no number that nobody told.)
     *
     * @param number the number of the descriptor
     * @return the owner of the descriptor
     * @throws IllegalArgumentException if it is negative or one of Java's own streams, 0 to 2
     * @throws ErrnoException EBADF if nothing is open there, or nothing inherited
     */
    public static Fd inherited(int number) {
        if (number <= STANDARD_ERROR) {
            throw new IllegalArgumentException(
                    "no inherited descriptor: " + number + " (0 to 2 are Java's streams)");
        }
        int flags = ErrnoException.check(Fcntl.descriptorFlags(number), INHERITING, number);
        if ((flags & Fcntl.FD_CLOEXEC) != 0) {
            throw new ErrnoException(
                    INHERITING,
                    Integer.toString(number),
                    Errno.EBADF,
                    "not inherited, or taken over before: it is close-on-exec");
        }
        int set = Fcntl.setDescriptorFlags(number, flags | Fcntl.FD_CLOEXEC);
        int ignored = ErrnoException.check(set, INHERITING, number);
        return new Fd(number);
    }

    /**
     * Adopts the result of a call that makes a descriptor, or throws what it stands for.
     *
     * @param result what the call returned
     * @param call the call as its man page names it
     * @param subject what the call was made on
     * @return the owner of the descriptor
     */
    public static Fd adopt(int result, String call, Object subject) {
        return new Fd(ErrnoException.check(result, call, subject));
    }

    /**
     * {@return another descriptor of the same open file, with an owner of its own ({@code
     * F_DUPFD_CLOEXEC})}
     *
     * @throws ErrnoException EMFILE
     */
    public Fd duplicate() {
        Fd made = adopt(Fcntl.dupfd(this, 3), "fcntl(F_DUPFD_CLOEXEC)", this);
        made.received = received;
        return made;
    }

    /**
     * Hands the descriptor to a new owner and leaves this one empty: its {@link #close} does
     * nothing, every other use throws.
     *
     * @return the new owner
     * @throws ClosedException if it is closed or moved
     * @throws IllegalStateException if it is in use by a call, waited for by a thread, or watched
     *     by an event loop
     */
    public Fd move() {
        if (!beginMove()) {
            if (!isOpen()) {
                throw new ClosedException(this + " cannot be moved");
            }
            throw new IllegalStateException(this + " cannot be moved while in use or waited for");
        }
        for (Holder holder : holders) {
            if (holder != null) {
                holder.letGo(number);
            }
        }
        if (leaks != null) {
            leaks.forget();
        }
        Counters.DESCRIPTORS.decrement();
        Fd moved = new Fd(number);
        moved.received = received;
        return moved;
    }

    /** One at a time: what one has asked is nothing that another may go by. */
    private synchronized boolean beginMove() {
        if (!STATE.compareAndSet(this, 0, MOVING)) {
            return false;
        }
        if (!isWaitedFor() && STATE.compareAndSet(this, MOVING, MOVED)) {
            return true;
        }
        boolean _ = STATE.compareAndSet(this, MOVING, 0);
        return false;
    }

    private boolean isWaitedFor() {
        for (Holder holder : holders) {
            if (holder != null && holder.isWaitedFor()) {
                return true;
            }
        }
        return false;
    }

    /** {@return whether neither {@link #close} nor {@link #move} was called} */
    public boolean isOpen() {
        return (int) STATE.getVolatile(this) >= 0;
    }

    /**
     * Lends the number for one call, for use with another library's native code. It is valid only
     * until the function returns, and must not be closed or kept.
     *
     * @param <R> the type of what the function returns
     * @param use given the number
     * @return what the function returned
     * @throws ClosedException if it is closed or moved
     */
    public <R> R with(IntFunction<R> use) {
        int borrowed = acquire();
        try {
            return use.apply(borrowed);
        } finally {
            release();
        }
    }

    /**
     * Begins a use; {@link #release} ends it.
     *
     * @return the number
     */
    public int acquire() {
        for (; ; ) {
            int seen = (int) STATE.getVolatile(this);
            if (seen < 0) {
                throw new ClosedException(this + " was " + (isMoved(seen) ? "moved" : "closed"));
            }
            if (STATE.weakCompareAndSet(this, seen, (seen & ~MOVING) + 1)) {
                return number;
            }
        }
    }

    /** Ends a use that {@link #acquire} began. */
    public void release() {
        int before = (int) STATE.getAndAdd(this, -1);
        if (before == CLOSED + 1) {
            closeNumber();
        }
    }

    /**
     * Registers who must let go before the close.
     *
     * @param holder what is told of the close
     */
    public void hold(Holder holder) {
        synchronized (this) {
            Holder[] more = new Holder[holders.length + 1];
            System.arraycopy(holders, 0, more, 0, holders.length);
            more[holders.length] = holder;
            holders = more;
        }
    }

    /**
     * Takes back what {@link #hold} registered.
     *
     * @param holder the very same
     */
    @SuppressWarnings("ReferenceEquality") // the very holder
    public void unhold(Holder holder) {
        synchronized (this) {
            for (int i = 0; i < holders.length; i++) {
                if (holders[i] == holder) {
                    Holder[] fewer = new Holder[holders.length - 1];
                    System.arraycopy(holders, 0, fewer, 0, i);
                    System.arraycopy(holders, i + 1, fewer, i, fewer.length - i);
                    holders = fewer.length == 0 ? NONE : fewer;
                    return;
                }
            }
        }
    }

    /**
     * {@return the registered holder of that class, or the one that is made and registered now}
     *
     * @param <H> the type of the holder
     * @param kind the class of the holder
     * @param maker makes the holder if there is none
     */
    public <H extends Holder> H holder(Class<H> kind, Supplier<H> maker) {
        H there = holder(kind);
        if (there != null) {
            return there;
        }
        synchronized (this) {
            there = holder(kind);
            if (there == null) {
                there = maker.get();
                hold(there);
            }
            return there;
        }
    }

    /**
     * {@return the registered holder of that class, or null}
     *
     * @param <H> the type of the holder
     * @param kind the class of the holder
     */
    public <H extends Holder> @Nullable H holder(Class<H> kind) {
        for (Holder holder : holders) {
            if (kind.isInstance(holder)) {
                return kind.cast(holder);
            }
        }
        return null;
    }

    /**
     * Refuses further uses and closes the number once the last use in flight has ended. Idempotent;
     * errors of {@code close(2)} are ignored, since the number is free whatever it says.
     */
    @Override
    public void close() {
        int seen;
        do {
            seen = (int) STATE.getVolatile(this);
            if (seen < 0) {
                return;
            }
        } while (!STATE.weakCompareAndSet(this, seen, (seen & ~MOVING) | CLOSED));
        for (Holder holder : holders) {
            if (holder != null) {
                holder.closing();
            }
        }
        if ((seen & ~MOVING) == 0) {
            closeNumber();
        }
    }

    /** Closes it as {@link #close} does, and waits as long as {@code close(2)} takes. */
    void closeHere() {
        received = false;
        close();
    }

    private void closeNumber() {
        Counters.DESCRIPTORS.decrement();
        if (leaks != null) {
            leaks.forget();
        }
        try {
            for (Holder holder : holders) {
                if (holder != null) {
                    holder.beforeClose(number);
                }
            }
        } finally {
            if (received) {
                FdCloser.closeReceived(new Fd(number));
            } else {
                Unistd.close(number);
            }
        }
    }

    private static boolean isMoved(int state) {
        return (state & MOVED) == MOVED;
    }

    @Override
    public String toString() {
        int seen = (int) STATE.getVolatile(this);
        return "fd " + number + (seen >= 0 ? "" : isMoved(seen) ? " (moved)" : " (closed)");
    }
}
