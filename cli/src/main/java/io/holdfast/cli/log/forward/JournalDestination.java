package io.holdfast.cli.log.forward;

import io.holdfast.cli.command.ForwardLimits;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysMemfd;
import io.holdfast.journal.Entry;
import io.holdfast.journal.Field;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * The systemd-journald of this machine, which receives each message by its native protocol.
 *
 * <p>journald says about every message who has sent it: this process. So what our receiver has said
 * about the sender is about an object of the message ({@code OBJECT_SYSTEMD_UNIT=}), as {@code
 * journalctl -u} expects it of root. {@code OBJECT_PID=} is never sent: journald would look that
 * PID up, and it may be another process's by now.
 *
 * <p>journald and its readers believe root, and this process is root: so what a sender has claimed
 * about an object or, unless it was root, about a unit is left out.
 */
final class JournalDestination implements Destination {
    /**
     * A message of this user with this field was forwarded before: it is never sent to where it
     * came from.
     */
    private static final Field MARK = Field.of("HOLDFAST_FORWARDED", "1");

    private static final Field OF_RECEIVER = Field.of("_TRANSPORT", "driver");
    private static final String OBJECT = "OBJECT";

    /** Fields by which readers take a message of root for one of a unit. */
    private static final Set<String> CLAIMS =
            Set.of(
                    "UNIT",
                    "USER_UNIT",
                    "INVOCATION_ID",
                    "USER_INVOCATION_ID",
                    "COREDUMP_UNIT",
                    "COREDUMP_USER_UNIT");

    private static final Set<String> OF_JOURNALD =
            Set.of("_BOOT_ID", "_MACHINE_ID", "_HOSTNAME", "_RUNTIME_SCOPE", "_PID");

    private final UnixAddress.PathName address;
    private List<Entry> begun = List.of(); // the batch of the last attempt,
    private int taken; // and how many of its messages journald has taken

    /**
     * @param socket of journald: {@code /run/systemd/journal/socket}
     */
    JournalDestination(Path socket) {
        address = new UnixAddress.PathName(socket.toString());
    }

    @Override
    public Outcome send(List<Entry> batch) throws InterruptedException {
        try (UnixSocket socket = UnixSocket.connect(address, SocketType.DATAGRAM)) {
            if (!batch.equals(begun)) {
                begun = batch;
                taken = 0;
            }
            for (; taken < batch.size(); taken++) {
                Entry entry = batch.get(taken);
                if (!isForwarded(entry) && !isSent(socket, message(entry))) {
                    return new Retry(address + ": journald takes no message", Duration.ZERO);
                }
            }
            return new Delivered(0, "");
        } catch (ErrnoException e) {
            return new Retry(String.valueOf(e.getMessage()), Duration.ZERO);
        }
    }

    private static boolean isForwarded(Entry entry) {
        return entry.fields().contains(MARK) && isOf(entry, Long.toString(Unistd.geteuid()));
    }

    private static boolean isOf(Entry entry, String user) {
        return entry.text("_UID").filter(user::equals).isPresent();
    }

    private static boolean isClaim(Entry entry, String name) {
        return name.startsWith(OBJECT + "_")
                ? name.equals("OBJECT_PID") || !entry.fields().contains(OF_RECEIVER)
                : CLAIMS.contains(name) && !isOf(entry, "0");
    }

    /** A user gives the cgroups of the user's own manager any names. */
    private static boolean isNamedByUser(Entry entry, String name) {
        return name.startsWith("_SYSTEMD_USER_")
                && entry.text("_SYSTEMD_OWNER_UID").filter("0"::equals).isEmpty();
    }

    private static boolean isSent(UnixSocket socket, byte[] message) throws InterruptedException {
        long deadline = System.nanoTime() + ForwardLimits.ANSWER.duration().toNanos();
        while (System.nanoTime() < deadline) {
            if (isTaken(socket, message)) {
                return true;
            }
            Duration left = Duration.ofNanos(Math.max(1, deadline - System.nanoTime()));
            int _ = Readiness.await(socket.fd(), Readiness.OUT, left);
        }
        return false;
    }

    private static boolean isTaken(UnixSocket socket, byte[] message) {
        try {
            return socket.trySend(ByteBuffer.wrap(message)) != UnixSocket.WOULD_BLOCK;
        } catch (ErrnoException e) {
            if (e.errno() != Errno.EMSGSIZE) {
                throw e;
            }
        }
        try (Fd file = SysMemfd.makeExecutable("message")) { // journald wants it sealed
            for (int at = 0; at < message.length; ) {
                int written = Unistd.pwrite(file, message, at, message.length - at, at);
                at += ErrnoException.check(written, "pwrite", file);
            }
            ErrnoException.check(Fcntl.seal(file), "fcntl(F_ADD_SEALS)", file);
            return socket.trySend(ByteBuffer.allocate(0), List.of(file)) != UnixSocket.WOULD_BLOCK;
        }
    }

    private static byte[] message(Entry entry) {
        ByteArrayOutputStream message = new ByteArrayOutputStream();
        for (Field field : entry.fields()) {
            String name = field.name();
            if (!name.startsWith("_")) {
                if (isClaim(entry, name) || name.equals(MARK.name())) {
                    continue;
                }
                append(message, name, ForwardedText.bytes(field));
            } else if (!OF_JOURNALD.contains(name)
                    && !isNamedByUser(entry, name)
                    && name.length() + OBJECT.length() <= Field.MAX_NAME) {
                append(message, OBJECT + name, ForwardedText.bytes(field));
            }
        }
        replace(message, entry, "SYSLOG_PID", "_PID");
        replace(message, entry, "SYSLOG_IDENTIFIER", "_COMM");
        append(message, MARK.name(), MARK.value());
        return message.toByteArray();
    }

    /** Appends a field that journald would otherwise take from this process. */
    private static void replace(
            ByteArrayOutputStream message, Entry entry, String name, String trusted) {
        if (entry.field(name).isEmpty()) {
            entry.field(trusted).ifPresent(field -> append(message, name, field.value()));
        }
    }

    /** Appends a field with its length, since it may have any bytes. */
    private static void append(ByteArrayOutputStream message, String name, byte[] value) {
        message.writeBytes(name.getBytes(StandardCharsets.US_ASCII));
        message.write('\n');
        message.writeBytes(
                ByteBuffer.allocate(Long.BYTES)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(value.length)
                        .array());
        message.writeBytes(value);
        message.write('\n');
    }
}
