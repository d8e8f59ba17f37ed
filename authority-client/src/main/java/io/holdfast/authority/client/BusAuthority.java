package io.holdfast.authority.client;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.PolkitSubject;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.Struct;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The authority {@code org.freedesktop.PolicyKit1} on a bus; checks name the subject by pidfd and
 * user only.
 */
final class BusAuthority extends RemoteAuthority {
    private static final Duration REPLY_TIMEOUT = Duration.ofSeconds(25);
    private static final Duration DIALOG_TIMEOUT = Duration.ofDays(1);

    private final List<BusAddress> addresses;
    private final ConnectionOptions options;
    private final ReentrantLock lock = new ReentrantLock();
    private final AtomicLong dialogs = new AtomicLong();

    @GuardedBy("lock")
    private @Nullable BusConnection connection;

    @GuardedBy("lock")
    private boolean closed;

    BusAuthority(List<BusAddress> addresses, ConnectionOptions options) {
        this.addresses = List.copyOf(addresses);
        this.options = options;
    }

    private BusConnection connection() throws InterruptedException {
        if (!lock.tryLock(REPLY_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new IllegalStateException("no connection to the bus within " + REPLY_TIMEOUT);
        }
        try {
            if (closed) {
                throw new IllegalStateException("closed");
            }
            BusConnection current = connection;
            if (current == null || !current.isOpen()) {
                current = BusConnection.connect(addresses, options);
                connection = current;
            }
            return current;
        } finally {
            lock.unlock();
        }
    }

    @Override
    Decision sendCheck(Check check) throws InterruptedException {
        boolean interactive = check.options().contains(Option.INTERACTIVE);
        int flags = (interactive ? 1 : 0) | (check.options().contains(Option.ALWAYS) ? 2 : 0);
        RemoteObject authority =
                connection()
                        .object(Authority.BUS_NAME, Authority.OBJECT_PATH)
                        .withTimeout(interactive ? DIALOG_TIMEOUT : REPLY_TIMEOUT);
        String cancellationId = interactive ? "dialog" + dialogs.incrementAndGet() : "";
        List<Object> reply;
        try {
            reply =
                    authority.call(
                            Authority.BUS_INTERFACE,
                            "CheckAuthorization",
                            "(sa{sv})sa{ss}us",
                            PolkitSubject.held(check.process(), check.uid()),
                            check.action(),
                            check.details(),
                            flags,
                            cancellationId);
        } catch (DBusException e) {
            return Decision.refused(String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            if (interactive) { // close the authentication dialog
                authority.callWithoutReply(
                        Authority.BUS_INTERFACE, "CancelCheckAuthorization", "s", cancellationId);
            }
            throw e;
        }
        return decision(reply);
    }

    private static Decision decision(List<Object> reply) {
        if (reply.size() == 1
                && reply.getFirst() instanceof Struct(List<Object> members)
                && members.size() == 3
                && members.get(0) instanceof Boolean authorized
                && members.get(1) instanceof Boolean challenge
                && members.get(2) instanceof Map<?, ?> details) {
            Map<String, String> strings = new LinkedHashMap<>();
            details.forEach((key, value) -> strings.put((String) key, (String) value));
            return new Decision(
                    authorized,
                    challenge && !authorized,
                    strings,
                    Optional.empty(),
                    Optional.empty());
        }
        return Decision.refused("invalid reply from the authority: " + reply);
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            if (connection != null) {
                connection.close();
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public String toString() {
        return Authority.BUS_NAME + " on " + addresses;
    }
}
