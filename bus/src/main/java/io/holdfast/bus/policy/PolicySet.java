package io.holdfast.bus.policy;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.PolicyBlock;
import io.holdfast.bus.config.PolicyRule;
import io.holdfast.bus.config.PolicyRule.ConnectTest;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.machine.Accounts.UnknownAccountException;
import io.holdfast.core.process.CgroupPath;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The policy of a bus: who may connect, and what connected clients may do. The constructor looks
 * the names of users and groups up, once; a policy or rule about an unknown one is left out.
 *
 * <p>The policies for one peer follow each other: {@code default}, those of its groups, of its
 * user, of its cgroup, of the console, {@code mandatory}; in each as in the files. The last rule
 * that matches decides; if none matches, the answer is no. Not thread-safe.
 */
public final class PolicySet {
    /**
     * The most compiled policies that are kept, one for each kind of peer that policies
     * distinguish.
     */
    private static final int MAX_KEPT = 1024;

    private final long owner;
    private final List<String> unknown = new ArrayList<>();
    private final List<PolicyRule> defaults = new ArrayList<>();
    private final List<PolicyRule> mandatory = new ArrayList<>();
    private final Map<Long, List<PolicyRule>> users = new HashMap<>();
    private final Map<Long, List<PolicyRule>> groups = new HashMap<>();
    private final Map<CgroupPath, List<PolicyRule>> cgroups = new LinkedHashMap<>();
    private final List<PolicyRule> atConsole = new ArrayList<>();
    private final List<PolicyRule> awayFromConsole = new ArrayList<>();
    private final List<Connect> connects = new ArrayList<>();
    private final Map<Kind, PeerPolicy> kept = new HashMap<>();

    /** A rule about connecting, with numbers; null matches any. */
    private record Connect(PolicyRule rule, @Nullable Long uid, @Nullable Long gid) {}

    /** What policies distinguish in a peer. */
    private record Kind(long uid, List<Long> gids, List<CgroupPath> cgroups, boolean atConsole) {}

    /**
     * Looks up all users and groups that the policies name; that may block.
     *
     * @param owner the uid that the bus runs as, which may connect where no rule decides
     */
    public PolicySet(BusConfig config, Accounts database, long owner) throws InterruptedException {
        this.owner = owner;
        ConfiguredAccounts accounts = new ConfiguredAccounts(database);
        for (PolicyBlock block : config.policies()) {
            List<PolicyRule> rules =
                    switch (block.scope()) {
                        case PolicyBlock.Default _ -> defaults;
                        case PolicyBlock.Mandatory _ -> mandatory;
                        case PolicyBlock.ForConsole(boolean at) -> at ? atConsole : awayFromConsole;
                        case PolicyBlock.ForUser(String user) -> {
                            OptionalLong uid = uid(accounts, user, block.place());
                            yield uid.isPresent() ? listOf(users, uid.getAsLong()) : null;
                        }
                        case PolicyBlock.ForGroup(String group) -> {
                            OptionalLong gid = gid(accounts, group, block.place());
                            yield gid.isPresent() ? listOf(groups, gid.getAsLong()) : null;
                        }
                        case PolicyBlock.ForCgroup(CgroupPath path) ->
                                cgroups.computeIfAbsent(path, _ -> new ArrayList<>());
                    };
            if (rules != null) {
                rules.addAll(block.rules());
            }
        }
        addConnects(defaults, accounts);
        addConnects(mandatory, accounts);
    }

    private OptionalLong uid(ConfiguredAccounts accounts, String user, Object place)
            throws InterruptedException {
        try {
            return OptionalLong.of(accounts.uid(user));
        } catch (UnknownAccountException e) {
            unknown.add(place + ": " + e.getMessage() + ": ignored");
            return OptionalLong.empty();
        }
    }

