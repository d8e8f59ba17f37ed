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
    private final List<BusAddress> addresses;
    private final ConnectionOptions options;
    private final AtomicLong dialogs = new AtomicLong();

    /** Held while connecting, so that checks do not each make a connection. */
    private final ReentrantLock connecting = new ReentrantLock();

    /** Never held while waiting, so that close() need not wait for a connect. */
    private final Object lock = new Object();

    @GuardedBy("lock")
    private @Nullable BusConnection connection;

    @GuardedBy("lock")
    private boolean closed;

    BusAuthority(List<BusAddress> addresses, ConnectionOptions options, Duration timeout) {
        super(timeout);
        this.addresses = List.copyOf(addresses);
        if (this.addresses.isEmpty()) {
            throw new IllegalArgumentException("no address of a bus");
        }
        this.options = options;
    }

    private BusConnection connection(Check check) throws InterruptedException {
        if (!connecting.tryLock(check.timeLeft().toNanos(), TimeUnit.NANOSECONDS)) {
            throw new IllegalStateException("no connection to the bus in time");
        }
        try {
            BusConnection current = openConnection();
            return current == null ? connect(check.timeLeft()) : current;
        } finally {
            connecting.unlock();
        }
    }

    private @Nullable BusConnection openConnection() {
        synchronized (lock) {
            if (closed) {
                throw new IllegalStateException("closed");
            }
            return connection != null && connection.isOpen() ? connection : null;
        }
    }

    /** Connects; the addresses are tried one after the other, and share the time. */
    private BusConnection connect(Duration left) throws InterruptedException {
        Duration limit = left.dividedBy(addresses.size());
        Duration most = options.connectTimeout();
        BusConnection made =
                BusConnection.connect(
                        addresses,
                        options.withConnectTimeout(limit.compareTo(most) < 0 ? limit : most));
        synchronized (lock) {
            if (!closed) {
                connection = made;
                return made;
            }
        }
        made.close();
        throw new IllegalStateException("closed");
    }

    @Override
    Decision sendCheck(Check check) throws InterruptedException {
        boolean interactive = check.isInteractive();
        int flags = (interactive ? 1 : 0) | (check.options().contains(Option.ALWAYS) ? 2 : 0);
        RemoteObject authority =
                connection(check)
                        .object(Authority.BUS_NAME, Authority.OBJECT_PATH)
                        .withTimeout(check.answerTimeout());
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
        BusConnection last;
        synchronized (lock) {
            closed = true;
            last = connection;
        }
        if (last != null) {
            last.close();
        }
    }

    @Override
    public String toString() {
        return Authority.BUS_NAME + " on " + addresses;
    }
}
