package io.holdfast.core.socket;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import io.holdfast.core.sys.Deadline;
import io.holdfast.core.sys.Unistd;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reports the state of this service to the service manager that started it: {@code sd_notify(3)}.
 * Does nothing without a manager ({@code $NOTIFY_SOCKET} is not set), or if it no longer listens.
 * Safe for use by any thread.
 */
public final class Notify {
    private static final long NANOS_A_MICROSECOND = 1_000;

    private Notify() {}

    /**
     * Sends assignments, one on each line, such as {@code READY=1} or {@code STATUS=…}.
     *
     * @param assignments the assignments
     * @return whether they were sent to a manager
     */
    public static boolean send(String assignments) {
        return send(assignments, List.of());
    }

    /**
     * Sends assignments with descriptors, such as those of {@code FDSTORE=1}, which the manager
     * keeps in the descriptor store for the next start of this service.
     *
     * @param assignments the assignments
     * @param descriptors the descriptors, lent
     * @return whether they were sent to a manager
     */
    public static boolean send(String assignments, List<Fd> descriptors) {
        try {
            return new Message(socket(), assignments, descriptors).send(Deadline.NEVER);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** A message to the manager, which waits while the queue of the manager is full. */
    private record Message(@Nullable String socket, String assignments, List<Fd> descriptors) {
        private static final Duration PAUSE = Duration.ofMillis(5);

        /**
         * Sends it, also on an interrupted thread if there is room; returns false without a
         * manager, or when the time is over.
         */
        boolean send(Deadline deadline) throws InterruptedException {
            int result = result();
            while (result == UnixSocket.WOULD_BLOCK && !deadline.isOver()) {
                // the receiver's queue has no event for an unconnected sender
                Duration left = deadline.left();
                Thread.sleep(left.compareTo(PAUSE) < 0 ? left : PAUSE);
                result = result();
            }
            return result > 0;
        }

        /** Returns the bytes sent, WOULD_BLOCK, or 0 without a manager. */
        private int result() {
            if (socket == null || socket.isEmpty()) {
                return 0;
            }
            try (UnixSocket sender = UnixSocket.datagram()) {
                ByteBuffer bytes = ByteBuffer.wrap(assignments.getBytes(StandardCharsets.UTF_8));
                return sender.trySendTo(UnixAddress.parse(socket), bytes, descriptors);
            } catch (ErrnoException | IllegalArgumentException e) {
                return 0;
            }
        }
    }

    private static @Nullable String socket() {
        return System.getenv("NOTIFY_SOCKET");
    }

    /**
     * Reports {@code READY=1}, and waits until the manager has processed it and all messages before
     * it.
     *
     * @param limit the time limit
     * @return false without a manager, or when the time is over
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public static boolean ready(Duration limit) throws InterruptedException {
        return ready(socket(), limit);
    }

    static boolean ready(@Nullable String socket, Duration limit) throws InterruptedException {
        Deadline deadline = Deadline.after(limit);
        return new Message(socket, "READY=1", List.of()).send(deadline)
                && barrier(socket, deadline);
    }

    /**
     * Waits until the manager has processed all messages that were sent before ({@code BARRIER=1},
     * sd_notify_barrier(3)): a process that ends at once afterwards can then still be attributed to
     * its service.
     *
     * @param limit the time limit
     * @return false without a manager, or when the time is over
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public static boolean barrier(Duration limit) throws InterruptedException {
        return barrier(socket(), Deadline.after(limit));
    }

    static boolean barrier(@Nullable String socket, Deadline deadline) throws InterruptedException {
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd read = pipe[0]) {
            try (Fd write = pipe[1]) {
                if (!new Message(socket, "BARRIER=1", List.of(write)).send(deadline)) {
                    return false;
                }
            }
            // the manager closes the other end; a manager that writes to it does not count
            return (Readiness.await(read, Readiness.NONE, deadline.left()) & Readiness.HUP) != 0;
        }
    }

    /**
     * Reports another main process of this service ({@code MAINPID=}), with its pidfs id where the
     * kernel has one ({@code MAINPIDFDID=}), by which the manager recognizes a recycled PID.
     *
     * @param process the process, lent; of this service
     * @return whether it was sent to a manager
     * @throws ErrnoException ESRCH if the process was reaped
     */
    public static boolean mainProcess(PidFd process) {
        return send(assignmentsFor(process));
    }

    static String assignmentsFor(PidFd process) {
        ProcessId id = process.processId();
        return "MAINPID="
                + id.pid()
                + (id.pidfdId().isEmpty()
                        ? ""
                        : "\nMAINPIDFDID=" + Long.toUnsignedString(id.pidfdId().getAsLong()));
    }

    /**
     * Returns the time within which the manager expects the next {@code WATCHDOG=1}
     * (sd_watchdog_enabled(3)): send it about every half of that time.
     *
     * <pre>{@code
     * Notify.watchdogInterval().ifPresent(time -> timer.scheduleAtFixedRate(
     *         () -> Notify.send("WATCHDOG=1"), 0, time.toNanos() / 2, NANOSECONDS));
     * }</pre>
     *
     * @return the time; empty if the manager does not watch this process
     * @throws IllegalStateException if {@code WATCHDOG_USEC} is not a positive number
     */
    public static Optional<Duration> watchdogInterval() {
        return watchdogInterval(System.getenv());
    }

    static Optional<Duration> watchdogInterval(Map<String, String> environment) {
        String micros = environment.get("WATCHDOG_USEC");
        String pid = environment.get("WATCHDOG_PID");
        if (micros == null || (pid != null && !pid.equals(Integer.toString(Unistd.getpid())))) {
            return Optional.empty();
        }
        if (!micros.matches("[0-9]{1,18}") || Long.parseLong(micros) == 0) {
            throw new IllegalStateException(
                    "WATCHDOG_USEC=" + micros + " is not a positive number of microseconds");
        }
        return Optional.of(Duration.of(Long.parseLong(micros), ChronoUnit.MICROS));
    }

    /**
     * Reports that a reload has begun, with the time that {@code Type=notify-reload} requires;
     * {@code READY=1} ends it.
     *
     * @return whether it was sent to a manager
     */
    public static boolean reloading() {
        long now = System.nanoTime() / NANOS_A_MICROSECOND; // CLOCK_MONOTONIC
        return send("RELOADING=1\nMONOTONIC_USEC=" + now);
    }
}
