package io.holdfast.core;

import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.LeakDetector;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.wait.FdCloser;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The only owner of an open descriptor. The descriptor is close-on-exec, is closed once, and is
 * pinned by each call that uses it.
 *
 * <p>The kernel recycles descriptor numbers as it recycles PIDs. A call on a descriptor therefore
 * pins it: {@link #close} refuses new pins at once, and the number goes back to the kernel when the
 * last pin is released, so no call ever runs on a number that meanwhile belongs to something else.
 * The close wakes every thread that waits for readiness ({@link Readiness}).
 *
 * <p>A method that only uses a descriptor takes an {@code Fd} and leaves it to its owner. A method
 * that keeps the descriptor is named {@code adopt…} and leaves the given {@code Fd} empty ({@link
 * #move}).
 *
 * <p>If another process sent a file, that process decides how long its {@code close(2)} takes; the
 * same holds for a socket with such a file unread in it. If the close of such a descriptor ({@link
 * #received}, {@link #closeWith}) may take long, another thread does it. A duplicate is closed in
 * the same way.
 *
 * <p>Safe for use by any thread. With {@code -Dio.holdfast.leaks=true} a descriptor that becomes
 * garbage unclosed is closed and reported with the stack trace of its creation.
 */
public final class Fd implements AutoCloseable {
    private static final int CLOSED = 1 << 31;
    private static final int MOVED = CLOSED | 1 << 30;

    /** Set while a move checks for waiters. A pin or a close clears it, which fails the move. */
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

    /** An object that refers to the descriptor's number and must drop it before the close. */
    public interface Holder {
        /** Called when the close begins: new pins are refused from now on. */
        void closing();

        /**
         * Called just before the number goes back to the kernel.
         *
         * @param number the number of the descriptor
         */
        void beforeClose(int number);

        /** {@return whether a waiter depends on this owner, so that {@link Fd#move} must fail} */
        boolean isWaitedFor();

        /**
         * Called when the number has moved to another owner.
         *
         * @param number the number of the descriptor
         */
        void moved(int number);
    }

    private final int number;
    private final @Nullable LeakDetector leaks;

    /**
     * Closes the number if another process controls the file, so that no thread may wait for its
     * close; null if none does.
     */
    private volatile @Nullable Consumer<Fd> closer;

    /** Copy-on-write: replaced under the monitor of this, never modified. */
    private volatile @Nullable Holder[] holders = NONE;

    @SuppressWarnings("unused") // through STATE
    private volatile int state; // the number of pins, and flags in the three top bits

    private static final @Nullable Holder[] NONE = {};

    private Fd(int number) {
        this.number = number;
        this.leaks = LeakDetector.ENABLED ? LeakDetector.watch(this, number) : null;
        Counters.DESCRIPTORS.increment();
    }

    /**
     * Takes over a descriptor number that has no owner yet, such as the result of a system call.
     * The number is not checked.
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
     * Takes over the number of a file that another process controls: a file that it sent
     * (SCM_RIGHTS), or a socket to which other processes send descriptors or connect. {@link
     * #close} then never waits. If the user who controls the file is known, name that user with
     * {@link #closeWith}.
     *
     * @param number the number of the descriptor
     * @return the owner of the descriptor
     * @throws IllegalArgumentException if it is negative
     */
    public static Fd received(int number) {
        Fd received = adopt(number);
        received.closeWith(FdCloser.automatic(new Object()));
        return received;
    }

    /**
     * Takes over the number of a file that another process sent to a socket (SCM_RIGHTS). {@link
     * #close} never waits: the file is closed by what closes the socket ({@link #closeWith}).
     *
     * @param number the number of the descriptor
     * @param socket the socket at which it arrived; it stays the caller's
     * @return the owner of the descriptor
     * @throws IllegalArgumentException if it is negative
     */
    public static Fd received(int number, Fd socket) {
        Fd received = adopt(number);
        Consumer<Fd> closer = socket.closer;
        received.closer = closer == null ? FdCloser.automatic(socket) : closer;
        return received;
    }

    /**
     * Sets what closes the descriptor: {@link #close} gives the number to it, instead of waiting
     * for {@code close(2)}, because another process controls the file. It also closes the
     * duplicates that are made from now on, the owner to which this one moves, and the descriptors
     * that arrive if this is a socket.
     *
     * @param closer gets a new owner of the number, on the thread that releases the last pin, and
     *     must not wait for the close; or null to close on that thread
     */
    public void closeWith(@Nullable Consumer<Fd> closer) {
        this.closer = closer;
    }

    /** {@return whether another process controls the file, as far as this process knows} */
    public boolean isReceived() {
        return closer != null;
    }

    /**
     * Takes over a descriptor that the parent process has left open for this process, by the number
     * that the parent announced: systemd's {@code LISTEN_FDS} count from 3 on (sd_listen_fds(3)).
     * The descriptor is made close-on-exec.
     *
     * <p>Only an inherited descriptor lacks the close-on-exec flag, so a number that this process
     * opened, or took over before, is refused. (The JVM's own descriptor of the JDK's image passes,
     * because the JVM opens it without the flag: pass only numbers that the parent announced.)
     *
     * @param number the number of the descriptor
     * @return the owner of the descriptor
     * @throws IllegalArgumentException if it is negative or one of Java's own streams, 0 to 2
     * @throws ErrnoException EBADF if the number is not open, or was not inherited
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
     * Adopts the descriptor that a system call returned, or throws the error that it returned.
     *
     * @param result the result of the call: a descriptor number, or -errno
     * @param call the call as its man page names it
     * @param subject the object of the call, for messages
     * @return the owner of the descriptor
     * @throws ErrnoException if the result is negative
     */
    public static Fd adopt(int result, String call, Object subject) {
        return new Fd(ErrnoException.check(result, call, subject));
    }

    /**
     * {@return another descriptor of the same open file description, with its own owner ({@code
     * F_DUPFD_CLOEXEC})}
     *
     * @throws ErrnoException EMFILE
     */
    public Fd duplicate() {
        Fd made = adopt(Fcntl.dupfd(this, 3), "fcntl(F_DUPFD_CLOEXEC)", this);
        made.closer = closer;
        return made;
    }

    /**
     * Hands the descriptor to a new owner and leaves this one empty: afterwards {@link #close} does
     * nothing, and every call that needs the descriptor throws.
     *
     * @return the new owner
     * @throws ClosedException if it is closed or moved
     * @throws IllegalStateException if a call uses the descriptor, a thread waits for it, or an
     *     event loop watches it
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
                holder.moved(number);
            }
        }
        if (leaks != null) {
            leaks.forget();
        }
        Counters.DESCRIPTORS.decrement();
        Fd moved = new Fd(number);
        moved.closer = closer;
        return moved;
    }

    /**
     * Synchronized: otherwise a move could succeed by the MOVING flag that another move has set
     * after this move's check for waiters.
     */
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
     * Lends the number for one call, for use with another library's native code. The number is
     * valid only until the function returns; the function must neither close nor keep it.
     *
     * @param <R> the result type of the function
     * @param use the function, which receives the number
     * @return the result of the function
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
     * Pins the descriptor until {@link #release}.
     *
     * @return the number
     * @throws ClosedException if it is closed or moved
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

    /** Releases a pin of {@link #acquire}. The last release of a closed descriptor closes it. */
    public void release() {
        int before = (int) STATE.getAndAdd(this, -1);
        if (before == CLOSED + 1) {
            closeNumber();
        }
    }

    /**
     * Registers a holder, which must drop the number before the close.
     *
     * @param holder called when the descriptor is closed or moved
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
     * Removes a holder that {@link #hold} registered.
     *
     * @param holder the same object
     */
    @SuppressWarnings("ReferenceEquality") // the same object
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
     * {@return the registered holder of a class; if there is none, makes and registers one}
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
     * {@return the registered holder of a class, or null}
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
     * Refuses new pins, and closes the number once the last pin is released. Idempotent. Errors of
     * {@code close(2)} are ignored, since the number is free whatever the call returns.
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
            Consumer<Fd> to = closer;
            if (to == null) {
                Unistd.close(number);
            } else {
                to.accept(new Fd(number));
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
