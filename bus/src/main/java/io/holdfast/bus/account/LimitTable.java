package io.holdfast.bus.account;

import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.config.Limits;
import io.holdfast.bus.policy.ConfiguredAccounts;
import io.holdfast.bus.policy.Party;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.machine.Accounts.UnknownAccountException;
import io.holdfast.core.machine.SubordinateUids;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The limits of each user: those for all users, those of users with their own, and those of the
 * owners of names with their own. Immutable.
 *
 * @param all the limits of every user without its own
 * @param users limits by uid
 * @param names the limits that differ for the owner of a name
 * @param unknown one line for each configured user that this machine does not have
 * @param subordinates the uids that count as the user to whom they are delegated
 */
public record LimitTable(
        Limits all,
        Map<Long, Limits> users,
        Map<String, Map<BusLimit, Long>> names,
        List<String> unknown,
        SubordinateUids subordinates) {
    public LimitTable {
        users = Map.copyOf(users);
        names = Map.copyOf(names);
        unknown = List.copyOf(unknown);
    }

    /** Returns a table without limits of single users and names. */
    static LimitTable of(Limits all) {
        return new LimitTable(all, Map.of(), Map.of(), List.of(), SubordinateUids.none());
    }

    /**
     * Resolves the users that the limits name. Looks users up, and may block. Any thread may call
     * it.
     */
    public static LimitTable compile(Limits limits, Accounts accounts) throws InterruptedException {
        ConfiguredAccounts named = new ConfiguredAccounts(accounts);
        Map<Long, Limits> users = new HashMap<>();
        List<String> unknown = new ArrayList<>();
        for (Map.Entry<String, Map<BusLimit, Long>> one : limits.ofUsers().entrySet()) {
            try {
                long uid = named.uid(one.getKey());
                users.put(uid, with(users.getOrDefault(uid, limits), one.getValue()));
            } catch (UnknownAccountException e) {
                unknown.add("<limit user=\"" + one.getKey() + "\">: " + e.getMessage());
            }
        }
        return new LimitTable(limits, users, limits.ofNames(), unknown, SubordinateUids.ofSystem());
    }

    private static Limits with(Limits base, Map<BusLimit, Long> changes) {
        Limits changed = base;
        for (Map.Entry<BusLimit, Long> one : changes.entrySet()) {
            changed = changed.with(one.getKey(), one.getValue());
        }
        return changed;
    }

    /** Returns the user to whom a uid is charged. */
    public long userOf(long uid) {
        return subordinates.ownerOf(uid);
    }

    Limits ofUser(long uid) {
        return users.getOrDefault(uid, all);
    }

    /**
     * Returns the limits of a connection, given the names that it owns: if several of them have a
     * value for a limit, the largest counts.
     */
    public Limits ofConnection(long uid, Party connection) {
        Limits base = ofUser(uid);
        Map<BusLimit, Long> changes = new HashMap<>();
        for (int i = 0; i < connection.names(); i++) {
            if (connection.isPrimary(i)) {
                names.getOrDefault(connection.name(i), Map.of())
                        .forEach((limit, value) -> changes.merge(limit, value, Long::max));
            }
        }
        return with(base, changes);
    }
}
