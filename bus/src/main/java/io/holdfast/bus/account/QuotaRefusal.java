package io.holdfast.bus.account;

import io.holdfast.bus.account.Quota.Account;
import io.holdfast.bus.account.Quota.Share;
import io.holdfast.bus.account.Quota.User;
import io.holdfast.bus.config.BusLimit;
import org.jspecify.annotations.Nullable;

/** The reason why a {@link Quota} refused the last charge. */
public final class QuotaRefusal {
    /** The most users that a refusal names. */
    static final int MAX_NAMED = 16;

    private enum Scope {
        CONNECTION,
        USER,
        MEMORY,
        PROCESS
    }

    private @Nullable Account account;
    private @Nullable User actor;
    private BusLimit limit = BusLimit.MAX_BYTES_PER_USER;
    private Scope scope = Scope.CONNECTION;
    private long used;
    private long most;
    private boolean first;
    private String text = "";

    void ofConnection(Account refused, User by, BusLimit over, long taken) {
        set(refused, by, over, taken, Scope.CONNECTION);
        first = true;
    }

    /**
     * @param once whether it is the first refusal between these two users
     */
    void ofUser(Account refused, User by, BusLimit over, long taken, boolean once) {
        set(refused, by, over, taken, Scope.USER);
        first = once;
    }

    void ofMemory(Account refused, BusLimit over, long taken, long there) {
        set(refused, null, over, taken, Scope.MEMORY);
        most = there;
        first = true;
    }

    /** Of the connections of the bus, as all users share them. */
    void ofCompleted(Account refused, long taken, Iterable<User> users) {
        StringBuilder why = new StringBuilder(BusLimit.MAX_COMPLETED_CONNECTIONS.toString());
        why.append(": ").append(taken).append(" of ");
        why.append(refused.limits().get(BusLimit.MAX_COMPLETED_CONNECTIONS)).append(" used");
        String separator = "; taken by ";
        int named = 0;
        for (User user : users) {
            if (user.completed > 0 && named++ < MAX_NAMED) {
                why.append(separator).append("user ").append(user.uid);
                why.append(": ").append(user.completed);
                separator = ", ";
            }
        }
        why.append(named > MAX_NAMED ? ", \u2026" : "");
        ofProcess(refused, BusLimit.MAX_COMPLETED_CONNECTIONS, why.toString());
    }

    /**
     * @param why the text of the refusal, without the connection that was refused
     */
    void ofProcess(Account refused, BusLimit over, String why) {
        set(refused, null, over, 0, Scope.PROCESS);
        text = why;
        first = true;
    }

    private void set(Account refused, @Nullable User by, BusLimit over, long taken, Scope of) {
        account = refused;
        actor = by;
        limit = over;
        used = taken;
        scope = of;
    }

    BusLimit limit() {
        return limit;
    }

    /**
     * Returns whether it was the first refusal between these two users, which is worth a warning.
     */
    boolean isFirst() {
        return first;
    }

    /** Names the limit, how full it is, and the users that fill it. For people. */
    @Override
    public String toString() {
        Account refused = account;
        if (refused == null) {
            return "nothing was refused";
        }
        User user = refused.user;
        if (scope == Scope.PROCESS) {
            return text + "; " + refused.label + " asked for more";
        }
        StringBuilder text = new StringBuilder(limit.toString());
        switch (scope) {
            case CONNECTION -> text.append(" of ").append(refused.label);
            case USER -> text.append(" of user ").append(user.uid);
            case MEMORY, PROCESS -> {}
        }
        text.append(": ").append(used).append(" of ");
        text.append(scope == Scope.MEMORY ? most : refused.limits().get(limit)).append(" used");
        if (scope == Scope.MEMORY) {
            text.append(", ").append(user.tables).append(" by user ").append(user.uid);
        }
        if (scope != Scope.CONNECTION) {
            text.append(", ").append(refused.label).append(" asked for more");
        }
        if (actor != null && actor.uid != user.uid) {
            text.append(" on behalf of user ").append(actor.uid);
        }
        if (scope == Scope.CONNECTION) {
            appendSenders(text, refused);
        } else {
            appendTakers(text, user);
        }
        return text.toString();
    }

    /** Names the users who fill the queue of a connection. */
    private void appendSenders(StringBuilder text, Account refused) {
        int slot = limit == BusLimit.MAX_OUTGOING_UNIX_FDS ? Quota.FDS : Quota.BYTES;
        boolean ofQueue = slot == Quota.FDS || limit == BusLimit.MAX_OUTGOING_BYTES;
        if (ofQueue && refused.senders.used[slot] > 0) {
            text.append("; taken by ");
            refused.senders.appendTo(text, slot);
        }
    }

    private void appendTakers(StringBuilder text, User user) {
        int slot = Quota.slotOf(limit);
        if (slot < 0) {
            return;
        }
        String separator = "; taken by ";
        int named = 0;
        for (Share share : user.shares.values()) {
            if (share.used[slot] > 0 && named++ < MAX_NAMED) {
                text.append(separator).append("user ").append(share.actor.uid);
                text.append(": ").append(share.used[slot]);
                separator = ", ";
            }
        }
    }
}
