package io.holdfast.manager.systemd1;

import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.Permission;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Asks polkit's authority on a bus, with the descriptor of the caller's process: never with a
 * number. Who is not held, or is gone, may nothing; and where nobody answers nobody may.
 *
 * @see <a
 *     href="https://www.freedesktop.org/software/polkit/docs/latest/eggdbus-interface-org.freedesktop.PolicyKit1.Authority.html">
 *     org.freedesktop.PolicyKit1.Authority</a>
 */
final class AuthorityPermission implements Permission {
    private static final String AUTHORITY = "org.freedesktop.PolicyKit1";
    private static final String PATH = "/org/freedesktop/PolicyKit1/Authority";
    private static final int ALLOW_USER_INTERACTION = 1;

    /** How long an answer may take; a user may be asked meanwhile. */
    private static final Duration PATIENCE =
            Duration.ofSeconds(Integer.getInteger("io.holdfast.manager.askingSeconds", 120));

    private final Supplier<Optional<BusConnection>> bus;

    AuthorityPermission(Supplier<Optional<BusConnection>> bus) {
        this.bus = bus;
    }

    @Override
    public boolean isGranted(Peer peer, Question question) throws InterruptedException {
        if (Permission.isOwner(peer)) {
            return true;
        }
        Optional<BusConnection> connection = bus.get();
        if (connection.isEmpty()
                || !(peer instanceof Peer.Held held)
                || held.process().state() == PidFd.State.REAPED) {
            return false;
        }
        try {
            return ask(connection.get(), held, question);
        } catch (DBusException | ConnectionLostException e) {
            return false;
        }
    }

    private static boolean ask(BusConnection bus, Peer.Held peer, Question question)
            throws InterruptedException {
        Struct subject =
                Struct.of(
                        "unix-process",
                        Map.of(
                                "pidfd",
                                new Variant(Signature.of("h"), peer.process().fd()),
                                "uid",
                                Variant.of((int) peer.uid())));
        List<Object> reply =
                bus.object(AUTHORITY, PATH)
                        .withTimeout(PATIENCE)
                        .call(
                                AUTHORITY + ".Authority",
                                "CheckAuthorization",
                                "(sa{sv})sa{ss}us",
                                subject,
                                question.action(),
                                question.details(),
                                question.interactive() ? ALLOW_USER_INTERACTION : 0,
                                "");
        return !reply.isEmpty()
                && reply.getFirst() instanceof Struct answer
                && Boolean.TRUE.equals(answer.get(0))
                && peer.process().state() != PidFd.State.REAPED;
    }
}
