package io.holdfast.authority.rules;

import io.holdfast.core.machine.Accounts;
import io.holdfast.core.machine.Accounts.Account;
import io.holdfast.core.machine.Accounts.UnknownAccountException;
import io.holdfast.core.process.Spawn;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The user whom the programs of rules ({@code polkit.spawn}) run as, in place of root. Thread-safe.
 *
 * <p>polkitd becomes the user {@value #POLKITD} as a whole. An authority that root starts stays
 * root, so that it can be given any bus and folder, and gives up what rules could do with that.
 */
public final class ProgramUser {
    /** The user of polkit's own daemon. */
    public static final String POLKITD = "polkitd";

    private final Accounts accounts;
    private final Account account;
    private volatile @Nullable List<Long> groups;

    private ProgramUser(Accounts accounts, Account account) {
        this.accounts = accounts;
        this.account = account;
    }

    /**
     * Looks a user of this machine up.
     *
     * @return empty if there is none
     * @throws UnknownAccountException if nobody could be asked
     */
    public static Optional<ProgramUser> find(String name)
            throws UnknownAccountException, InterruptedException {
        return find(Accounts.SYSTEM, name);
    }

    /**
     * Looks a user up among these accounts.
     *
     * @return empty if there is none
     * @throws UnknownAccountException if nobody could be asked
     */
    public static Optional<ProgramUser> find(Accounts accounts, String name)
            throws UnknownAccountException, InterruptedException {
        return accounts.findUser(name).map(account -> new ProgramUser(accounts, account));
    }

    /**
     * Has a program run as this user, with the groups that the user is in. Blocks when it asks for
     * those, the first time.
     *
     * @throws UnknownAccountException if nobody could be asked
     */
    public Spawn applied(Spawn program) throws UnknownAccountException, InterruptedException {
        List<Long> known = groups;
        if (known == null) {
            known = accounts.groupsOf(account);
            groups = known;
        }
        return program.user(account.uid(), account.gid()).groups(known);
    }

    @Override
    public String toString() {
        return account.name();
    }
}
