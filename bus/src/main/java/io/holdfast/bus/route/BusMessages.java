package io.holdfast.bus.route;

import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.EndReason;
import io.holdfast.bus.account.Quota.Share;
import io.holdfast.bus.connection.Charges;
import io.holdfast.bus.connection.Connection;
import io.holdfast.bus.connection.Container;
import io.holdfast.bus.connection.Policies;
import io.holdfast.bus.connection.RefusalLog;
import io.holdfast.bus.match.MatchIndex;
import io.holdfast.bus.policy.Party;
import io.holdfast.bus.relay.PassedFds;
import io.holdfast.dbus.BusNames;
import io.holdfast.dbus.marshal.BodyWriter;
import io.holdfast.dbus.marshal.HeaderField;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.marshal.MessageWriter;
import io.holdfast.dbus.wire.MessageFlags;
import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.Signature;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Sends the bus's own messages: replies, errors, and the signals about names. */
public final class BusMessages {
    /** The name of the service manager. */
    public static final String MANAGER = "org.freedesktop.systemd1";

    /** The interface of its signals about starts. */
    public static final String ACTIVATOR = "org.freedesktop.systemd1.Activator";

    private static final byte[] BUS = BusNames.BUS.getBytes(StandardCharsets.US_ASCII);
    private static final Signature OBJECT_PATH = Signature.of("o");
    private static final Signature STRING = Signature.of("s");
    private static final Signature STRINGS = Signature.of("as");
    private static final Signature THREE_STRINGS = Signature.of("sss");
    private static final int MAX_ERROR_TEXT = 2_048;

    private final Charges charges;
    private final Policies policies;
    private final MatchIndex<Connection> matches;
    private final Monitors monitors;
    private final RefusalLog log;
    private final MessageWriter writer = new MessageWriter();
    private final MessageView own = new MessageView();
    private int serial;

    public BusMessages(
            Charges charges,
            Policies policies,
            MatchIndex<Connection> matches,
            Monitors monitors,
            RefusalLog log) {
        this.charges = charges;
        this.policies = policies;
        this.matches = matches;
        this.monitors = monitors;
        this.log = log;
    }

    /** Returns whether a message is addressed to the bus. */
    public static boolean isBus(MessageView view) {
        return view.equalsText(HeaderField.DESTINATION, BUS);
    }

    /**
     * Logs a refusal. Only the sender of a call that expects a reply receives the error; monitors
     * see it in any case.
     */
    public void refuse(Connection from, MessageView view, BusError error, String why) {
        charges.quota().refused(from.account(), error);
        log.refused(from, view, error, why);
        if (view.type() == MessageType.METHOD_CALL
                && (view.flags() & MessageFlags.NO_REPLY_EXPECTED) == 0) {
            error(from, view.serial(), error, why);
        } else {
            showError(from, view.serial(), error.wireName(), why);
        }
    }

    /** Sends an error to a caller. */
    public void error(Connection to, int replySerial, BusError error, String text) {
        error(to, replySerial, error.wireName(), text);
    }

    /** Sends an error to a caller, with an error name that need not be one of the bus. */
    public void error(Connection to, int replySerial, String errorName, String text) {
        writer.error(errorName, replySerial);
        address(to).body(STRING).putString(cut(text)).end();
        send(to, null);
    }

    /**
     * Shows monitors the error of a message whose sender does not receive it: of a signal, or of a
     * call that expects no reply.
     *
     * @param to the sender of the message; null for the bus itself
     */
    public void showError(@Nullable Connection to, int replySerial, String errorName, String text) {
        if (!monitors.any()) {
            return;
        }
        writer.error(errorName, replySerial)
                .flags(MessageFlags.NO_REPLY_EXPECTED)
                .sender(BUS)
                .destination(to == null ? BusNames.BUS : to.name())
                .body(STRING)
                .putString(cut(text))
                .end();
        MemorySegment _ = finish();
        monitors.seenOfBus(to, own, null);
    }

    /** Returns the beginning of a text, never with half of a surrogate pair at its end. */
    private static String cut(String text) {
        if (text.length() <= MAX_ERROR_TEXT) {
            return text;
        }
        boolean splits = Character.isHighSurrogate(text.charAt(MAX_ERROR_TEXT - 1));
        return text.substring(0, splits ? MAX_ERROR_TEXT - 1 : MAX_ERROR_TEXT);
    }

    /** Sends the reply to a call, unless none is expected. */
    public void reply(
            Connection to,
            MessageView call,
            Signature signature,
            @Nullable PassedFds fds,
            Consumer<BodyWriter> body) {
        if ((call.flags() & MessageFlags.NO_REPLY_EXPECTED) == 0) {
            reply(to, call.serial(), signature, fds, body);
        }
    }

