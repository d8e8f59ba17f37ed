package io.holdfast.bus.match;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.holdfast.bus.account.Charge;
import io.holdfast.bus.match.MatchNode.Subscription;
import io.holdfast.bus.policy.Party;
import io.holdfast.dbus.marshal.HeaderField;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.wire.match.MatchRule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An index of the match rules of all connections. It finds the owners of the rules that match a
 * message.
 *
 * <p>A rule is indexed by its exact-match keys: sender, interface, member, path, argument 0, or
 * else the namespace of the path or of argument 0. Rules with the same kinds of keys share a table.
 * A search hashes the message's parts, looks once into each table (once more for each well-known
 * name of the sender and each level of a namespace), and compares the rules that it finds there
 * with the message. Rules with other keys are never compared, however many there are. Rules that
 * differ in nothing but other arguments or {@code argNpath} are compared one by one.
 *
 * <p>A search allocates nothing. Not thread-safe.
 *
 * @param <O> the owners
 */
public final class MatchIndex<O> {
    /** The longest part of a path that a rule can name. */
    private static final int MAX_PATH = MatchRule.MAX_TEXT;

    private final Map<O, Subscriber> subscribers = new HashMap<>();
    private final List<MatchTable> tables = new ArrayList<>();
    private Map<MatchRule, MatchNode> nodes = new HashMap<>();

    /** The keys that some table needs: bits of {@link MatchTable}. */
    private int keysInUse;

    /** The number of rules with this well-known name as sender; other names are not looked up. */
    private final Map<String, Integer> senders = new HashMap<>();

    private int size;

    // The state of one search.
    private final List<Subscriber> found = new ArrayList<>();
    private long search;
    private final Levels pathLevels = new Levels();
    private final Levels argumentLevels = new Levels();

    /** The hashes of a path or name and of the namespaces that it is in. */
    private static final class Levels {
        final int[] hashes = new int[MAX_PATH / 2 + 1];
        int count;

        void clear() {
            count = 0;
        }

        void add(MessageView message, int offset, int length) {
            hashes[count++] = MessageView.hash(message.bytes(), offset, length);
        }
    }

    /**
     * Adds a rule. A rule that was added twice has to be removed twice.
     *
     * @param charge closed when the rule is removed
     */
    public void add(O owner, MatchRule rule, Charge charge) {
        Subscriber subscriber = subscribers.computeIfAbsent(owner, Subscriber::new);
        MatchNode node = nodes.get(rule);
        if (node == null) {
            node = new MatchNode(rule);
            nodes.put(rule, node);
            file(node);
        }
        Subscription subscription = subscriber.subscriptions.get(node);
        if (subscription == null) {
            subscription = new Subscription(node, subscriber);
            subscriber.subscriptions.put(node, subscription);
            node.subscriptions.add(subscription);
        }
        subscription.charges.add(charge);
        subscriber.rules++;
        size++;
    }

    /**
     * Removes a rule that was added.
     *
     * @return false if the owner has no such rule
     */
    public boolean remove(O owner, MatchRule rule) {
        Subscriber subscriber = subscribers.get(owner);
        MatchNode node = nodes.get(rule);
        Subscription subscription =
                subscriber == null || node == null ? null : subscriber.subscriptions.get(node);
        if (subscriber == null || subscription == null) {
            return false;
        }
        subscription.charges.removeLast().close();
        subscriber.rules--;
        size--;
        if (subscription.charges.isEmpty()) {
            subscriber.subscriptions.remove(subscription.node);
            leave(subscription);
        }
        if (subscriber.rules == 0) {
            subscribers.remove(owner);
        }
        return true;
    }

    /**
     * Removes all rules of an owner.
     *
     * @return how many there were
     */
    @CanIgnoreReturnValue
    public int removeAll(O owner) {
        Subscriber subscriber = subscribers.remove(owner);
        if (subscriber == null) {
            return 0;
        }
        for (Subscription subscription : subscriber.subscriptions.values()) {
            subscription.charges.forEach(Charge::close);
            leave(subscription);
        }
        size -= subscriber.rules;
        return subscriber.rules;
    }

    /** Returns the number of rules of all owners, each counted as often as it was added. */
    public int size() {
        return size;
    }

    /** Returns the number of rules of one owner, each counted as often as it was added. */
    public int size(O owner) {
        Subscriber subscriber = subscribers.get(owner);
        return subscriber == null ? 0 : subscriber.rules;
    }

    /** Returns the rules of one owner, each as often as it was added. */
    public List<MatchRule> rules(O owner) {
        List<MatchRule> rules = new ArrayList<>();
        Subscriber subscriber = subscribers.get(owner);
        if (subscriber != null) {
            for (Subscription subscription : subscriber.subscriptions.values()) {
                subscription.charges.forEach(_ -> rules.add(subscription.node.rule));
            }
        }
        return rules;
    }

    /** Returns how many tables a search looks into. */
    int tableCount() {
        return tables.size();
    }

