package io.holdfast.manager.access;

import io.holdfast.core.limit.Charge;
import io.holdfast.core.limit.FairShare;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.PolkitSubject;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.manager.loop.ManagerLimits;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.ObjLongConsumer;
import java.util.function.Supplier;

/**
 * Asks polkit's authority on a bus. The subject is the descriptor of the caller's process, never a
 * PID. A caller whose process is not held or is gone is refused; so is every caller while the
 * authority does not answer.
 *
 * @see <a
 *     href="https://www.freedesktop.org/software/polkit/docs/latest/eggdbus-interface-org.freedesktop.PolicyKit1.Authority.html">
 *     org.freedesktop.PolicyKit1.Authority</a>
 */
public final class AuthorityPermission implements Permission {
    private static final String AUTHORITY = "org.freedesktop.PolicyKit1";
    private static final String PATH = "/org/freedesktop/PolicyKit1/Authority";

    /** The end of polkit's error for an action that no policy file declares. */
    private static final String UNKNOWN = "is not registered";

    private static final String GONE = "its process has exited";
    private static final int ALLOW_USER_INTERACTION = 1;

    private final Supplier<Optional<BusConnection>> bus;
    private final ObjLongConsumer<String> log;
    private final Duration timeout;
    private final FairShare<Long> pending = FairShare.of(ManagerLimits.AUTHORIZATIONS);

    /**
     * Creates a permission with the default {@link ManagerLimits#AUTHORIZATION_TIMEOUT}.
     *
     * @param log receives each refusal: its reason in one line, and the user; called by any thread
     */
    public AuthorityPermission(Supplier<Optional<BusConnection>> bus, ObjLongConsumer<String> log) {
        this(bus, log, ManagerLimits.AUTHORIZATION_TIMEOUT.duration());
    }

    public AuthorityPermission(
            Supplier<Optional<BusConnection>> bus, ObjLongConsumer<String> log, Duration timeout) {
        this.bus = bus;
        this.log = log;
        this.timeout = timeout;
    }

    @Override
    public boolean isGranted(Peer peer, Question question) throws InterruptedException {
        if (Permission.isOwner(peer)) {
            return true;
        }
        Charge<Long> place = pending.charge(peer.uid(), 1);
        if (place == null) {
            throw new RejectedExecutionException(pending.refusal(peer.uid()));
        }
        try (place) {
            Optional<String> refusal = refusal(peer, question);
            refusal.ifPresent(why -> log.accept(line(peer, question, why), peer.uid()));
            return refusal.isEmpty();
        }
    }

    private static String line(Peer peer, Question question, String why) {
        String unit = question.details().getOrDefault("unit", "");
        String verb = question.details().getOrDefault("verb", "");
        return "user "
                + peer.uid()
                + ": "
                + question.action()
                + (verb.isEmpty() ? "" : " (" + verb + (unit.isEmpty() ? ")" : " " + unit + ")"))
                + " denied: "
                + why;
    }

    /** Returns why the caller is refused; empty if it is authorized. */
    private Optional<String> refusal(Peer peer, Question question) throws InterruptedException {
        if (!(peer instanceof Peer.Held held)) {
            return Optional.of("no pidfd of its process");
        }
        if (held.process().state() == PidFd.State.REAPED) {
            return Optional.of(GONE);
        }
        Optional<BusConnection> connection = bus.get();
        if (connection.isEmpty()) {
            return Optional.of("not connected to a bus with an authority");
        }
        try {
            return check(connection.get(), held, question);
        } catch (DBusException e) {
            String text = e.text().isEmpty() ? "" : ": " + e.text();
            return Optional.of("the authority does not answer: " + e.name() + text);
        } catch (ConnectionLostException e) {
            return Optional.of("the bus connection is lost: " + e.getMessage());
        }
    }

    private Optional<String> check(BusConnection bus, Peer.Held peer, Question question)
            throws InterruptedException {
        List<Object> reply = ask(bus, peer, question);
        if (reply.isEmpty() || !(reply.getFirst() instanceof Struct answer)) {
            return Optional.of("invalid reply from the authority");
        }
        if (!Boolean.TRUE.equals(answer.get(0))) {
            return Optional.of(
                    Boolean.TRUE.equals(answer.get(1))
                            ? "authentication required"
                            : "the authority does not allow it");
        }
        return peer.process().state() == PidFd.State.REAPED ? Optional.of(GONE) : Optional.empty();
    }

    private List<Object> ask(BusConnection bus, Peer.Held peer, Question question)
            throws InterruptedException {
        try {
            return ask(bus, peer, question, question.action());
        } catch (DBusException e) {
            if (question.general().isEmpty() || !e.text().endsWith(UNKNOWN)) {
                throw e;
            }
            return ask(bus, peer, question, question.general().get());
        }
    }

    private List<Object> ask(BusConnection bus, Peer.Held peer, Question question, String action)
            throws InterruptedException {
        return bus.object(AUTHORITY, PATH)
                .withTimeout(timeout)
                .call(
                        AUTHORITY + ".Authority",
                        "CheckAuthorization",
                        "(sa{sv})sa{ss}us",
                        PolkitSubject.held(peer.process(), peer.uid()),
                        action,
                        question.details(),
                        question.interactive() ? ALLOW_USER_INTERACTION : 0,
                        "");
    }
}
