package io.holdfast.dbus;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.marshal.ReceivedMessage;
import io.holdfast.dbus.stream.Outgoing;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageFlags;
import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.dbus.wire.match.MatchRule;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The subscriptions of one connection. The bus matches the rules as well, but a signal that it
 * sends does not say which rule it matched. The reader thread delivers the signals, in the order of
 * all messages; any thread may subscribe.
 */
final class Subscriptions {
    private final List<Subscription> all = new CopyOnWriteArrayList<>();
    private final BusConnection connection;
    private final Link link;
    private final boolean isBus;
    private final int queuedSignals;

    Subscriptions(BusConnection connection, Link link, boolean isBus, int queuedSignals) {
        this.connection = connection;
        this.link = link;
        this.isBus = isBus;
        this.queuedSignals = queuedSignals;
    }

    /**
     * Subscribes to the signals that match a rule, and adds the rule at the bus.
     *
     * @param receiver takes the signals, owned, instead of the subscription's queue; null for none
     */
    Subscription open(MatchRule rule, @Nullable Consumer<Message> receiver)
            throws InterruptedException {
        Subscription subscription =
                new Subscription(rule, queuedSignals, this::unsubscribe, receiver);
        all.add(subscription);
        try {
            link.requireOpen();
            if (isBus) {
                addMatch(subscription, rule);
                String sender = rule.sender();
                if (sender != null && subscription.followsName()) {
                    addMatch(subscription, changesOf(sender));
                    subscription.initialOwner(connection.owner(sender).orElse(""));
                }
            }
            return subscription;
        } catch (RuntimeException | InterruptedException e) {
            subscription.close();
            throw e;
        }
    }

    private void addMatch(Subscription subscription, MatchRule rule) throws InterruptedException {
        subscription.rulesAtBus.incrementAndGet();
        try {
            connection.bus().call(BusNames.BUS, "AddMatch", "s", rule.toString());
        } catch (DBusException e) {
            // after a timeout the bus may still add it
            if (!e.name().equals(DBusException.TIMEOUT)) {
                subscription.rulesAtBus.decrementAndGet();
            }
            throw e;
        }
    }

    private void unsubscribe(Subscription subscription) {
        all.remove(subscription);
        // Remove only as many as were added: other subscriptions of ours may have the same rules.
        int added = subscription.rulesAtBus.getAndSet(0);
        if (added > 0 && link.isOpen()) {
            removeMatch(subscription.matchRule());
            String sender = subscription.matchRule().sender();
            if (added > 1 && sender != null) {
                removeMatch(changesOf(sender));
            }
        }
    }

    private void removeMatch(MatchRule rule) {
        link.offer(
                BusConnection.driverCall(
                        "RemoveMatch", MessageFlags.NO_REPLY_EXPECTED, rule.toString()));
    }

    void failAll(ConnectionLostException why) {
        all.forEach(s -> s.fail(why));
    }

    /**
     * Delivers a signal to all subscriptions that it matches.
     *
     * @param descriptors the descriptors of the signal, owned; each subscription gets duplicates
     */
    void deliver(MessageView view, List<Fd> descriptors) {
        Message signal = ReceivedMessage.of(view);
        List<Object> values = signal.values();
        try {
            followOwner(signal, values);
            for (Subscription subscription : all) {
                if (matches(subscription, signal, values)) {
                    put(subscription, view, signal, descriptors);
                }
            }
        } finally {
            descriptors.forEach(Fd::close);
        }
    }

    private static void put(
            Subscription subscription, MessageView view, Message signal, List<Fd> descriptors) {
        if (descriptors.isEmpty()) {
            subscription.put(signal);
            return;
        }
        try {
            subscription.put(ReceivedMessage.of(view, Outgoing.duplicates(descriptors)));
        } catch (ErrnoException e) { // EMFILE or ENFILE
            subscription.countLost();
        }
    }

    private void followOwner(Message signal, List<Object> values) {
        if (BusNames.BUS.equals(signal.sender())
                && BusNames.BUS.equals(signal.interfaceName())
                && "NameOwnerChanged".equals(signal.member())
                && signal.signature().toString().equals("sss")) {
            for (Subscription subscription : all) {
                if (subscription.followsName()
                        && values.get(0).equals(subscription.matchRule().sender())) {
                    subscription.ownerChanged((String) values.get(2));
                }
            }
        }
    }

    private static boolean matches(Subscription subscription, Message signal, List<Object> values) {
        MatchRule rule = subscription.matchRule();
        return (rule.type() == 0 || rule.type() == signal.type())
                && isOrAny(rule.destination(), signal.destination())
                && isOrAny(rule.interfaceName(), signal.interfaceName())
                && isOrAny(rule.member(), signal.member())
                && isOrAny(rule.path(), signal.path())
                && isBelow(rule.pathNamespace(), signal.path())
                && subscription.isFrom(signal.sender())
                && rule.arguments().stream()
                        .allMatch(a ->
                                a.index() < values.size() && isArgument(a, values.get(a.index())));
    }

    private static boolean isOrAny(@Nullable String wanted, @Nullable String value) {
        return wanted == null || wanted.equals(value);
    }

    private static boolean isBelow(@Nullable String namespace, @Nullable String path) {
        if (namespace == null) {
            return true;
        }
        return path != null
                && (path.equals(namespace)
                        || namespace.equals("/")
                        || path.startsWith(namespace + "/"));
    }

    private static boolean isArgument(MatchRule.Argument wanted, Object value) {
        String want = wanted.value();
        return switch (wanted.test()) {
            case EQUAL -> want.equals(value);
            case NAMESPACE ->
                    value instanceof String text
                            && (text.equals(want) || text.startsWith(want + "."));
            case PATH -> {
                String text =
                        switch (value) {
                            case String s -> s;
                            case ObjectPath(String p) -> p;
                            default -> null;
                        };
                yield text != null
                        && (text.equals(want)
                                || (want.endsWith("/") && text.startsWith(want))
                                || (text.endsWith("/") && want.startsWith(text)));
            }
        };
    }

    /** Returns the rule for the changes of a name's owner. */
    static MatchRule changesOf(String name) {
        return MatchRule.builder()
                .type(MessageType.SIGNAL)
                .sender(BusNames.BUS)
                .path(BusNames.BUS_PATH)
                .interfaceName(BusNames.BUS)
                .member("NameOwnerChanged")
                .argument(0, name)
                .build();
    }
}
