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
 * receiver. They are sent without waiting; if the receiver's queue is full, they are lost. The
 * socket stays open as long as the process. Thread-safe.
 */
public final class EventJournal {
    /** The identifier of the manager's messages. */
    static final String IDENTIFIER = "holdfast";

    private static final int HELD = 256; // messages; the oldest are dropped

    private final UnixAddress receiver;
    private final List<String> unitFields;
    private final String invocationField;
    private final UnixSocket socket = UnixSocket.datagram();

    @GuardedBy("this")
    private final Deque<byte[]> held = new ArrayDeque<>();

    @GuardedBy("this")
    private boolean isReceived;

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
        }
        held.addLast(message(unit, invocation, level, text));
        if (level == Level.ERROR || isReceived) {
            sendHeld();
        }
    }

    /** Sends what waits, because the receiver is being started. */
    synchronized void received() {
        isReceived = true;
        sendHeld();
    }

    @GuardedBy("this")
    private void sendHeld() {
        while (!held.isEmpty()) {
            try {
                int _ = socket.trySendTo(receiver, ByteBuffer.wrap(held.getFirst()), List.of());
            } catch (ErrnoException e) {
                if (e.errno() == Errno.ENOENT || e.errno() == Errno.ECONNREFUSED) {
                    return; // it does not listen yet, or not any more
                }
            }
            held.removeFirst();
        }
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
