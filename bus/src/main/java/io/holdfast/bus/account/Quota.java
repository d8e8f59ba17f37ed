package io.holdfast.bus.account;

import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.config.Limits;
import io.holdfast.core.limit.FairShare;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.DescriptorLimit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Limits how much of the bus each user may hold: bytes of messages, descriptors, match rules, and
 * objects such as names and pending replies.
 *
 * <p><b>Each charge concerns two users.</b> A message that waits in a queue lies with its receiver,
 * but its sender put it there. If it counted only against the receiver, any sender could use up the
 * receiver's budget by sending to a program that does not read. If it counted only against the
 * sender, a program that does not read would use up the budgets of all its senders. So a charge
 * names both: the {@link Account} of the connection that holds the thing, and the actor, which is
 * the user that caused it. What one actor holds in the budget of one user is a {@link Share}.
 *
 * <p><b>A user may use its whole budget, other users only a fair part of it.</b> Each user has a
 * budget of {@link #BYTES}, {@link #FDS}, {@link #MATCHES} and {@link #OBJECTS}. What the user
 * causes itself may fill it. Another actor's share may grow as long as it is at most one (n + 1)th
 * of that share plus what is free, n being the number of actors that have a share. Of an untouched
 * budget of 120, the first actor gets at most 60; the second then at most a third of the other 60,
 * which is 20; the third a fourth of 40, which is 10. However many actors come, something is left
 * for the next, and the first keeps its share.
 *
 * <p><b>One queue cannot take everything either.</b> The queues of a user's connections share the
 * user's bytes and descriptors by the same rule, so that one program that never reads does not
 * starve the others. The queues into which an actor sends share the actor's part in the same way.
 *
 * <p><b>The limit of a connection's queue has two halves.</b> One half is reserved for replies and
 * for what the connection subscribed to: a connection without room for these is disconnected, and
 * no other connection may be able to bring that about. The sending users share the other half by
 * the fair rule ({@link SenderShares}), and each of them may always have one message there. So a
 * user who floods a service fills its own share alone, and the calls of others still arrive.
 *
 * <p><b>The memory and the descriptors of the process belong to no user.</b> The first half of
 * {@link BusLimit#MAX_TABLE_BYTES} is given out on demand, the rest by the fair rule; {@link
 * #descriptors} shares the descriptors.
 *
 * <p>A {@link Charge} releases itself. For the queued messages, of which there are millions, {@link
 * #charge} returns the {@link Share} alone, and the queue passes it to {@link #release} with the
 * same amounts: neither allocates, except for descriptors and for the first charge between two
 * users. A refused charge changes nothing, and {@link #refusal} says why it was refused. Not
 * thread-safe.
 */
public final class Quota {
    public static final int BYTES = 0;
    public static final int FDS = 1;
    public static final int MATCHES = 2;
    public static final int OBJECTS = 3;
    static final int SLOTS = 4;

    private static final BusLimit[] USER_LIMITS = {
        BusLimit.MAX_BYTES_PER_USER,
        BusLimit.MAX_UNIX_FDS_PER_USER,
        BusLimit.MAX_MATCH_RULES_PER_USER,
        BusLimit.MAX_OBJECTS_PER_USER
    };

    /** The number of users whose tallies are kept after they hold nothing any more. */
    public static final int MAX_PAST_USERS = 1_024;

    /** The upper bound of what the tables of clients may take. */
    private static final long HALF_THE_HEAP = Runtime.getRuntime().maxMemory() / 2;

    private LimitTable limits;
    private final Map<Long, User> users = new HashMap<>();
    private long tables; // bytes of all users

    private final CompletedConnections completed;

    /**
     * The descriptors of the process, shared by user: those of connections and those of sent
     * messages.
     */
    private final FairShare<Long> descriptors;

    private final RefusalCounts tally = new RefusalCounts();
    private final Map<Long, RefusalCounts> past = new PastUsers();

    private QuotaRefusal refusal = QuotaRefusal.NONE;

    /** The tallies of users that hold nothing now; only the most recent ones. */
    private static final class PastUsers extends LinkedHashMap<Long, RefusalCounts> {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, RefusalCounts> eldest) {
            return size() > MAX_PAST_USERS;
        }
    }

    /** All connections of one uid. */
    static final class User {
        final long uid;
        final long[] used = new long[SLOTS];

        /** The number of actors with a share, by slot. */
        final int[] sharers = new int[SLOTS];

        /**
         * The number of connections with something in their queue, for bytes and for descriptors.
         */
        final int[] queues = new int[2];

        Limits limits;
        final Map<User, Share> shares = new HashMap<>();
        @Nullable Share recent; // of the shares
        long tables;
        int accounts;
        int completed;
        final RefusalCounts tally;

        User(long uid, Limits limits, RefusalCounts tally) {
            this.uid = uid;
            this.limits = limits;
            this.tally = tally;
        }
    }

    /**
     * What one user holds in another user's budget, or in its own; or, of that, what it has in the
     * queue of one connection.
     */
    public static final class Share {
        User user;
        User actor;
        final long[] used = new long[SLOTS];

        /** The number of queues with something of the actor, for bytes and for descriptors. */
        final int[] queues = new int[2];

        /** The share in the user's budget, if this is a share in a queue. */
        @Nullable Share budget;

        /** The next in the list of {@link SenderShares}. */
        @Nullable Share next;

        Share(User user, User actor) {
            this.user = user;
            this.actor = actor;
        }

        /** Returns what the actor may still take of a slot of the user's budget. */
        long free(int slot) {
            long free = user.limits.get(USER_LIMITS[slot]) - user.used[slot];
            if (actor == user) {
                return free;
            }
            long mine = used[slot];
            int sharers = user.sharers[slot] + (mine == 0 ? 1 : 0);
            return (free + mine) / (sharers + 1) - mine;
        }
    }

    /** The account of one connection. */
    public static final class Account {
        final User user;
        private final Share own;
        final Object label;
        private final int[] count = new int[ChargedResource.COUNT];
        private final long[] bytes = new long[ChargedResource.COUNT];
        private final int[] fds = new int[ChargedResource.COUNT];
        private @Nullable Limits special; // null where its user's limits apply
        private long tables;
        private boolean completed;
        private final RefusalCounts tally = new RefusalCounts();

        /** What other connections have in its queue. */
        final SenderShares senders = new SenderShares();

        private Account(User user, Object label, Share own) {
            this.user = user;
            this.label = label;
            this.own = own;
        }

        public long uid() {
            return user.uid;
        }

        /** Returns what was refused to the connection. */
        public RefusalCounts tally() {
            return tally;
        }

        /** Returns the limits of the connection and of its user. */
        public Limits limits() {
            return special == null ? user.limits : special;
        }

        /** Returns the share of the connection's user in its own budget. */
        public Share own() {
            return own;
        }

        public int count(ChargedResource what) {
            return count[what.index];
        }

        public long bytes(ChargedResource what) {
            return bytes[what.index];
        }

        public int fds(ChargedResource what) {
            return fds[what.index];
        }
    }

    /**
     * What the connections of one user hold.
     *
     * @param used the amount of each slot
     * @param byActor the amounts by the uid of the actor
     * @param tally what was refused to the user
     */
    public record Usage(
            long uid,
            int connections,
            List<Long> used,
            Map<Long, List<Long>> byActor,
            RefusalCounts tally) {}

    public Quota(Limits limits) {
        this(LimitTable.of(limits));
    }

    public Quota(LimitTable limits) {
        this.limits = limits;
        long owner = Unistd.geteuid();
        LongPredicate trusted = uid -> uid == 0 || uid == owner;
        this.completed = new CompletedConnections(trusted);
        this.descriptors =
                FairShare.<Long>of(
                                BusLimit.MAX_UNIX_FDS.toString(),
                                mostDescriptors(limits),
                                DescriptorLimit.REMEDY)
                        .withTrusted(trusted::test);
    }

    /**
     * Returns the configured limit, or what the process may open less a reserve if that is smaller.
     */
    private static long mostDescriptors(LimitTable limits) {
        return Math.min(limits.all().get(BusLimit.MAX_UNIX_FDS), DescriptorLimit.ofClients());
    }

    /**
     * Returns the descriptors of the process, shared by its users, including those that wait to be
     * closed.
     */
    public FairShare<Long> descriptors() {
        return descriptors;
    }

    /** Replaces all limits. Charges above a new limit stay. */
    public void limits(LimitTable other) {
        limits = other;
        descriptors.limit(mostDescriptors(other));
        users.values().forEach(user -> user.limits = other.ofUser(user.uid));
    }

    /** Replaces the limits of one connection, which may differ from its user's. */
    public void limits(Account account, Limits own) {
        account.special = own.equals(account.user.limits) ? null : own;
    }

    /**
     * Opens an account for a new connection. A subordinate uid counts as the user to whom it is
     * delegated.
     *
     * @param label its {@code toString} names the connection in refusals
     * @param fds the descriptors that the connection itself takes
     * @return null if a limit of its user refuses the connection
     */
    @Nullable
    public Account open(long uid, Object label, int fds) {
        User user = users.computeIfAbsent(limits.userOf(uid), this::user);
        Account account = new Account(user, label, share(user, user));
        if (charge(account, account, ChargedResource.CONNECTION, 0, fds) == null) {
            forget(user);
            return null;
        }
        user.accounts++;
        return account;
    }

    private User user(long uid) {
        RefusalCounts known = past.remove(uid);
        return new User(uid, limits.ofUser(uid), known == null ? new RefusalCounts() : known);
    }

    /**
     * Counts a connection that says Hello.
     *
     * @return false if its user has reached its limit of connections, or its share of those of the
     *     bus
     */
    public boolean complete(Account account) {
        User user = account.user;
        long most = user.limits.get(BusLimit.MAX_CONNECTIONS_PER_USER);
        if (user.completed >= most) {
            over(account, BusLimit.MAX_CONNECTIONS_PER_USER);
            refusal =
                    QuotaRefusal.ofUser(
                            account, user, BusLimit.MAX_CONNECTIONS_PER_USER, user.completed);
            return false;
        }
        if (!completed.fits(user, limits.all().get(BusLimit.MAX_COMPLETED_CONNECTIONS))) {
            over(account, BusLimit.MAX_COMPLETED_CONNECTIONS);
            refusal = QuotaRefusal.ofCompleted(account, completed.count(), users.values());
            return false;
        }
        account.completed = true;
        completed.add(user, 1);
        return true;
    }

    /**
     * Closes the account of a connection that is gone. All its other charges must have been
     * released.
     */
    public void close(Account account) {
        for (ChargedResource what : ChargedResource.values()) {
            if (what != ChargedResource.CONNECTION && account.count(what) != 0) {
                throw new IllegalStateException(
                        account.label + " is closed with " + account.count(what) + " of " + what);
            }
        }
        User user = account.user;
        release(
                account,
                account.own,
                ChargedResource.CONNECTION,
                0,
                account.fds(ChargedResource.CONNECTION));
        if (account.completed) {
            completed.add(user, -1);
        }
        user.accounts--;
        forget(user);
    }

    /** Removes a user that has no connection and holds nothing in any budget. */
    private void forget(User user) {
        if (user.accounts > 0 || !isZero(user.used)) {
            return;
        }
        for (User other : users.values()) {
            Share share = other.shares.get(user);
            if (share != null && !isZero(share.used)) {
                return;
            }
        }
        for (User other : users.values()) {
            other.shares.remove(user);
            if (other.recent != null && other.recent.actor == user) {
                other.recent = null;
            }
        }
        users.remove(user.uid, user);
        if (!user.tally.isEmpty()) {
            past.put(user.uid, user.tally);
        }
    }

    private static boolean isZero(long[] amounts) {
        for (long amount : amounts) {
            if (amount != 0) {
                return false;
            }
        }
        return true;
    }

    /**
     * Charges one thing.
     *
     * @param account the account of the connection that holds it
     * @param actor the account that causes it; the same as {@code account} if no other connection
     *     does
     * @param bytes 0 or more
     * @param fds 0 or more
     * @return the share to pass to {@link #release}; null if a limit refuses the charge
     */
    @Nullable
    public Share charge(Account account, Account actor, ChargedResource what, long bytes, int fds) {
        return charge(account, actor, what, 1, bytes, fds);
    }

    /**
     * Charges things that a connection holds and causes itself.
     *
     * @param count the number of things
     * @param bytes their bytes, 0 or more
     * @param fds their descriptors, 0 or more
     * @return null if a limit refuses the charge
     */
    public @Nullable Charge hold(
            Account account, ChargedResource what, int count, long bytes, int fds) {
        Share share = charge(account, account, what, count, bytes, fds);
        return share == null ? null : new Charge(this, account, share, what, count, bytes, fds);
    }

    private @Nullable Share charge(
            Account account, Account actor, ChargedResource what, int count, long bytes, int fds) {
        Share share = share(account.user, actor.user);
        if (what == ChargedResource.OUTGOING && account != actor) {
            share = account.senders.of(share);
        }
        int object = what.isObject() ? count : 0;
        int match = what == ChargedResource.MATCH_RULE ? count : 0;
        if (!fitsConnection(share, account, what, count, bytes, fds)
                || !fits(share, account, what, BYTES, bytes)
                || !fits(share, account, what, FDS, fds)
                || !fits(share, account, what, MATCHES, match)
                || !fits(share, account, what, OBJECTS, object)
                || !fitsTables(account, what, count, bytes)
                || !takesDescriptors(account, actor, fds)) {
            return null;
        }
        apply(share, account, what, bytes, fds, count);
        return share;
    }

    /** Releases one charge: the same account, share and amounts, once. */
    void release(Account account, Share share, ChargedResource what, long bytes, int fds) {
        release(account, share, what, 1, bytes, fds);
    }

    /**
     * Releases several charges of one share, or a part of one.
     *
     * @param count the number of charges that end with this
     */
    public void release(
            Account account, Share share, ChargedResource what, int count, long bytes, int fds) {
        if (account.count(what) < count || account.bytes(what) < bytes || account.fds(what) < fds) {
            throw new IllegalStateException(account.label + " was not charged for this " + what);
        }
        User actor = share.actor;
        apply(share, account, what, -bytes, -fds, -count);
        if (fds > 0) {
            descriptors.release(actor.uid, fds);
        }
        if (actor.accounts == 0) {
            forget(actor);
        }
        if (account.user.accounts == 0) {
            forget(account.user);
        }
    }

    private Share share(User user, User actor) {
        Share share = user.recent;
        if (share != null && share.actor == actor) {
            return share;
        }
        share = user.shares.get(actor);
        if (share == null) {
            share = new Share(user, actor);
            user.shares.put(actor, share);
        }
        user.recent = share;
        return share;
    }

    /** Checks the limits per connection. */
    private boolean fitsConnection(
            Share share, Account account, ChargedResource what, int count, long bytes, int fds) {
        int i = what.index;
        if (what.count != null
                && (long) account.count[i] + count > account.limits().get(what.count)) {
            return refuse(account, share, what.count, account.count[i]);
        }
        if (what.bytes != null
                && !fitsConnection(
                        share, account, what, BYTES, bytes, account.bytes[i], what.bytes)) {
            return refuse(account, share, what.bytes, account.bytes[i]);
        }
        if (what.fds != null
                && fds > 0
                && !fitsConnection(share, account, what, FDS, fds, account.fds[i], what.fds)) {
            return refuse(account, share, what.fds, account.fds[i]);
        }
        return true;
    }

    /**
     * Checks one limit of a connection. It takes one more message while it is below its limit. Of a
     * queue, other connections share one half, and the other half is reserved for its own messages.
     */
    private static boolean fitsConnection(
            Share share,
            Account account,
            ChargedResource what,
            int slot,
            long amount,
            long used,
            BusLimit limit) {
        long most = account.limits().get(limit);
        if (what != ChargedResource.OUTGOING) {
            return used < most;
        }
        if (share.budget != null) {
            return account.senders.fits(share, slot, amount, most - most / 2);
        }
        return used < most || used - account.senders.used[slot] < most / 2;
    }

    private boolean refuse(Account account, Share share, BusLimit limit, long used) {
        over(account, limit);
        refusal = QuotaRefusal.ofConnection(account, share.actor, limit, used);
        return false;
    }

    /**
     * Checks the limits per user: the budget, the actor's part of it, and a queue's part of that.
     */
    private boolean fits(
            Share share, Account account, ChargedResource what, int slot, long amount) {
        if (amount == 0) {
            return true;
        }
        Share budget = share.budget == null ? share : share.budget;
        User user = share.user;
        long free = budget.free(slot);
        boolean fits = amount <= free;
        if (fits && what == ChargedResource.OUTGOING) {
            boolean foreign = share.actor != user;
            long all = slot == BYTES ? account.bytes(what) : account.fds(what);
            long queued = share == budget ? all - account.senders.used[slot] : share.used[slot];
            long queues =
                    foreign
                            ? budget.queues[slot] + (queued == 0 ? 1 : 0)
                            : user.queues[slot] + (all == 0 ? 1 : 0);
            int part = share == budget || foreign ? 1 : 2;
            fits = isFair(queued, amount, free, part * (queues + 1));
        }
        if (!fits) {
            BusLimit limit = USER_LIMITS[slot];
            over(account, limit);
            refusal = QuotaRefusal.ofUser(account, share.actor, limit, user.used[slot]);
        }
        return fits;
    }

    /**
     * Checks the memory of the tables, which belongs to no user: once half of the limit is taken,
     * each user gets a fair part of the rest; once a user has taken a quarter of the limit, each of
     * its connections gets a fair part of what is left of half of the limit.
     */
    private boolean fitsTables(Account account, ChargedResource what, int count, long bytes) {
        long amount = (long) what.entry * count + what.entryPerByte * bytes;
        long most = mostTables();
        long half = most / 2;
        User user = account.user;
        boolean fits =
                tables + amount <= half
                        || isFair(user.tables, amount, most - tables, users.size() + 1);
        boolean fitsUser =
                user.tables + amount <= half / 2
                        || isFair(account.tables, amount, half - user.tables, user.accounts + 1);
        if (amount == 0 || (fits && fitsUser)) {
            return true;
        }
        over(account, BusLimit.MAX_TABLE_BYTES);
        refusal = QuotaRefusal.ofMemory(account, tables, most);
        return false;
    }

    /** Takes descriptors of the process for the user that causes the charge. */
    private boolean takesDescriptors(Account account, Account actor, int fds) {
        if (fds == 0 || descriptors.tryTake(actor.user.uid, fds)) {
            return true;
        }
        over(account, BusLimit.MAX_UNIX_FDS);
        refusal =
                QuotaRefusal.ofProcess(
                        account, BusLimit.MAX_UNIX_FDS, descriptors.refusal(actor.user.uid));
        return false;
    }

    private long mostTables() {
        return Math.min(limits.all().get(BusLimit.MAX_TABLE_BYTES), HALF_THE_HEAP);
    }

    /**
     * Returns whether a holder's amount is still fair after the charge: at most one {@code part}th
     * of what it has now plus what is free.
     */
    private static boolean isFair(long mine, long amount, long free, long part) {
        return mine + amount <= (free + mine) / part;
    }

    private void apply(
            Share share, Account account, ChargedResource what, long bytes, int fds, int sign) {
        int i = what.index;
        if (what == ChargedResource.OUTGOING) {
            countQueue(account.user, BYTES, account.bytes[i], bytes);
            countQueue(account.user, FDS, account.fds[i], fds);
        }
        account.count[i] += sign;
        account.bytes[i] += bytes;
        account.fds[i] += fds;
        long table = (long) what.entry * sign + what.entryPerByte * bytes;
        account.tables += table;
        account.user.tables += table;
        tables += table;
        Share budget = share;
        if (share.budget != null) {
            budget = share.budget;
            account.senders.add(share, bytes, fds);
        }
        add(budget, BYTES, bytes);
        add(budget, FDS, fds);
        add(budget, MATCHES, what == ChargedResource.MATCH_RULE ? sign : 0);
        add(budget, OBJECTS, what.isObject() ? sign : 0);
    }

    private static void countQueue(User user, int slot, long before, long change) {
        if (before == 0 && change > 0) {
            user.queues[slot]++;
        } else if (before != 0 && before + change == 0) {
            user.queues[slot]--;
        }
    }

    private static void add(Share share, int slot, long amount) {
        long before = share.used[slot];
        share.used[slot] += amount;
        share.user.used[slot] += amount;
        if (before == 0 && amount > 0) {
            share.user.sharers[slot]++;
        } else if (before != 0 && before + amount == 0) {
            share.user.sharers[slot]--;
        }
    }

    /** Counts that a limit refused something to a connection. */
    public void over(Account account, BusLimit limit) {
        tally.over(limit);
        account.user.tally.over(limit);
        account.tally.over(limit);
    }

    /** Counts a message that was refused with an error. */
    public void refused(Account account, BusError error) {
        tally.refused(error);
        account.user.tally.refused(error);
        account.tally.refused(error);
    }

    /** Counts a connection that ended. */
    public void ended(Account account, EndReason why) {
        tally.ended(why);
        account.user.tally.ended(why);
    }

    /** Returns what was refused, and why connections ended, since the bus was opened. */
    public RefusalCounts tally() {
        return tally;
    }

    /** Returns the reason of the last refusal. */
    public QuotaRefusal refusal() {
        return refusal;
    }

    /** Returns the slot of a limit per user; -1 for other limits. */
    static int slotOf(BusLimit limit) {
        return Arrays.asList(USER_LIMITS).indexOf(limit);
    }

    /** Returns what the connections of each user hold now. */
    public List<Usage> usage() {
        return users.values().stream().map(Quota::usage).toList();
    }

    /** Returns the latest users that hold nothing now, with what was refused to them. */
    public List<Usage> past() {
        List<Usage> all = new ArrayList<>();
        past.forEach((uid, counted) ->
                all.add(new Usage(uid, 0, listOf(new long[SLOTS]), Map.of(), counted)));
        return all;
    }

    /** Returns what all connections of the account's user hold now. */
    public Usage usage(Account account) {
        return usage(account.user);
    }

    private static Usage usage(User user) {
        Map<Long, List<Long>> byActor = new HashMap<>();
        for (Share share : user.shares.values()) {
            if (!isZero(share.used)) {
                byActor.put(share.actor.uid, listOf(share.used));
            }
        }
        return new Usage(user.uid, user.accounts, listOf(user.used), byActor, user.tally);
    }

    private static List<Long> listOf(long[] amounts) {
        return Arrays.stream(amounts).boxed().toList();
    }
}
