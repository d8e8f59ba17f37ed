package io.holdfast.core.process;

import io.holdfast.core.ClosedException;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.file.folder.ScratchFolder;
import io.holdfast.core.limit.CoreLimits;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.process.Lease;
import io.holdfast.core.sys.process.PosixSpawn;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Holds a child just before it executes its program, with no code of ours running in it. Its last
 * file actions open a FIFO, which reports its arrival to us, then a file on which we hold a {@link
 * Lease}, which blocks it, and then another FIFO, which fails unless we have its other end open.
 *
 * <pre>
 *   child:  … open(arrival, write) ── open(bar, read) ═════════════════════╗ open(departure) ── exec
 *   we:     open(arrival, read) … hangs up ── handle the child ─────── open(departure), let go
 * </pre>
 *
 * <p>Whatever happens to this process, the child neither executes its program without having been
 * held nor waits forever: when this process ends, so does the lease, and the open of the departure
 * fails, or that of the arrival if the child was not there yet; the former also fails when the
 * kernel takes the lease away ({@link Lease}). While it waits, the child has no descriptors of ours
 * but those that it was given.
 *
 * <p>Where leases are switched off, the child waits in the open of the departure, and a JVM that is
 * killed leaves it there.
 *
 * <p>The FIFOs have mode 0666, whatever our umask; no other process can reach them, for they have
 * no name any more. Some are kept for later gates.
 */
final class Gate implements AutoCloseable {
    private static final Path TEMPORARY = Path.of(System.getProperty("java.io.tmpdir", "/tmp"));
    private static final String PREFIX = "holdfast-gate-"; // the manager removes leftovers
    private static final String ARRIVAL = "arrival";
    private static final String DEPARTURE = "departure";
    private static final int FOR_ALL = 0666;
    private static final long PAUSE_NANOS = 5_000_000;
    private static final int MOST_IDLE = 8;

    /**
     * The FIFOs of gates that are closed: making new ones takes three files in a folder that may be
     * on a disk.
     */
    private static final BlockingQueue<Fifos> IDLE = new ArrayBlockingQueue<>(MOST_IDLE);

    private final Fifos fifos;
    private final Fd arrivals;
    private final Fd reserve; // a descriptor number for the passage, when all others are taken
    private final @Nullable Lease bar;
    private @Nullable Fd passage;

    /** The places of two FIFOs ({@code O_PATH}), which are open nowhere between two gates. */
    private record Fifos(Fd arrival, Fd departure) {
        static Fifos take() {
            for (Fifos idle = IDLE.poll(); idle != null; idle = IDLE.poll()) {
                if (isUnread(idle.arrival) && isUnread(idle.departure)) {
                    return idle;
                }
                idle.close();
            }
            return make();
        }

        private static Fifos make() {
            try (ScratchFolder folder = ScratchFolder.make(TEMPORARY, PREFIX)) {
                Fd arrival = null;
                try {
                    arrival = fifo(folder.fd(), ARRIVAL);
                    return new Fifos(arrival, fifo(folder.fd(), DEPARTURE));
                } catch (RuntimeException e) {
                    if (arrival != null) {
                        arrival.close();
                    }
                    throw e;
                } finally {
                    int ignored = folder.remove();
                }
            }
        }

        /**
         * Returns whether no process can read from a FIFO: another child of this JVM may have a
         * copy of a descriptor, until it executes its program.
         */
        private static boolean isUnread(Fd fifo) {
            int flags = Fcntl.O_WRONLY | Fcntl.O_NONBLOCK;
            int writer = fifo.with(number -> Fcntl.openat(null, path(number), flags, 0));
            if (writer >= 0) {
                Fd.adopt(writer).close();
            }
            return writer == -Errno.ENXIO;
        }

        void close() {
            arrival.close();
            departure.close();
        }
    }

    private Gate(Fifos fifos, Fd arrivals, Fd reserve, @Nullable Lease bar) {
        this.fifos = fifos;
        this.arrivals = arrivals;
        this.reserve = reserve;
        this.bar = bar;
    }