    /**
     * Sends the reply to a call with a serial. If its body does not fit into a message, sends an
     * error instead.
     */
    public void reply(
            Connection to,
            int replySerial,
            Signature signature,
            @Nullable PassedFds fds,
            Consumer<BodyWriter> body) {
        writer.methodReturn(replySerial);
        address(to);
        if (fds != null) {
            writer.unixFds(fds.size());
        }
        if (!signature.toString().isEmpty()) {
            BodyWriter into = writer.body(signature);
            try {
                body.accept(into);
            } catch (IllegalArgumentException e) {
                error(
                        to,
                        replySerial,
                        BusError.LIMITS_EXCEEDED,
                        "the reply does not fit into a message: " + e.getMessage());
                return;
            }
            into.end();
        }
        send(to, fds);
    }

    private MessageWriter address(Connection to) {
        writer.flags(MessageFlags.NO_REPLY_EXPECTED).sender(BUS);
        return to.name().isEmpty() ? writer : writer.destination(to.name());
    }

    public void nameAcquired(Connection by, String name) {
        aboutName(by, "NameAcquired", name);
    }

    public void nameLost(Connection by, String name) {
        aboutName(by, "NameLost", name);
    }

    private void aboutName(Connection to, String signal, String name) {
        writer.signal(BusNames.BUS_PATH, BusNames.BUS, signal);
        address(to).body(STRING).putString(name).end();
        send(to, null);
    }

    /**
     * Requests a unit from the service manager.
     *
     * @param manager null while there is none: only monitors see the request
     * @param isFirst whether monitors have not seen the request yet
     */
    public void activationRequest(@Nullable Connection manager, String unit, boolean isFirst) {
        writer.signal(BusNames.BUS_PATH, ACTIVATOR, "ActivationRequest");
        toManager(MANAGER).body(STRING).putString(unit).end();
        MemorySegment bytes = finish();
        if (isFirst) {
            monitors.seenOfBus(manager, own, null);
        }
        if (manager != null) {
            handIfAllowed(manager, bytes, null);
        }
    }

    /**
     * Sets variables in the environment of units, by a call to the service manager.
     *
     * @param destination its unique or well-known name
     */
    public void setEnvironment(
            Connection manager, String destination, Map<String, String> variables) {
        writer.methodCall(
                "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "SetEnvironment");
        BodyWriter body = toManager(destination).body(STRINGS).beginArray();
        variables.forEach((name, value) -> body.putString(name + "=" + value));
        body.endArray().end();
        send(manager, null);
    }

    private MessageWriter toManager(String destination) {
        return writer.flags(MessageFlags.NO_REPLY_EXPECTED).sender(BUS).destination(destination);
    }

    /** Broadcasts that a name has another owner. */
    public void nameOwnerChanged(String name, String from, String to) {
        writer.signal(BusNames.BUS_PATH, BusNames.BUS, "NameOwnerChanged")
                .flags(MessageFlags.NO_REPLY_EXPECTED)
                .sender(BUS)
                .body(THREE_STRINGS)
                .putString(name)
                .putString(from)
                .putString(to)
                .end();
        broadcast();
    }

    /** Broadcasts that the activatable names may have changed. */
    public void activatableServicesChanged() {
        writer.signal(BusNames.BUS_PATH, BusNames.BUS, "ActivatableServicesChanged")
                .flags(MessageFlags.NO_REPLY_EXPECTED)
                .sender(BUS);
        broadcast();
    }

    /** Broadcasts that a container is gone. */
    public void instanceRemoved(String path) {
        writer.signal(BusNames.BUS_PATH, Container.INTERFACE, "InstanceRemoved")
                .flags(MessageFlags.NO_REPLY_EXPECTED)
                .sender(BUS)
                .body(OBJECT_PATH)
                .putObjectPath(path)
                .end();
        broadcast();
    }

    private void broadcast() {
        MemorySegment bytes = finish();
        monitors.seenOfBus(null, own, null);
        int n = matches.find(own, Party.bus(), null);
        for (int i = 0; i < n; i++) {
            Connection to = matches.found(i);
            if (policies.passesFromBus(to, own)) {
                hand(to, bytes, null);
            }
        }
    }

    private void send(Connection to, @Nullable PassedFds fds) {
        MemorySegment bytes = finish();
        monitors.seenOfBus(to, own, fds);
        handIfAllowed(to, bytes, fds);
    }

    private void handIfAllowed(Connection to, MemorySegment bytes, @Nullable PassedFds fds) {
        if (!to.isRegistered() || policies.passesFromBus(to, own)) {
            hand(to, bytes, fds);
        } else {
            showError(
                    null,
                    serial,
                    BusError.ACCESS_DENIED.wireName(),
                    "the policy does not let " + to.name() + " receive this");
        }
    }

    public int lastSerial() {
        return serial;
    }

    private MemorySegment finish() {
        serial = serial == -1 ? 1 : serial + 1;
        MemorySegment bytes = writer.serial(serial).finish();
        own.read(bytes, 0, (int) bytes.byteSize());
        return bytes;
    }

    private void hand(Connection to, MemorySegment bytes, @Nullable PassedFds fds) {
        int length = (int) bytes.byteSize();
        Share share = charges.queue(to, to.account(), length, fds);
        if (share == null) {
            to.markForRemoval(
                    EndReason.LIMIT, "does not read the messages of the bus: " + charges.refusal());
        } else {
            to.send(share, bytes, 0, length, fds);
        }
    }
}
