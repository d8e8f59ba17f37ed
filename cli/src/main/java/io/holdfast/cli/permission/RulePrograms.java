package io.holdfast.cli.permission;

import io.holdfast.authority.rules.ProgramUser;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.machine.Accounts.UnknownAccountException;
import io.holdfast.core.sys.Unistd;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The limits and the user with which rules run programs ({@code polkit.spawn}).
 *
 * @param limits the limits of rules; they allow no program if {@code polkit.spawn} must fail
 * @param user the user that programs run as; empty for the user of this process
 */
record RulePrograms(RuleLimits limits, Optional<ProgramUser> user) {

    /** Returns limits with which no program runs: {@code polkit.spawn} fails. */
    static RulePrograms none() {
        RuleLimits standard = RuleLimits.standard();
        return new RulePrograms(
                standard.withPrograms(
                        0, standard.programs().duration(), standard.programs().output()),
                Optional.empty());
    }

    /**
     * Returns how an authority of this process's user runs programs. If that is root, programs run
     * as the user {@value ProgramUser#POLKITD} if it exists, else as root. If the look-up of that
     * user fails, the authority still starts, but no program runs until the user is found: each
     * program looks it up again, rather than run as root. Blocks as long as the look-up does.
     *
     * @param warn receives a line if programs run as root, or cannot run
     */
    static RulePrograms ofAuthority(Accounts accounts, Consumer<String> warn)
            throws InterruptedException {
        if (Unistd.geteuid() != 0) {
            return new RulePrograms(RuleLimits.standard(), Optional.empty());
        }
        Optional<ProgramUser> user;
        try {
            user = ProgramUser.find(accounts, ProgramUser.POLKITD);
        } catch (UnknownAccountException e) {
            warn.accept(
                    "user "
                            + ProgramUser.POLKITD
                            + ": look-up failed: "
                            + e.getMessage()
                            + "; polkit.spawn fails until a look-up succeeds");
            ProgramUser later = ProgramUser.lookedUpLater(accounts, ProgramUser.POLKITD);
            return new RulePrograms(RuleLimits.standard(), Optional.of(later));
        }
        if (user.isEmpty()) {
            warn.accept(
                    "user "
                            + ProgramUser.POLKITD
                            + ": no such user; programs of polkit.spawn run as root");
        }
        return new RulePrograms(RuleLimits.standard(), user);
    }
}
