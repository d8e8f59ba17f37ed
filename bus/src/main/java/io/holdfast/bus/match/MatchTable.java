package io.holdfast.bus.match;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.holdfast.dbus.marshal.HeaderField;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.wire.match.MatchRule;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The rules with one set of keys, by the hash of these keys. */
final class MatchTable {
    static final int SENDER_ID = 1;
    static final int SENDER_NAME = 2;
    static final int INTERFACE = 4;
    static final int MEMBER = 8;
    static final int PATH = 16;
    static final int ARGUMENT = 32; // argument 0
    static final int PATH_NAMESPACE = 64;
    static final int ARGUMENT_NAMESPACE = 128;

    /** Needs one lookup for each level of a namespace. */
    static final int NAMESPACE = PATH_NAMESPACE | ARGUMENT_NAMESPACE;

    /**
     * Slots per rule: most are empty, so that a message that no rule matches rarely meets a rule
     * about something else.
     */
    private static final int SPARE = 4;

    final int keys;
    int size;
    private @Nullable MatchNode[] slots = new @Nullable MatchNode[8];

    MatchTable(int keys) {
        this.keys = keys;
    }

    /** Returns the keys that distinguish this rule best from others. */
    static int keysOf(MatchNode node) {
        MatchRule rule = node.rule;
        int keys = 0;
        if (rule.sender() != null) {
            keys |= node.senderIsUnique() ? SENDER_ID : SENDER_NAME;
        }
        keys |= rule.interfaceName() != null ? INTERFACE : 0;
        keys |= rule.member() != null ? MEMBER : 0;
        keys |= rule.path() != null ? PATH : 0;
        // Only one of the others: a namespace multiplies the lookups by the depth of a name.
        List<MatchRule.Argument> arguments = rule.arguments();
        if (!arguments.isEmpty() && arguments.getFirst().index() == 0) {
            switch (arguments.getFirst().test()) {
                case EQUAL -> {
                    return keys | ARGUMENT;
                }
                case NAMESPACE -> {
                    return keys | ARGUMENT_NAMESPACE;
                }
                case PATH -> {}
            }
        }
        return rule.pathNamespace() != null ? keys | PATH_NAMESPACE : keys;
    }

    /** Returns the hash under which a rule is found here: that of every message that it matches. */
    private int hashOf(MatchNode node) {
        MatchRule rule = node.rule;
        int hash = hash(keys, hash(rule.interfaceName()), hash(rule.member()), hash(rule.path()));
        if ((keys & ARGUMENT) != 0) {
            hash = mix(hash, MessageView.hash(node.argument(0)));
        }
        if ((keys & SENDER_ID) != 0) {
            hash = mix(hash, Long.hashCode(node.senderId()));
        }
        String sender = rule.sender();
        if ((keys & SENDER_NAME) != 0 && sender != null) {
            hash = mix(hash, sender.hashCode());
        }
        if ((keys & PATH_NAMESPACE) != 0) {
            hash = mix(hash, hash(rule.pathNamespace()));
        }
        if ((keys & ARGUMENT_NAMESPACE) != 0) {
            hash = mix(hash, MessageView.hash(node.argument(0)));
        }
        return hash;
    }

    private static int hash(@Nullable String name) {
        return name == null ? 0 : MessageView.hash(name.getBytes(US_ASCII));
    }

    /** Returns whether a message has the fields that rules with these keys match. */
    boolean applies(MessageView message) {
        return (message.has(HeaderField.INTERFACE) || (keys & INTERFACE) == 0)
                && (message.has(HeaderField.MEMBER) || (keys & MEMBER) == 0)
                && (message.has(HeaderField.PATH) || (keys & (PATH | PATH_NAMESPACE)) == 0);
    }

    /** Returns the header's part of the hash of a rule with these keys. */
    static int hash(int keys, int ofInterface, int ofMember, int ofPath) {
        int hash = (keys & INTERFACE) != 0 ? mix(0, ofInterface) : 0;
        hash = (keys & MEMBER) != 0 ? mix(hash, ofMember) : hash;
        return (keys & PATH) != 0 ? mix(hash, ofPath) : hash;
    }

    static int mix(int hash, int component) {
        int mixed = (hash ^ component) * 0x9E3779B1;
        return mixed ^ mixed >>> 15;
    }

    /** Returns the first rule that may have this hash; the others follow by {@code next}. */
    @Nullable MatchNode first(int hash) {
        return slots[hash & slots.length - 1];
    }

    void add(MatchNode node) {
        node.hash = hashOf(node);
        if (++size > slots.length / SPARE) {
            resize(slots.length * 2);
        }
        link(node);
    }

    @SuppressWarnings("ReferenceEquality") // this very node
    void remove(MatchNode node) {
        int slot = node.hash & slots.length - 1;
        MatchNode before = null;
        for (MatchNode at = slots[slot]; at != null && at != node; at = at.next) {
            before = at;
        }
        if (before == null) {
            slots[slot] = node.next;
        } else {
            before.next = node.next;
        }
        if (--size < slots.length / SPARE / 4) {
            resize(slots.length / 2);
        }
    }

    private void link(MatchNode node) {
        int slot = node.hash & slots.length - 1;
        node.next = slots[slot];
        slots[slot] = node;
    }

    private void resize(int length) {
        @Nullable MatchNode[] old = slots;
        slots = new @Nullable MatchNode[length];
        for (MatchNode head : old) {
            for (MatchNode node = head; node != null; ) {
                MatchNode following = node.next;
                link(node);
                node = following;
            }
        }
    }
}
