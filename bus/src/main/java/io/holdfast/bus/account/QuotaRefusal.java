package io.holdfast.bus.account;

import static java.util.stream.Collectors.joining;

import io.holdfast.bus.account.Quota.Account;
import io.holdfast.bus.account.Quota.User;
import io.holdfast.bus.config.BusLimit;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The reason why a {@link Quota} refused a charge.
 *
 * @param text names the limit, how full it is, and the users that fill it; for people
 */
public record QuotaRefusal(BusLimit limit, String text) {
    static final QuotaRefusal NONE =
            new QuotaRefusal(BusLimit.MAX_BYTES_PER_USER, "nothing was refused");

    /** The most users that a refusal names. */
    private static final int MAX_NAMED = 16;

    static QuotaRefusal ofConnection(Account refused, User by, BusLimit over, long taken) {
        int slot = over == BusLimit.MAX_OUTGOING_UNIX_FDS ? Quota.FDS : Quota.BYTES;
        boolean ofQueue = slot == Quota.FDS || over == BusLimit.MAX_OUTGOING_BYTES;
        return new QuotaRefusal(
                over,
                over
                        + " of "
                        + refused.label
                        + usage(taken, refused.limits().get(over))
                        + onBehalf(refused, by)
                        + (ofQueue ? takenBy(refused.senders.held(slot)) : ""));
    }

    static QuotaRefusal ofUser(Account refused, User by, BusLimit over, long taken) {
        int slot = Quota.slotOf(over);
        Map<Long, Long> held = new LinkedHashMap<>();
        if (slot >= 0) {
            refused.user.shares.forEach((actor, share) -> held.put(actor.uid, share.used[slot]));
        }
        return new QuotaRefusal(
                over,
                over
                        + " of user "
                        + refused.user.uid
                        + usage(taken, refused.limits().get(over))
                        + asked(refused)
                        + onBehalf(refused, by)
                        + takenBy(held));
    }

    /** Of the memory of the tables. */
    static QuotaRefusal ofMemory(Account refused, long taken, long most) {
        User user = refused.user;
        return new QuotaRefusal(
                BusLimit.MAX_TABLE_BYTES,
                BusLimit.MAX_TABLE_BYTES
                        + usage(taken, most)
                        + ", %d by user %d".formatted(user.tables, user.uid)
                        + asked(refused));
    }

    /** Of the connections of the bus, as all users share them. */
    static QuotaRefusal ofCompleted(Account refused, long taken, Iterable<User> users) {
        BusLimit over = BusLimit.MAX_COMPLETED_CONNECTIONS;
        Map<Long, Long> held = new LinkedHashMap<>();
        users.forEach(user -> held.put(user.uid, (long) user.completed));
        return ofProcess(
                refused, over, over + usage(taken, refused.limits().get(over)) + takenBy(held));
    }

    /**
     * @param why the text of the refusal, without the connection that was refused
     */
    static QuotaRefusal ofProcess(Account refused, BusLimit over, String why) {
        return new QuotaRefusal(over, why + "; " + refused.label + " asked for more");
    }

    private static String usage(long taken, long most) {
        return ": %d of %d used".formatted(taken, most);
    }

    private static String asked(Account refused) {
        return ", " + refused.label + " asked for more";
    }

    private static String onBehalf(Account refused, User actor) {
        return actor.uid == refused.user.uid ? "" : " on behalf of user " + actor.uid;
    }

    private static String takenBy(Map<Long, Long> amounts) {
        amounts.values().removeIf(amount -> amount == 0);
        String users =
                amounts.entrySet().stream()
                        .limit(MAX_NAMED)
                        .map(one -> "user " + one.getKey() + ": " + one.getValue())
                        .collect(joining(", "));
        return users.isEmpty()
                ? ""
                : "; taken by " + users + (amounts.size() > MAX_NAMED ? ", \u2026" : "");
    }

    @Override
    public String toString() {
        return text;
    }
}