    /**
     * Returns a closed gate.
     *
     * @throws ErrnoException EMFILE; ENOSPC and others if no temporary directory can be made
     */
    static Gate make() {
        Fifos fifos = Fifos.take();
        List<Fd> made = new ArrayList<>();
        try {
            made.add(reopen(fifos.arrival, Fcntl.O_RDONLY | Fcntl.O_NONBLOCK));
            made.add(fifos.arrival.duplicate());
            return new Gate(fifos, made.get(0), made.get(1), bar());
        } catch (RuntimeException e) {
            made.forEach(Fd::close);
            fifos.close();
            throw e;
        }
    }

    private static @Nullable Lease bar() {
        try {
            return Lease.take();
        } catch (ErrnoException e) {
            if (e.errno() == Errno.EMFILE || e.errno() == Errno.ENFILE) {
                throw e;
            }
            return null; // leases are switched off
        }
    }

    private static Fd fifo(Fd dir, String name) {
        ErrnoException.check(SysStat.mkfifoat(dir, name, FOR_ALL), "mkfifo", name);
        try {
            ErrnoException.check(SysStat.fchmodat(dir, name, FOR_ALL), "chmod", name);
            return Fcntl.open(dir, name, Fcntl.O_PATH, 0);
        } finally {
            int ignored = SysStat.unlinkat(dir, name);
        }
    }

    private static Fd reopen(Fd path, int flags) {
        return path.with(number -> Fcntl.open(path(number), flags));
    }

    private static String path(int number) {
        return "/proc/self/fd/" + number;
    }

    /** Returns what the child must open, in this order. */
    List<PosixSpawn.Opening> openings() {
        PosixSpawn.Opening first =
                new PosixSpawn.Opening(fifos.arrival, Fcntl.O_WRONLY | Fcntl.O_NONBLOCK);
        if (bar == null) {
            return List.of(first, new PosixSpawn.Opening(fifos.departure, Fcntl.O_RDONLY));
        }
        return List.of(
                first,
                new PosixSpawn.Opening(bar.file(), Fcntl.O_RDONLY),
                new PosixSpawn.Opening(fifos.departure, Fcntl.O_WRONLY | Fcntl.O_NONBLOCK));
    }

    /** Waits for the child; false after {@link #stopWaiting}. */
    boolean awaitArrival() throws InterruptedException {
        try {
            int ignored = Readiness.await(arrivals, Readiness.IN);
            return true;
        } catch (ClosedException e) {
            return false;
        }
    }

    /**
     * Ends the wait for the child: the spawn has returned, or failed. Needs no descriptor, since a
     * lack of descriptors may be the reason.
     */
    void stopWaiting() {
        arrivals.close();
    }

    /** Returns whether a start failed because its child was refused, or was held for too long. */
    static boolean isRefusal(ErrnoException e) {
        return e.errno() == Errno.ENXIO;
    }

    /**
     * Makes the child end, whether or not it has reached the gate. Where leases are switched off,
     * it continues as after {@link #open}, and must be killed; as long as no descriptor is free it
     * waits, and so does the caller.
     */
    void refuse() {
        if (bar == null) {
            open(Long.MAX_VALUE);
        } else {
            bar.release();
        }
    }

    /**
     * Lets the child continue, whether or not it has reached its open, which from now on does not
     * block. If not even the reserved descriptor number is left, waits for one.
     *
     * @throws ErrnoException EMFILE after {@link CoreLimits#DESCRIPTOR_TIMEOUT}; the child still
     *     waits
     */
    void open() {
        open(CoreLimits.DESCRIPTOR_TIMEOUT.duration().toNanos());
    }

    private void open(long nanos) {
        reserve.close();
        for (long start = System.nanoTime(); passage == null; ) {
            try {
                passage = reopen(fifos.departure, Fcntl.O_RDWR | Fcntl.O_NONBLOCK);
            } catch (ErrnoException e) {
                if (System.nanoTime() - start >= nanos) {
                    String advice = CoreLimits.withoutDescriptor("the held child was killed");
                    throw new ErrnoException(e.call(), e.subject(), e.errno(), advice);
                }
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
        if (bar != null) {
            bar.release();
        }
    }

    /** Closes the gate's descriptors. Called after the spawn has returned. */
    @Override
    public void close() {
        if (passage != null) {
            passage.close();
        }
        if (bar != null) {
            bar.close();
        }
        reserve.close();
        arrivals.close();
        if (!IDLE.offer(fifos)) {
            fifos.close();
        }
    }
}
