package io.holdfast.bus.policy;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.bus.config.PolicyRule;
import io.holdfast.bus.config.PolicyRule.MessageTest;
import io.holdfast.dbus.marshal.HeaderField;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.wire.MessageType;
import org.jspecify.annotations.Nullable;

/** One rule about messages, prepared for comparison with bytes. */
final class MessageRule {
    final PolicyRule rule;
    final MessageTest test;

    /** Its position in the order: a later rule overrules an earlier one. */
    final int position;

    /** N of the unique name {@code :1.G.N} that it names. */
    final long peerId;

    final boolean peerIsUnique;
    final byte @Nullable [] interfaceName;
    final byte @Nullable [] member;
    private final byte @Nullable [] path;
    private final byte @Nullable [] error;

    MessageRule(PolicyRule rule, MessageTest test, int position) {
        this.rule = rule;
        this.test = test;
        this.position = position;
        String peer = test.peer();
        peerIsUnique = peer != null && peer.startsWith(":");
        peerId = peer == null ? Party.NOBODY : UniqueName.number(peer);
        interfaceName = bytes(test.interfaceName());
        member = bytes(test.member());
        path = bytes(test.path());
        error = bytes(test.error());
    }

    private static byte @Nullable [] bytes(@Nullable String text) {
        return text == null ? null : text.getBytes(UTF_8);
    }

    /** Returns whether it can match any message of a type that has or lacks an interface. */
    boolean isAbout(int type, boolean hasInterface) {
        boolean broadcast = test.broadcast() != null && test.broadcast();
        return (test.type() == 0 || test.type() == type)
                && (!broadcast || type == MessageType.SIGNAL)
                // An allow rule for an interface must not let a message without interface pass.
                && (interfaceName == null || hasInterface || !rule.allow());
    }

    /** Returns whether the other side has the name that this rule names. */
    boolean concerns(@Nullable String name, Party other) {
        String peer = test.peer();
        if (peer == null) {
            return true;
        }
        if (peerIsUnique) {
            return peerId == other.id();
        }
        if (name == null || !name.startsWith(peer)) {
            return false;
        }
        return name.length() == peer.length()
                || (test.peerIsPrefix() && name.charAt(peer.length()) == '.');
    }

    /** Returns whether everything else in the rule matches the message. An absent field matches. */
    boolean matches(MessageView message, boolean requested, boolean eavesdropping) {
        boolean allow = rule.allow();
        if (message.replySerial() != 0) {
            if (allow
                    ? test.requestedReply() && !requested && !test.eavesdrop()
                    : requested && !test.requestedReply()) {
                return false;
            }
        }
        if (!test.send()
                && (allow
                        ? eavesdropping && !test.eavesdrop()
                        : test.eavesdrop() && !eavesdropping)) {
            return false;
        }
        if (test.broadcast() != null) {
            boolean broadcast =
                    message.type() == MessageType.SIGNAL && !message.has(HeaderField.DESTINATION);
            if (test.broadcast() != broadcast) {
                return false;
            }
        }
        int fds = message.unixFds();
        return fds >= test.minFds()
                && fds <= test.maxFds()
                && fits(message, HeaderField.INTERFACE, interfaceName)
                && fits(message, HeaderField.MEMBER, member)
                && fits(message, HeaderField.PATH, path)
                && fits(message, HeaderField.ERROR_NAME, error);
    }

    private static boolean fits(MessageView message, int field, byte @Nullable [] wanted) {
        return wanted == null || !message.has(field) || message.equalsText(field, wanted);
    }
}
