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
import java.util.List;
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

    private final Fd arrival;
    private final Fd departure;
    private final Fd arrivals;
    private @Nullable Fd passage;

    Gate() {
        Path folder;
        try {
            folder = Files.createTempDirectory("holdfast-gate");
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make a folder for a FIFO", e);
        }
        try (Fd dir = Fcntl.open(folder.toString(), Fcntl.O_RDONLY | Fcntl.O_DIRECTORY)) {
            arrival = fifo(dir, ARRIVAL);
            departure = fifo(dir, DEPARTURE);
        } finally {
            boolean ignored = folder.toFile().delete();
        }
        arrivals = reopen(arrival, Fcntl.O_RDONLY | Fcntl.O_NONBLOCK);
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

    /** Waits for the child, or for {@link #giveUp}. */
    void awaitArrival() throws InterruptedException {
        int ignored = Readiness.await(arrivals, Readiness.IN);
    }

    /** No child will come any more. */
    void giveUp() {
        reopen(arrival, Fcntl.O_WRONLY | Fcntl.O_NONBLOCK).close();
    }

    /**
     * Lets the child go on, whether or not it has come to its open: from now on that does not
     * block.
     */
    void open() {
        passage = reopen(departure, Fcntl.O_RDWR | Fcntl.O_NONBLOCK);
    }

    /** After the spawn has returned. */
    @Override
    public void close() {
        if (passage != null) {
            passage.close();
        }
        arrivals.close();
        arrival.close();
        departure.close();
    }
}