    private OptionalLong gid(ConfiguredAccounts accounts, String group, Object place)
            throws InterruptedException {
        try {
            return OptionalLong.of(accounts.gid(group));
        } catch (UnknownAccountException e) {
            unknown.add(place + ": " + e.getMessage() + ": ignored");
            return OptionalLong.empty();
        }
    }

    private static List<PolicyRule> listOf(Map<Long, List<PolicyRule>> lists, long id) {
        return lists.computeIfAbsent(id, _ -> new ArrayList<>());
    }

    private void addConnects(List<PolicyRule> rules, ConfiguredAccounts accounts)
            throws InterruptedException {
        for (PolicyRule rule : rules) {
            if (rule.test() instanceof ConnectTest(@Nullable String user, @Nullable String group)) {
                if ("*".equals(user) || "*".equals(group)) {
                    connects.add(new Connect(rule, null, null));
                    continue;
                }
                if (user != null) {
                    uid(accounts, user, rule)
                            .ifPresent(uid -> connects.add(new Connect(rule, uid, null)));
                } else if (group != null) {
                    gid(accounts, group, rule)
                            .ifPresent(gid -> connects.add(new Connect(rule, null, gid)));
                }
            }
        }
    }

    /**
     * Returns one line, with its place, for each policy and rule about an unknown user or group.
     */
    public List<String> unknown() {
        return List.copyOf(unknown);
    }

    /**
     * Returns whether a user may connect.
     *
     * @param gids all groups, the primary one too
     */
    public boolean canConnect(long uid, long[] gids) {
        PolicyRule rule = connectRule(uid, gids);
        return rule == null ? uid == owner : rule.allow();
    }

    /**
     * Returns the rule that decides whether a user may connect; null if no rule does, and only the
     * user of the bus may.
     */
    public @Nullable PolicyRule connectRule(long uid, long[] gids) {
        for (int i = connects.size() - 1; i >= 0; i--) {
            Connect connect = connects.get(i);
            boolean matches =
                    connect.uid() != null
                            ? connect.uid() == uid
                            : connect.gid() == null || contains(gids, connect.gid());
            if (matches) {
                return connect.rule();
            }
        }
        return null;
    }

    private static boolean contains(long[] gids, long gid) {
        for (long one : gids) {
            if (one == gid) {
                return true;
            }
        }
        return false;
    }

    /**
     * Returns what a peer may do. Peers that the policies do not distinguish share one policy.
     *
     * @param gids all groups, the primary one too
     * @param isIn whether the peer is in a cgroup or below it; called for each cgroup with a policy
     * @param console whether the peer is at the console
     */
    public PeerPolicy forPeer(long uid, long[] gids, Predicate<CgroupPath> isIn, boolean console) {
        List<Long> known = new ArrayList<>();
        for (long gid : gids) {
            if (groups.containsKey(gid) && !known.contains(gid)) {
                known.add(gid);
            }
        }
        Kind kind =
                new Kind(
                        users.containsKey(uid) ? uid : -1,
                        List.copyOf(known),
                        cgroups.keySet().stream().filter(isIn).toList(),
                        console);
        PeerPolicy policy = kept.get(kind);
        if (policy == null) {
            if (kept.size() == MAX_KEPT) {
                kept.clear();
            }
            policy = compile(kind);
            kept.put(kind, policy);
        }
        return policy;
    }

    private PeerPolicy compile(Kind kind) {
        List<PolicyRule> rules = new ArrayList<>(defaults);
        for (long gid : kind.gids()) {
            rules.addAll(groups.getOrDefault(gid, List.of()));
        }
        rules.addAll(users.getOrDefault(kind.uid(), List.of()));
        for (CgroupPath path : kind.cgroups()) {
            rules.addAll(cgroups.getOrDefault(path, List.of()));
        }
        rules.addAll(kind.atConsole() ? atConsole : awayFromConsole);
        rules.addAll(mandatory);
        return new PeerPolicy(rules);
    }
}
