package io.holdfast.authority.rules;

import io.holdfast.core.machine.Accounts;
import io.holdfast.core.machine.Accounts.Account;
import io.holdfast.core.machine.Accounts.UnknownAccountException;
import io.holdfast.core.process.Spawn;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The user that programs of rules ({@code polkit.spawn}) run as, instead of root. Thread-safe.
 *
 * <p>polkitd as a whole runs as the user {@value #POLKITD}. An authority that root starts stays
 * root, so that it can use any bus and folder; only the programs of rules lose that power.
 */
public final class ProgramUser {
    /** The user of polkit's own daemon. */
    public static final String POLKITD = "polkitd";

    private final Accounts accounts;
    private final String name;
    private volatile @Nullable Account account;
    private volatile @Nullable List<Long> groups;

    private ProgramUser(Accounts accounts, String name, @Nullable Account account) {
        this.accounts = accounts;
        this.name = name;
        this.account = account;
    }

    /**
     * Looks up a user among these accounts.
     *
     * @return empty if there is none
     * @throws UnknownAccountException if no source of the user database answers
     */
    public static Optional<ProgramUser> find(Accounts accounts, String name)
            throws UnknownAccountException, InterruptedException {
        return accounts.findUser(name).map(found -> new ProgramUser(accounts, name, found));
    }

    /**
     * Makes a user that is looked up when a program is to run, for a user database that does not
     * answer yet. No program runs before it answers, or if there is no such user.
     */
    public static ProgramUser lookedUpLater(Accounts accounts, String name) {
        return new ProgramUser(accounts, name, null);
    }

    /**
     * Makes a program run as this user, with the user's groups. Blocks to look up user and groups,
     * until that has succeeded once.
     *
     * @throws UnknownAccountException if no source of the user database answers, or there is no
     *     such user
     */
    public Spawn applied(Spawn program) throws UnknownAccountException, InterruptedException {
        Account found = account;
        if (found == null) {
            found =
                    accounts.findUser(name)
                            .orElseThrow(
                                    () -> new UnknownAccountException("there is no user " + name));
            account = found;
        }
        List<Long> known = groups;
        if (known == null) {
            known = accounts.groupsOf(found);
            groups = known;
        }
        return program.user(found.uid(), found.gid()).groups(known);
    }

    @Override
    public String toString() {
        return name;
    }
}
