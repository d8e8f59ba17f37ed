package io.holdfast.manager.access;

import io.holdfast.core.limit.CoreLimits;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.machine.Accounts.UnknownAccountException;
import io.holdfast.core.socket.Peer;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.view.UnitStatus;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Decides who may read the log lines of a unit, as systemd does for its journal: root and the
 * manager's own user, the user that the unit runs as, and members of the groups {@code adm} and
 * {@code systemd-journal}, where these exist. A peer is judged by the user and the groups that it
 * had when it connected. Safe for use by any thread.
 */
public final class LogReaders {
    /** Groups whose members may read all logs, where they exist. */
    static final List<String> GROUPS = List.of("adm", "systemd-journal");

    /**
     * The user nobody. The unmapped users of a user namespace appear as this user too, so it does
     * not identify anybody.
     */
    private static final long OVERFLOW_UID = 65534;

    private final ManagerView manager;
    private final Accounts accounts;
    private volatile @Nullable Groups known;

    private record Groups(Set<Long> gids, long time) {
        boolean isFresh() {
            return System.nanoTime() - time < CoreLimits.ACCOUNT_AGE.duration().toNanos();
        }
    }

    public LogReaders(ManagerView manager, Accounts accounts) {
        this.manager = manager;
        this.accounts = accounts;
    }

    /**
     * Decides whether the peer may read the lines. Does not block; a worker looks up the groups.
     *
     * @param peer lent until this returns
     * @param user whose runs wrote all lines ({@link UnitStatus#logUser})
     */
    public CompletableFuture<Boolean> mayRead(Peer peer, OptionalLong user) {
        boolean own = user.isPresent() && peer.uid() == user.getAsLong();
        if (Permission.isOwner(peer) || (own && peer.uid() != OVERFLOW_UID)) {
            return CompletableFuture.completedFuture(true);
        }
        Set<Long> groups = new HashSet<>(peer.groups());
        groups.add(peer.gid());
        Groups now = known;
        CompletableFuture<Set<Long>> readers =
                now != null && now.isFresh()
                        ? CompletableFuture.completedFuture(now.gids())
                        : manager.work("the groups that may read logs", this::lookUp);
        return readers.thenApply(gids -> gids.stream().anyMatch(groups::contains));
    }

    /** Looks up the groups. Blocking. A group that cannot be looked up grants no access. */
    private Set<Long> lookUp() throws InterruptedException {
        Groups before = known;
        if (before != null && before.isFresh()) {
            return before.gids();
        }
        Set<Long> gids = new HashSet<>();
        for (String name : GROUPS) {
            try {
                accounts.findGroup(name).ifPresent(gids::add);
            } catch (UnknownAccountException e) {
                // the name service does not answer
            }
        }
        known = new Groups(Set.copyOf(gids), System.nanoTime());
        return gids;
    }
}
