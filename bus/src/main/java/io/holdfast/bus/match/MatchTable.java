package io.holdfast.bus.match;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.holdfast.dbus.wire.MessageView;
import io.holdfast.dbus.wire.match.MatchRule;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Rules that are filed under the same components, by the hash of these components.
 *
 * <p>A shape is the set of components: the bits below, and for {@link #ARGUMENT} its index above
 * them.
 */
final class MatchTable {
    static final int SENDER_ID = 1;
    static final int SENDER_NAME = 2;
    static final int INTERFACE = 4;
    static final int MEMBER = 8;
    static final int PATH = 16;
    static final int ARGUMENT = 32;
    static final int PATH_NAMESPACE = 64;
    static final int ARGUMENT_NAMESPACE = 128;
    static final int INDEX_SHIFT = 8;

    /**
     * Components that need several lookups: one for each name of the sender or level of a
     * namespace.
     */
    static final int SEVERAL = SENDER_NAME | PATH_NAMESPACE | ARGUMENT_NAMESPACE;

    private static final int SMALLEST = 8;

    /**
     * Slots per rule: most are empty, so that a message that no rule matches rarely meets a rule
     * about something else.
     */
    private static final int SPARE = 4;

    final int shape;
    int size;

    /** The hash of the current header. */
    private int headerHash;

    private @Nullable MatchNode[] slots = new @Nullable MatchNode[SMALLEST];

    MatchTable(int shape) {
        this.shape = shape;
    }

    /** Returns the components that distinguish this rule best from others. */
    static int shapeOf(MatchNode node) {
        MatchRule rule = node.rule;
        int shape = 0;
        if (rule.sender() != null) {
            shape |= node.senderIsUnique() ? SENDER_ID : SENDER_NAME;
        }
        shape |= rule.interfaceName() != null ? INTERFACE : 0;
        shape |= rule.member() != null ? MEMBER : 0;
        shape |= rule.path() != null ? PATH : 0;
        List<MatchRule.Argument> arguments = rule.arguments();
        for (MatchRule.Argument argument : arguments) {
            if (argument.test() == MatchRule.Test.EQUAL) {
                return shape | ARGUMENT | argument.index() << INDEX_SHIFT;
            }
        }
        // Only one of these: each multiplies the look-ups by the depth of a name.
        if (!arguments.isEmpty() && arguments.getFirst().test() == MatchRule.Test.NAMESPACE) {
            return shape | ARGUMENT_NAMESPACE;
        }
        return rule.pathNamespace() != null ? shape | PATH_NAMESPACE : shape;
    }

    /** Returns whether a rule of that shape can be filed here too, if less precisely. */
    boolean accepts(int other) {
        int bits = (1 << INDEX_SHIFT) - 1;
        return (shape & other & bits) == (shape & bits)
                && ((shape & ARGUMENT) == 0 || shape >> INDEX_SHIFT == other >> INDEX_SHIFT);
    }

    /** Returns the hash under which a rule is filed here: that of every message that it matches. */
    int hashOf(MatchNode node) {
        MatchRule rule = node.rule;
        int hash = 0;
        if ((shape & INTERFACE) != 0) {
            hash = mix(hash, hash(rule.interfaceName()));
        }
        if ((shape & MEMBER) != 0) {
            hash = mix(hash, hash(rule.member()));
        }
        if ((shape & PATH) != 0) {
            hash = mix(hash, hash(rule.path()));
        }
        if ((shape & ARGUMENT) != 0) {
            int n = 0;
            while (rule.arguments().get(n).index() != shape >> INDEX_SHIFT) {
                n++;
            }
            hash = mix(hash, MessageView.hash(node.argument(n)));
        }
        if ((shape & SENDER_ID) != 0) {
            hash = mix(hash, Long.hashCode(node.senderId()));
        }
        String sender = rule.sender();
        if ((shape & SENDER_NAME) != 0 && sender != null) {
            hash = mix(hash, sender.hashCode());
        }
        if ((shape & PATH_NAMESPACE) != 0) {
            hash = mix(hash, hash(rule.pathNamespace()));
        }
        if ((shape & ARGUMENT_NAMESPACE) != 0) {
            hash = mix(hash, MessageView.hash(node.argument(0)));
        }
        return hash;
    }

    private static int hash(@Nullable String name) {
        return name == null ? 0 : MessageView.hash(name.getBytes(US_ASCII));
    }

    /** Returns whether a header has the fields that rules of this shape demand. */
    boolean applies(MessageView message) {
        return (message.hasInterface() || (shape & INTERFACE) == 0)
                && (message.hasMember() || (shape & MEMBER) == 0)
                && (message.hasPath() || (shape & (PATH | PATH_NAMESPACE)) == 0);
    }

    /** Begins the searches for a header. */
    void begin(int interfaceHash, int memberHash, int pathHash) {
        int hash = 0;
        if ((shape & INTERFACE) != 0) {
            hash = mix(hash, interfaceHash);
        }
        if ((shape & MEMBER) != 0) {
            hash = mix(hash, memberHash);
        }
        if ((shape & PATH) != 0) {
            hash = mix(hash, pathHash);
        }
        headerHash = hash;
    }

    /** Returns the header's part of the hash of a rule that matches it. */
    int headerHash() {
        return headerHash;
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
        node.table = this;
        node.hash = hashOf(node);
        if (++size > slots.length / SPARE) {
            resize(slots.length * 2);
        }
        link(node);
    }

    @SuppressWarnings("ReferenceEquality") // this very node
    void remove(MatchNode node) {
        int slot = node.hash & slots.length - 1;
        MatchNode at = slots[slot];
        if (at == node) {
            slots[slot] = node.next;
        } else {
            while (at != null && at.next != node) {
                at = at.next;
            }
            if (at == null) {
                throw new IllegalStateException("not in this table: " + node.rule);
            }
            at.next = node.next;
        }
        node.next = null;
        node.table = null;
        if (--size < slots.length / SPARE / 4 && slots.length > SMALLEST) {
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