    /**
     * Finds the owners of all rules that match a message.
     *
     * @param sender the sender: rules about the sender are compared with it, not with the header
     * @param receiver the addressee; null for a broadcast, and if the destination has no owner
     * @return the number of owners, for {@link #found}
     */
    public int find(MessageView message, Party sender, @Nullable Party receiver) {
        found.clear();
        if (size == 0) {
            return 0;
        }
        search++;
        int ofInterface = hash(message, MatchTable.INTERFACE, HeaderField.INTERFACE);
        int ofMember = hash(message, MatchTable.MEMBER, HeaderField.MEMBER);
        int ofPath = hash(message, MatchTable.PATH, HeaderField.PATH);
        hashLevels(message);
        for (int i = 0; i < tables.size(); i++) {
            MatchTable table = tables.get(i);
            if (!table.applies(message)) {
                continue;
            }
            int keys = table.keys;
            int hash = MatchTable.hash(keys, ofInterface, ofMember, ofPath);
            if ((keys & MatchTable.ARGUMENT) != 0) {
                if (message.argKind(0) != 's' || message.argLength(0) > MatchRule.MAX_TEXT) {
                    continue;
                }
                hash =
                        MatchTable.mix(
                                hash,
                                MessageView.hash(
                                        message.bytes(),
                                        message.argOffset(0),
                                        message.argLength(0)));
            }
            if ((keys & MatchTable.SENDER_ID) != 0) {
                hash = MatchTable.mix(hash, Long.hashCode(sender.id()));
            }
            if ((keys & MatchTable.SENDER_NAME) == 0) {
                collectLevels(table, hash, message, sender, receiver);
                continue;
            }
            for (int k = 0; k < sender.names(); k++) {
                String name = sender.name(k);
                if (sender.isPrimary(k) && senders.containsKey(name)) {
                    int named = MatchTable.mix(hash, name.hashCode());
                    collectLevels(table, named, message, sender, receiver);
                }
            }
        }
        return found.size();
    }

    /**
     * Returns an owner that the last {@link #find} found; each is found once. Valid until the next
     * search.
     */
    @SuppressWarnings("unchecked") // subscribers are made for owners of this type
    public O found(int i) {
        return (O) found.get(i).owner;
    }

    /** Hashes a part of the header if a table needs it. */
    private int hash(MessageView message, int key, int field) {
        return (keysInUse & key) == 0 ? 0 : message.hash(field);
    }

    /** Hashes the namespaces of the path and of argument 0, if a table needs them. */
    private void hashLevels(MessageView message) {
        pathLevels.clear();
        if ((keysInUse & MatchTable.PATH_NAMESPACE) != 0 && message.has(HeaderField.PATH)) {
            int offset = message.offset(HeaderField.PATH);
            int length = message.length(HeaderField.PATH);
            pathLevels.add(message, offset, 1);
            for (int i = 2; i <= length && i <= MAX_PATH; i++) {
                if (i == length || byteAt(message, offset + i) == '/') {
                    pathLevels.add(message, offset, i);
                }
            }
        }
        argumentLevels.clear();
        if ((keysInUse & MatchTable.ARGUMENT_NAMESPACE) != 0 && message.argKind(0) == 's') {
            int offset = message.argOffset(0);
            int length = message.argLength(0);
            for (int i = 1; i <= length && i <= MAX_PATH; i++) {
                if (i == length || byteAt(message, offset + i) == '.') {
                    if (byteAt(message, offset + i - 1) == '.') {
                        break; // two dots, or one at the end: no namespace ends here
                    }
                    argumentLevels.add(message, offset, i);
                }
            }
        }
    }

    private static byte byteAt(MessageView message, long offset) {
        return message.bytes().get(JAVA_BYTE, offset);
    }

    private void collectLevels(
            MatchTable table,
            int hash,
            MessageView message,
            Party sender,
            @Nullable Party receiver) {
        if ((table.keys & MatchTable.NAMESPACE) == 0) {
            collect(table, hash, message, sender, receiver);
            return;
        }
        Levels levels = (table.keys & MatchTable.PATH_NAMESPACE) != 0 ? pathLevels : argumentLevels;
        for (int i = 0; i < levels.count; i++) {
            collect(table, MatchTable.mix(hash, levels.hashes[i]), message, sender, receiver);
        }
    }

    private void collect(
            MatchTable table,
            int hash,
            MessageView message,
            Party sender,
            @Nullable Party receiver) {
        for (MatchNode node = table.first(hash); node != null; node = node.next) {
            if (node.hash == hash && node.matches(message, sender, receiver)) {
                for (int i = 0; i < node.subscriptions.size(); i++) {
                    Subscriber subscriber = node.subscriptions.get(i).subscriber;
                    if (subscriber.found != search) {
                        subscriber.found = search;
                        boolean ignored = found.add(subscriber);
                    }
                }
            }
        }
    }

    private void file(MatchNode node) {
        String sender = node.rule.sender();
        if (sender != null && !node.senderIsUnique()) {
            senders.merge(sender, 1, Integer::sum);
        }
        int keys = MatchTable.keysOf(node);
        MatchTable table = null;
        for (MatchTable one : tables) {
            table = one.keys == keys ? one : table;
        }
        if (table == null) {
            table = new MatchTable(keys);
            tables.add(table);
            keysInUse |= keys;
        }
        table.add(node);
    }

    private void leave(Subscription subscription) {
        MatchNode node = subscription.node;
        boolean ignored = node.subscriptions.remove(subscription);
        if (!node.subscriptions.isEmpty()) {
            return;
        }
        nodes.remove(node.rule);
        if (nodes.isEmpty()) {
            nodes = new HashMap<>(); // frees what thousands of rules needed
        }
        String sender = node.rule.sender();
        if (sender != null && !node.senderIsUnique()) {
            senders.computeIfPresent(sender, (_, count) -> count == 1 ? null : count - 1);
        }
        int keys = MatchTable.keysOf(node);
        for (MatchTable table : tables) {
            if (table.keys == keys) {
                table.remove(node);
            }
        }
        if (tables.removeIf(table -> table.size == 0)) {
            keysInUse = 0;
            tables.forEach(table -> keysInUse |= table.keys);
        }
    }
}
