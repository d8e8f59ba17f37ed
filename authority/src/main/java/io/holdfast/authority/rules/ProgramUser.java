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
    private final String name;
    private volatile @Nullable Account account;
    private volatile @Nullable List<Long> groups;

    private ProgramUser(Accounts accounts, String name, @Nullable Account account) {
        this.accounts = accounts;
        this.name = name;
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
        return accounts.findUser(name).map(found -> new ProgramUser(accounts, name, found));
    }

    /**
     * A user whom nobody could be asked about yet: he is looked up when a program is to run, and
     * none runs before there is an answer, nor where there is no such user.
     */
    public static ProgramUser lookedUpLater(Accounts accounts, String name) {
        return new ProgramUser(accounts, name, null);
    }

    /**
     * Has a program run as this user, with the groups that the user is in. Blocks where it has to
     * look these up, until that has succeeded once.
     *
     * @throws UnknownAccountException if nobody could be asked, or there is no such user
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
