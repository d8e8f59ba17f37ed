package io.holdfast.core.process;

import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Fcntl;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.PosixSpawn;
import io.holdfast.core.linux.Readiness;
import io.holdfast.core.linux.SysStat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Holds a child just before it executes its program, with no code of ours in it: its last file
 * actions open two FIFOs. The first tells us that it is there; the second blocks it until we open
 * the other end.
 *
 * <pre>
 *   child:  … open(arrival, write), close ── open(departure, read) ════════╗ exec
 *   we:     open(arrival, read) … hangs up ── do what is to be done ── open(departure)
 * </pre>
 *
 * <p>The child may have become another user by then, so the FIFOs are open to all; nobody else can
 * reach them, for they have no name any more.
 */
final class Gate implements AutoCloseable {
    private static final String ARRIVAL = "arrival";
    private static final String DEPARTURE = "departure";
    private static final int FOR_ALL = 0666;
    private static final long PAUSE_NANOS = 5_000_000;

    private final Fd arrival;
    private final Fd departure;
    private final Fd arrivals;
    private final Fd reserve; // a number to open the passage with, when all others are taken
    private @Nullable Fd passage;

    private Gate(Fd arrival, Fd departure, Fd arrivals, Fd reserve) {
        this.arrival = arrival;
        this.departure = departure;
        this.arrivals = arrivals;
        this.reserve = reserve;
    }

    /**
     * A closed gate.
     *
     * @throws ErrnoException EMFILE
     * @throws UncheckedIOException if no temporary folder can be made
     */
    static Gate make() {
        Path folder;
        try {
            folder = Files.createTempDirectory("holdfast-gate");
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make a folder for a FIFO", e);
        }
        List<Fd> made = new ArrayList<>();
        try (Fd dir = Fcntl.open(folder.toString(), Fcntl.O_RDONLY | Fcntl.O_DIRECTORY)) {
            made.add(fifo(dir, ARRIVAL));
            made.add(fifo(dir, DEPARTURE));
            made.add(reopen(made.getFirst(), Fcntl.O_RDONLY | Fcntl.O_NONBLOCK));
            made.add(made.getFirst().duplicate());
            return new Gate(made.get(0), made.get(1), made.get(2), made.get(3));
        } catch (RuntimeException e) {
            made.forEach(Fd::close);
            throw e;
        } finally {
            boolean ignored = folder.toFile().delete();
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
        return List.of(
                new PosixSpawn.Opening(arrival, Fcntl.O_WRONLY),
                new PosixSpawn.Opening(departure, Fcntl.O_RDONLY));
    }

    /** Waits for the child: false if it was {@link #giveUp given up}. */
    boolean awaitArrival() throws InterruptedException {
        try {
            int ignored = Readiness.await(arrivals, Readiness.IN);
            return true;
        } catch (IllegalStateException e) {
            return false;
        }
    }

    /** No child will come: the spawn has failed. Needs no descriptor, which may be why. */
    void giveUp() {
        arrivals.close();
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
    }

    /** After the spawn has returned. */
    @Override
    public void close() {
        if (passage != null) {
            passage.close();
        }
        reserve.close();
        arrivals.close();
        arrival.close();
        departure.close();
    }
}
