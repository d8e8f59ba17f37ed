package io.holdfast.bus.match;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.bus.account.Charge;
import io.holdfast.bus.policy.Party;
import io.holdfast.bus.policy.UniqueName;
import io.holdfast.dbus.marshal.HeaderField;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.wire.match.MatchRule;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One rule with its subscribers, prepared for comparison with bytes. Equal rules share one node.
 */
final class MatchNode {
    private static final byte[][] NO_ARGUMENTS = {};

    final MatchRule rule;

    /** The hash of the keys under which its table finds this rule. */
    int hash;

    /** The next in the same slot of that table. */
    @Nullable MatchNode next;

    /** What its subscribers have of it. */
    final List<Subscription> subscriptions = new ArrayList<>(1);

    private final byte @Nullable [] interfaceName;
    private final byte @Nullable [] member;
    private final byte @Nullable [] path;
    private final byte @Nullable [] pathNamespace;
    private final byte[][] arguments;
    private final boolean senderIsUnique;
    private final boolean destinationIsUnique;
    private final long senderId;
    private final long destinationId;

    /** A rule of one subscriber: one charge for each time that the subscriber has added it. */
    static final class Subscription {
        final MatchNode node;
        final Subscriber subscriber;
        final List<Charge> charges = new ArrayList<>(1);

        Subscription(MatchNode node, Subscriber subscriber) {
            this.node = node;
            this.subscriber = subscriber;
        }
    }

    MatchNode(MatchRule rule) {
        this.rule = rule;
        interfaceName = bytes(rule.interfaceName());
        member = bytes(rule.member());
        path = bytes(rule.path());
        pathNamespace = bytes(rule.pathNamespace());
        List<MatchRule.Argument> said = rule.arguments();
        arguments = said.isEmpty() ? NO_ARGUMENTS : new byte[said.size()][];
        for (int i = 0; i < said.size(); i++) {
            arguments[i] = said.get(i).value().getBytes(UTF_8);
        }
        String sender = rule.sender();
        senderIsUnique = sender != null && sender.startsWith(":");
        senderId = sender == null ? Party.NOBODY : UniqueName.number(sender);
        String destination = rule.destination();
        destinationIsUnique = destination != null && destination.startsWith(":");
        destinationId = destination == null ? Party.NOBODY : UniqueName.number(destination);
    }

    private static byte @Nullable [] bytes(@Nullable String text) {
        return text == null ? null : text.getBytes(UTF_8);
    }

    /**
     * Returns N of its sender's unique name; {@link Party#NOBODY} if that is no name of this bus.
     */
    long senderId() {
        return senderId;
    }

    boolean senderIsUnique() {
        return senderIsUnique;
    }

    /** Returns the value of the rule's nth argument test. */
    byte[] argument(int n) {
        return arguments[n];
    }

    /** Returns whether the rule matches the message. */
    boolean matches(MessageView message, Party sender, @Nullable Party receiver) {
        return matchesHeader(message)
                && (rule.sender() == null || isFrom(sender))
                && (rule.destination() == null || isTo(message, receiver))
                && argumentsMatch(message);
    }

    private boolean matchesHeader(MessageView message) {
        return (rule.type() == 0 || rule.type() == message.type())
                && equal(message, HeaderField.INTERFACE, interfaceName)
                && equal(message, HeaderField.MEMBER, member)
                && equal(message, HeaderField.PATH, path)
                && (pathNamespace == null
                        || within(
                                pathNamespace,
                                (byte) '/',
                                message,
                                message.offset(HeaderField.PATH),
                                message.length(HeaderField.PATH)));
    }

    private boolean isFrom(Party sender) {
        String name = rule.sender();
        return senderIsUnique ? senderId == sender.id() : name != null && sender.owns(name);
    }

    private boolean isTo(MessageView message, @Nullable Party receiver) {
        String name = rule.destination();
        if (name == null) {
            return true;
        }
        if (receiver != null
                && (destinationIsUnique ? destinationId == receiver.id() : receiver.owns(name))) {
            return true;
        }
        // The message was sent to a name that has no owner, or whose owner has lost it since.
        return name.equals(message.destination());
    }

    private static boolean equal(MessageView message, int field, byte @Nullable [] wanted) {
        return wanted == null || message.equalsText(field, wanted);
    }

    private boolean argumentsMatch(MessageView message) {
        if (arguments.length == 0) {
            return true;
        }
        List<MatchRule.Argument> said = rule.arguments();
        for (int i = 0; i < arguments.length; i++) {
            MatchRule.Argument argument = said.get(i);
            int n = argument.index();
            int kind = message.argKind(n);
            if (kind != 's' && (kind != 'o' || argument.test() != MatchRule.Test.PATH)) {
                return false;
            }
            int offset = message.argOffset(n);
            int length = message.argLength(n);
            byte[] wanted = arguments[i];
            boolean matches =
                    switch (argument.test()) {
                        case EQUAL -> message.equalsText(offset, length, wanted);
                        case NAMESPACE -> within(wanted, (byte) '.', message, offset, length);
                        case PATH -> isRelated(wanted, message, offset, length);
                    };
            if (!matches) {
                return false;
            }
        }
        return true;
    }

    /** Returns whether the text is the wanted one, or begins with it and the separator. */
    private static boolean within(
            byte[] wanted, byte separator, MessageView message, int offset, int length) {
        int n = wanted.length;
        if (offset < 0 || length < n || !message.equalsText(offset, n, wanted)) {
            return false;
        }
        return length == n
                || message.bytes().get(JAVA_BYTE, offset + (long) n) == separator
                || (n == 1 && wanted[0] == '/' && separator == '/');
    }

    /** Returns whether both are equal, or one of the two ends in "/" and begins the other. */
    private static boolean isRelated(byte[] wanted, MessageView message, int offset, int length) {
        int n = wanted.length;
        MemorySegment bytes = message.bytes();
        if (length >= n) {
            return (length == n || (n > 0 && wanted[n - 1] == '/'))
                    && message.equalsText(offset, n, wanted);
        }
        if (length == 0 || bytes.get(JAVA_BYTE, offset + length - 1L) != '/') {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (bytes.get(JAVA_BYTE, offset + (long) i) != wanted[i]) {
                return false;
            }
        }
        return true;
    }
}
