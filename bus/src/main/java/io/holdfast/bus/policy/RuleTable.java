package io.holdfast.bus.policy;

import io.holdfast.bus.config.PolicyRule;
import io.holdfast.dbus.marshal.HeaderField;
import io.holdfast.dbus.marshal.MessageView;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Rules that can match messages of one shape, filed by the hash of what they name: the other side,
 * the interface, the member, each or none. The latest position of every such combination is known,
 * so that a search skips rules that cannot overrule what it has found; a policy that allows
 * everything is therefore decided by one comparison.
 */
final class RuleTable {
    private static final int INTERFACE = 1;
    private static final int MEMBER = 2;
    private static final int NAME = 4;
    private static final int PREFIX = 8;
    private static final int COMBINATIONS = 12;

    private final @Nullable Entry[] slots;

    /** The position of the latest rule of each combination, -1 if there is none. */
    private final int[] latest = new int[COMBINATIONS];

    private final int latestNamed;
    private final int latestPrefix;

    // The state of one search.
    private int best;
    private @Nullable PolicyRule found;
    private int interfaceHash;
    private int memberHash;
    private boolean hashed;

    /** A rule in its slot; the next one is earlier in the order. */
    private record Entry(MessageRule rule, int hash, @Nullable Entry next) {}

    RuleTable(List<MessageRule> rules, int type, boolean hasInterface, boolean hasMember) {
        slots = new @Nullable Entry[Integer.highestOneBit(Math.max(1, rules.size())) * 2];
        Arrays.fill(latest, -1);
        for (MessageRule rule : rules) {
            if (rule.isAbout(type, hasInterface)) {
                add(rule, hasInterface, hasMember);
            }
        }
        int prefix = -1;
        int named = -1;
        for (int i = NAME; i < COMBINATIONS; i++) {
            named = Math.max(named, latest[i]);
            prefix = i >= PREFIX ? Math.max(prefix, latest[i]) : prefix;
        }
        latestNamed = named;
        latestPrefix = prefix;
    }

    private void add(MessageRule rule, boolean hasInterface, boolean hasMember) {
        int combination = 0;
        int ofInterface = 0;
        int ofMember = 0;
        if (rule.interfaceName != null && hasInterface) {
            combination |= INTERFACE;
            ofInterface = MessageView.hash(rule.interfaceName);
        }
        if (rule.member != null && hasMember) {
            combination |= MEMBER;
            ofMember = MessageView.hash(rule.member);
        }
        String peer = rule.test.peer();
        int ofName = 0;
        if (peer != null && !rule.peerIsUnique) {
            combination |= rule.test.peerIsPrefix() ? PREFIX : NAME;
            ofName = peer.hashCode();
        }
        int hash = hash(combination, ofInterface, ofMember, ofName);
        int slot = hash & slots.length - 1;
        slots[slot] = new Entry(rule, hash, slots[slot]);
        latest[combination] = rule.position;
    }

    private static int hash(int combination, int ofInterface, int ofMember, int ofName) {
        int hash = combination;
        hash = mix(hash, (combination & INTERFACE) != 0 ? ofInterface : 0);
        hash = mix(hash, (combination & MEMBER) != 0 ? ofMember : 0);
        return mix(hash, ofName);
    }

    private static int mix(int hash, int part) {
        int mixed = (hash ^ part) * 0x9E3779B1;
        return mixed ^ mixed >>> 15;
    }

    @Nullable PolicyRule decide(
            MessageView message, Party other, boolean requested, boolean eavesdropping) {
        best = -1;
        found = null;
        hashed = false;
        search(0, 0, null, message, other, requested, eavesdropping);
        if (latestNamed > best) {
            for (int i = 0; i < other.names(); i++) {
                String name = other.name(i);
                search(NAME, name.hashCode(), name, message, other, requested, eavesdropping);
                if (latestPrefix > best) {
                    prefixes(name, message, other, requested, eavesdropping);
                }
            }
        }
        return found;
    }

    /** Searches the rules about each name above this one, and about the name itself. */
    private void prefixes(
            String name,
            MessageView message,
            Party other,
            boolean requested,
            boolean eavesdropping) {
        int hash = 0; // String.hashCode of the characters before i
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c == '.') {
                search(PREFIX, hash, name, message, other, requested, eavesdropping);
            }
            hash = 31 * hash + c;
        }
        search(PREFIX, hash, name, message, other, requested, eavesdropping);
    }

    /** Tries the combinations of interface and member for one way to name the other side. */
    private void search(
            int naming,
            int ofName,
            @Nullable String name,
            MessageView message,
            Party other,
            boolean requested,
            boolean eavesdropping) {
        for (int combination = naming; combination < naming + NAME; combination++) {
            if (latest[combination] <= best) {
                continue;
            }
            if (!hashed && combination != naming) {
                hash(message);
            }
            int hash = hash(combination, interfaceHash, memberHash, ofName);
            Entry entry = slots[hash & slots.length - 1];
            while (entry != null && entry.rule.position > best) {
                if (entry.hash == hash
                        && entry.rule.concerns(name, other)
                        && entry.rule.matches(message, requested, eavesdropping)) {
                    best = entry.rule.position;
                    found = entry.rule.rule;
                }
                entry = entry.next;
            }
        }
    }

    private void hash(MessageView message) {
        interfaceHash = message.hash(HeaderField.INTERFACE);
        memberHash = message.hash(HeaderField.MEMBER);
        hashed = true;
    }
}
