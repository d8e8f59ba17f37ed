package io.holdfast.core.socket;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

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
        String socket = System.getenv("NOTIFY_SOCKET");
        if (socket == null || socket.isEmpty()) {
            return false;
        }
        try (UnixSocket sender = UnixSocket.datagram()) {
            ByteBuffer message = ByteBuffer.wrap(assignments.getBytes(StandardCharsets.UTF_8));
            UnixAddress manager = UnixAddress.parse(socket);
            int sent = sender.trySendTo(manager, message, descriptors); // if interrupted, too
            if (sent == UnixSocket.WOULD_BLOCK) {
                int ignored = sender.sendTo(manager, message, descriptors);
            }
            return true;
        } catch (ErrnoException | IllegalArgumentException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
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
