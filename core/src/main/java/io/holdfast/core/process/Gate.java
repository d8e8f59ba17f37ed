package io.holdfast.core.process;

import io.holdfast.core.ClosedException;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.file.ScratchFolder;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.process.Lease;
import io.holdfast.core.sys.process.PosixSpawn;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Holds a child just before it executes its program, with no code of ours in it: its last file
 * actions open a FIFO, which tells us that it is there, a file that we have a {@link Lease} of,
 * which blocks it, and another FIFO, which fails unless we have its other end.
 *
 * <pre>
 *   child:  … open(arrival, write) ── open(bar, read) ═════════════════════╗ open(departure) ── exec
 *   we:     open(arrival, read) … hangs up ── do what is to be done ── open(departure), let go
 * </pre>
 *
 * <p>Whatever becomes of us, the child does not execute its program unheld, nor stands there for
 * ever: when this process ends, so does the lease, and the departure fails; so it does when the
 * kernel takes the lease away ({@link Lease}). While it stands, the child has no descriptor of ours
 * but those that it was given.
 *
 * <p>Where leases are switched off, the child waits in the open of the departure, and a JVM that is
 * killed leaves it there.
 *
 * <p>The FIFOs are open to all, whatever our umask; nobody else can reach them, for they have no
 * name any more.
 */
final class Gate implements AutoCloseable {
    private static final Path TEMPORARY = Path.of(System.getProperty("java.io.tmpdir", "/tmp"));
    private static final String PREFIX = "holdfast-gate-"; // the manager removes what is left
    private static final String ARRIVAL = "arrival";
    private static final String DEPARTURE = "departure";
    private static final int FOR_ALL = 0666;
    private static final long PAUSE_NANOS = 5_000_000;

    private final Fd arrival;
    private final Fd departure;
    private final Fd arrivals;
    private final Fd reserve; // a number to open the passage with, when all others are taken
    private final @Nullable Lease bar;
    private @Nullable Fd passage;

    private Gate(Fd arrival, Fd departure, Fd arrivals, Fd reserve, @Nullable Lease bar) {
        this.arrival = arrival;
        this.departure = departure;
        this.arrivals = arrivals;
        this.reserve = reserve;
        this.bar = bar;
    }

    /**
     * A closed gate.
     *
     * @throws ErrnoException EMFILE; ENOSPC and others if no temporary folder can be made
     */
    static Gate make() {
        List<Fd> made = new ArrayList<>();
        try (ScratchFolder folder = ScratchFolder.make(TEMPORARY, PREFIX)) {
            try {
                made.add(fifo(folder.fd(), ARRIVAL));
                made.add(fifo(folder.fd(), DEPARTURE));
            } finally {
                int ignored = folder.remove();
            }
            made.add(reopen(made.getFirst(), Fcntl.O_RDONLY | Fcntl.O_NONBLOCK));
            made.add(made.getFirst().duplicate());
            return new Gate(made.get(0), made.get(1), made.get(2), made.get(3), bar());
        } catch (RuntimeException e) {
            made.forEach(Fd::close);
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
            return null; // switched off
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
        return path.with(number -> Fcntl.open("/proc/self/fd/" + number, flags));
    }

    /** What the child is to open, in this order. */
    List<PosixSpawn.Opening> openings() {
        PosixSpawn.Opening first = new PosixSpawn.Opening(arrival, Fcntl.O_WRONLY);
        if (bar == null) {
            return List.of(first, new PosixSpawn.Opening(departure, Fcntl.O_RDONLY));
        }
        return List.of(
                first,
                new PosixSpawn.Opening(bar.file(), Fcntl.O_RDONLY),
                new PosixSpawn.Opening(departure, Fcntl.O_WRONLY | Fcntl.O_NONBLOCK));
    }

    /** Waits for the child: false if it was {@link #giveUp given up}. */
    boolean awaitArrival() throws InterruptedException {
        try {
            int ignored = Readiness.await(arrivals, Readiness.IN);
            return true;
        } catch (ClosedException e) {
            return false;
        }
    }

    /** No child will come: the spawn has failed. Needs no descriptor, which may be why. */
    void giveUp() {
        arrivals.close();
    }

    /** How a start fails whose child was not let through, or was held for too long. */
    static boolean isRefusal(ErrnoException e) {
        return e.errno() == Errno.ENXIO;
    }

    /**
     * Lets the child end, whether or not it has come to the gate. Where that cannot be, it goes on
     * as by {@link #open}, and must be killed.
     */
    void refuse() {
        if (bar == null) {
            open();
        } else {
            bar.letGo();
        }
    }

    /**
     * Lets the child go on, whether or not it has come to its open: from now on that does not
     * block. Never fails, for then child and spawning thread would stand for ever: it waits for a
     * number where not even the reserved one is left.
     */
    void open() {
        reserve.close();
        while (passage == null) {
            try {
                passage = reopen(departure, Fcntl.O_RDWR | Fcntl.O_NONBLOCK);
            } catch (ErrnoException e) {
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
        if (bar != null) {
            bar.letGo();
        }
    }

    /** After the spawn has returned. */
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
        arrival.close();
        departure.close();
    }
}
