package io.holdfast.bus.match;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.holdfast.bus.match.MatchNode.Subscription;
import io.holdfast.bus.policy.Party;
import io.holdfast.dbus.wire.MessageView;
import io.holdfast.dbus.wire.match.MatchRule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An index of the match rules of all peers. It finds the owners of the rules that match a message.
 *
 * <p>A rule is filed under everything that it demands word for word: sender, interface, member,
 * path, one argument, or else the namespace of the path or of argument 0. Rules that demand the
 * same kinds of components share a table, and there are few such kinds ({@value #MAX_TABLES} at
 * most; a rule of one kind more is filed under fewer of its components). A search hashes the
 * message's parts once (and not again for the messages that follow with the same header), looks
 * once into each table (once more for each well-known name of the sender and each level of a
 * namespace), and compares the rules that it finds there with the message. Rules about other
 * components are never looked at, however many there are. Rules that differ in nothing but {@code
 * argNpath} are tried one by one.
 *
 * <p>A search allocates nothing. Not thread-safe.
 */
public final class MatchIndex {
    /** The most kinds of rules that have a table of their own. */
    public static final int MAX_TABLES = 64;

    /** The longest part of a path that a rule can name. */
    private static final int MAX_PATH = MatchRule.MAX_TEXT;

    private static final int MAX_LEVELS = MAX_PATH / 2 + 1;

    private final Map<Integer, Subscriber> subscribers = new HashMap<>();
    private final List<MatchTable> tables = new ArrayList<>();
    private Map<MatchRule, MatchNode> nodes = new HashMap<>();

    /**
     * The number of rules with this well-known name as sender; names without rules are not tried.
     */
    private final Map<String, Integer> senders = new HashMap<>();

    private int size;

    // The state of the searches for one header.
    private @Nullable MessageView view;
    private long viewsVersion;
    private boolean tablesChanged;
    private long header;
    private final List<MatchTable> applicable = new ArrayList<>();
    private int kindsInUse;
    private final int[] pathLevels = new int[MAX_LEVELS];
    private int pathLevelCount;

    // The state of one search.
    private int[] found = new int[16];
    private int foundCount;
    private long search;
    private final int[] argumentLevels = new int[MAX_LEVELS];
    private int argumentLevelCount;

    /**
     * Adds a rule. A rule that was added twice has to be removed twice.
     *
     * @param owner the number that a search returns if the rule matches
     */
    public void add(int owner, MatchRule rule) {
        Subscriber subscriber = subscribers.computeIfAbsent(owner, Subscriber::new);
        MatchNode node = nodes.get(rule);
        if (node == null) {
            node = new MatchNode(rule);
            nodes.put(rule, node);
            file(node);
        }
        Subscription subscription = subscriber.subscriptionTo(node);
        if (subscription == null) {
            subscription = new Subscription(node, subscriber);
            subscriber.subscriptions.add(subscription);
            node.add(subscription);
        } else {
            subscription.times++;
        }
        subscriber.rules++;
        size++;
    }

    /**
     * Removes a rule that was added.
     *
     * @return false if the owner has no such rule
     */
    public boolean remove(int owner, MatchRule rule) {
        Subscriber subscriber = subscribers.get(owner);
        MatchNode node = nodes.get(rule);
        if (subscriber == null || node == null) {
            return false;
        }
        Subscription subscription = subscriber.subscriptionTo(node);
        if (subscription == null) {
            return false;
        }
        subscriber.rules--;
        size--;
        if (--subscription.times == 0) {
            boolean ignored = subscriber.subscriptions.remove(subscription);
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
    public int removeAll(int owner) {
        Subscriber subscriber = subscribers.remove(owner);
        if (subscriber == null) {
            return 0;
        }
        subscriber.subscriptions.forEach(this::leave);
        size -= subscriber.rules;
        return subscriber.rules;
    }

    /** Returns the number of rules of all owners, each counted as often as it was added. */
    public int size() {
        return size;
    }

    /** Returns the number of rules of one owner, each counted as often as it was added. */
    public int size(int owner) {
        Subscriber subscriber = subscribers.get(owner);
        return subscriber == null ? 0 : subscriber.rules;
    }

    /** Returns the rules of one owner, each as often as it was added. */
    public List<MatchRule> rules(int owner) {
        List<MatchRule> rules = new ArrayList<>();
        Subscriber subscriber = subscribers.get(owner);
        if (subscriber != null) {
            for (Subscription subscription : subscriber.subscriptions) {
                for (int i = 0; i < subscription.times; i++) {
                    rules.add(subscription.node.rule);
                }
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
     * @return the number of owners: they are the first elements of {@link #found}
     */
    public int find(MessageView message, Party sender, @Nullable Party receiver) {
        foundCount = 0;
        if (size == 0) {
            return 0;
        }
        search++;
        if (isAnotherHeader(message)) {
            prepareHeader(message);
        }
        prepareArguments(message);
        for (int i = 0; i < applicable.size(); i++) {
            MatchTable table = applicable.get(i);
            int shape = table.shape;
            int hash = table.headerHash();
            if ((shape & MatchTable.ARGUMENT) != 0) {
                int n = shape >> MatchTable.INDEX_SHIFT;
                if (message.argKind(n) != 's' || message.argLength(n) > MatchRule.MAX_TEXT) {
                    continue;
                }
                int argument =
                        MessageView.hash(
                                message.bytes(), message.argOffset(n), message.argLength(n));
                hash = MatchTable.mix(hash, argument);
            }
            if ((shape & MatchTable.SENDER_ID) != 0) {
                hash = MatchTable.mix(hash, Long.hashCode(sender.id()));
            }
            if ((shape & MatchTable.SEVERAL) == 0) {
                collect(table, hash, message, sender, receiver);
            } else {
                collectSeveral(table, hash, message, sender, receiver);
            }
        }
        return foundCount;
    }

    /**
     * Returns the owners that the last {@link #find} found, each once. Valid until the next one.
     */
    public int[] found() {
        return found;
    }

    @SuppressWarnings("ReferenceEquality") // versions are those of this view alone
    private boolean isAnotherHeader(MessageView message) {
        return message != view || message.headerVersion() != viewsVersion || tablesChanged;
    }

    /** Hashes the parts of the header that the tables need. */
    private void prepareHeader(MessageView message) {
        view = message;
        viewsVersion = message.headerVersion();
        tablesChanged = false;
        header++;
        applicable.clear();
        int used = 0;
        for (MatchTable table : tables) {
            if (table.applies(message)) {
                applicable.add(table);
                used |= table.shape;
            }
        }
        kindsInUse = used;
        var bytes = message.bytes();
        int interfaceHash =
                (used & MatchTable.INTERFACE) == 0
                        ? 0
                        : MessageView.hash(
                                bytes, message.interfaceOffset(), message.interfaceLength());
        int memberHash =
                (used & MatchTable.MEMBER) == 0
                        ? 0
                        : MessageView.hash(bytes, message.memberOffset(), message.memberLength());
        int pathHash =
                (used & MatchTable.PATH) == 0
                        ? 0
                        : MessageView.hash(bytes, message.pathOffset(), message.pathLength());
        for (MatchTable table : applicable) {
            table.begin(interfaceHash, memberHash, pathHash);
        }
        pathLevelCount = 0;
        if ((used & MatchTable.PATH_NAMESPACE) != 0) {
            int offset = message.pathOffset();
            int length = message.pathLength();
            pathLevels[pathLevelCount++] = MessageView.hash(bytes, offset, 1);
            for (int i = 2; i <= length && i <= MAX_PATH; i++) {
                if (i == length || bytes.get(JAVA_BYTE, offset + (long) i) == '/') {
                    pathLevels[pathLevelCount++] = MessageView.hash(bytes, offset, i);
                }
            }
        }
    }

    /** Hashes the namespaces of argument 0, if a table needs them. */
    private void prepareArguments(MessageView message) {
        argumentLevelCount = 0;
        if ((kindsInUse & MatchTable.ARGUMENT_NAMESPACE) == 0 || message.argKind(0) != 's') {
            return;
        }
        var bytes = message.bytes();
        int offset = message.argOffset(0);
        int length = message.argLength(0);
        boolean fresh = true;
        for (int i = 1; i <= length && i <= MAX_PATH; i++) {
            boolean end = i == length || bytes.get(JAVA_BYTE, offset + (long) i) == '.';
            if (end && !fresh) {
                break; // two dots: no namespace ends here
            }
            fresh = !end;
            if (end) {
                argumentLevels[argumentLevelCount++] = MessageView.hash(bytes, offset, i);
            }
        }
    }

    private void collectSeveral(
            MatchTable table,
            int hash,
            MessageView message,
            Party sender,
            @Nullable Party receiver) {
        if ((table.shape & MatchTable.SENDER_NAME) == 0) {
            collectLevels(table, hash, message, sender, receiver);
            return;
        }
        for (int k = 0; k < sender.names(); k++) {
            String name = sender.name(k);
            if (sender.isPrimary(k) && senders.containsKey(name)) {
                int named = MatchTable.mix(hash, name.hashCode());
                collectLevels(table, named, message, sender, receiver);
            }
        }
    }

    private void collectLevels(
            MatchTable table,
            int hash,
            MessageView message,
            Party sender,
            @Nullable Party receiver) {
        if ((table.shape & MatchTable.PATH_NAMESPACE) != 0) {
            for (int i = 0; i < pathLevelCount; i++) {
                collect(table, MatchTable.mix(hash, pathLevels[i]), message, sender, receiver);
            }
        } else if ((table.shape & MatchTable.ARGUMENT_NAMESPACE) != 0) {
            for (int i = 0; i < argumentLevelCount; i++) {
                collect(table, MatchTable.mix(hash, argumentLevels[i]), message, sender, receiver);
            }
        } else {
            collect(table, hash, message, sender, receiver);
        }
    }

    private void collect(
            MatchTable table,
            int hash,
            MessageView message,
            Party sender,
            @Nullable Party receiver) {
        for (MatchNode node = table.first(hash); node != null; node = node.next) {
            if (node.hash == hash && node.matches(message, header, sender, receiver)) {
                for (int i = 0; i < node.subscriptionCount; i++) {
                    Subscriber subscriber = node.subscriptions[i].subscriber;
                    if (subscriber.found != search) {
                        subscriber.found = search;
                        if (foundCount == found.length) {
                            found = Arrays.copyOf(found, foundCount * 2);
                        }
                        found[foundCount++] = subscriber.id;
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
        int shape = MatchTable.shapeOf(node);
        MatchTable best = null;
        for (MatchTable table : tables) {
            if (table.shape == shape) {
                table.add(node);
                return;
            }
            if (table.accepts(shape)
                    && (best == null
                            || Integer.bitCount(table.shape & 0xff)
                                    > Integer.bitCount(best.shape & 0xff))) {
                best = table;
            }
        }
        boolean room = tables.size() < MAX_TABLES - 1;
        if (room || best == null) {
            best = new MatchTable(room ? shape : 0); // the last table takes every rule
            tables.add(best);
            tablesChanged = true;
        }
        best.add(node);
    }

    private void leave(Subscription subscription) {
        MatchNode node = subscription.node;
        node.remove(subscription);
        if (node.subscriptionCount > 0) {
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
        MatchTable table = node.table;
        if (table != null) {
            table.remove(node);
            if (table.size == 0) {
                tables.remove(table);
                tablesChanged = true;
            }
        }
    }
}
