package io.holdfast.cli.up;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.manager.log.ManagerListener.Level;
import io.holdfast.manager.unit.UnitName;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * Sends the messages of a manager to the receiver, as messages about their units: {@code journalctl
 * -u} and {@code holdfast logs} show them among the unit's own.
 *
 * <p>Messages wait until the receiver runs, or until an error starts it: so an idle manager has no
 * receiver. The manager never waits for the receiver, whose socket has room for few messages
 * ({@code net.unix.max_dgram_qlen}) while it starts: messages for which there is none are sent
 * later by another thread. Beyond {@link #HELD} of them the oldest are dropped and counted. The
 * socket stays open as long as the process. Thread-safe.
 */
public final class EventJournal {
    /** The identifier of the manager's messages. */
    static final String IDENTIFIER = "holdfast";

    private static final int HELD = 256; // messages
    private static final long FIRST_PAUSE = 10; // milliseconds until the next attempt
    private static final long LONGEST_PAUSE = 1000;

    private final UnixAddress receiver;
    private final List<String> unitFields;
    private final String invocationField;
    private final UnixSocket socket = UnixSocket.datagram();

    @GuardedBy("this")
    private final Deque<byte[]> held = new ArrayDeque<>();

    @GuardedBy("this")
    private boolean isReceived;

    @GuardedBy("this")
    private boolean isSentLater;

    @GuardedBy("this")
    private long dropped;

    /**
     * @param path of the receiver's socket for native messages
     * @param user whether the units are those of a user's manager
     */
    EventJournal(Path path, boolean user) {
        receiver = new UnixAddress.PathName(path.toString());
        unitFields = // journalctl(1) looks for the first of PID 1 only, and for the second of root
                user
                        ? List.of("USER_UNIT=", "OBJECT_SYSTEMD_USER_UNIT=")
                        : List.of("UNIT=", "OBJECT_SYSTEMD_UNIT=");
        invocationField = user ? "USER_INVOCATION_ID=" : "INVOCATION_ID=";
    }

    /**
     * Sends a message about a unit, or about the manager itself.
     *
     * @param invocation the id of the unit's run; may be empty
     */
    synchronized void send(Optional<UnitName> unit, String invocation, Level level, String text) {
        if (held.size() == HELD) {
            held.removeFirst();
            dropped++;
        }
        held.addLast(message(unit, invocation, level, text));
        if (level == Level.ERROR || isReceived) {
            sendNow();
        }
    }

    /** Sends what waits, because the receiver is being started. */
    synchronized void received() {
        isReceived = true;
        sendNow();
    }

    @GuardedBy("this")
    private void sendNow() {
        if (!sendHeld() && !isSentLater) {
            isSentLater = true;
            Thread _ = Thread.ofVirtual().name("holdfast-events").start(this::sendLater);
        }
    }

    private void sendLater() {
        try {
            for (long pause = FIRST_PAUSE; pause > 0; pause = pauseBehind(pause)) {
                Thread.sleep(pause);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Sends what there is room for; returns the next pause, or 0 if nothing is left. */
    private synchronized long pauseBehind(long pause) {
        int before = held.size();
        isSentLater = !sendHeld();
        if (!isSentLater) {
            return 0;
        }
        return held.size() < before ? FIRST_PAUSE : Math.min(2 * pause, LONGEST_PAUSE);
    }

    /** Sends as much as there is room for; returns false if more would find room later. */
    @GuardedBy("this")
    private boolean sendHeld() {
        while (!held.isEmpty()) {
            try {
                if (!areDroppedCounted() || !isTaken(held.getFirst())) {
                    return false;
                }
            } catch (ErrnoException e) {
                if (e.errno() == Errno.ENOENT || e.errno() == Errno.ECONNREFUSED) {
                    return true; // it does not listen yet, or not any more
                }
            }
            held.removeFirst();
        }
        return true;
    }

    /** Sends how many messages were dropped, if any were; they were older than those that wait. */
    @GuardedBy("this")
    private boolean areDroppedCounted() {
        String text = dropped + " messages of the manager were dropped: the receiver took none";
        if (dropped > 0 && !isTaken(message(Optional.empty(), "", Level.WARNING, text))) {
            return false;
        }
        dropped = 0;
        return true;
    }

    private boolean isTaken(byte[] message) {
        return socket.trySendTo(receiver, ByteBuffer.wrap(message), List.of())
                != UnixSocket.WOULD_BLOCK;
    }

    private byte[] message(Optional<UnitName> unit, String invocation, Level level, String text) {
        ByteArrayOutputStream message = new ByteArrayOutputStream();
        line(message, "SYSLOG_IDENTIFIER=" + IDENTIFIER);
        line(message, "PRIORITY=" + level.priority());
        unit.ifPresent(name -> unitFields.forEach(field -> line(message, field + name)));
        if (!invocation.isEmpty()) {
            line(message, invocationField + invocation);
        }
        byte[] bytes = text.getBytes(UTF_8);
        line(message, "MESSAGE");
        message.writeBytes(
                ByteBuffer.allocate(Long.BYTES)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(bytes.length)
                        .array());
        message.writeBytes(bytes);
        message.write('\n');
        return message.toByteArray();
    }

    private static void line(ByteArrayOutputStream message, String text) {
        message.writeBytes(text.getBytes(UTF_8));
        message.write('\n');
    }
}
