package io.holdfast.cli.permission;

import io.holdfast.authority.rules.ProgramUser;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.machine.Accounts.UnknownAccountException;
import io.holdfast.core.sys.Unistd;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * How rules run their programs ({@code polkit.spawn}).
 *
 * @param limits of all rules; they allow no program where {@code polkit.spawn} is to fail
 * @param user whom programs run as; empty for the user of this process
 */
record RulePrograms(RuleLimits limits, Optional<ProgramUser> user) {

    /** No program runs: {@code polkit.spawn} fails. */
    static RulePrograms none() {
        RuleLimits standard = RuleLimits.STANDARD;
        return new RulePrograms(
                standard.withPrograms(0, standard.program(), standard.output()), Optional.empty());
    }

    /**
     * As the authority of this process's user runs them: root's as {@value ProgramUser#POLKITD}, if
     * there is such a user. While nobody answers whether there is, no program runs, rather than as
     * root: each asks again. The authority itself starts. Blocks for as long as the accounts do.
     *
     * @param warn receives a line if programs run as root, or do not run
     */
    static RulePrograms ofAuthority(Accounts accounts, Consumer<String> warn)
            throws InterruptedException {
        if (Unistd.geteuid() != 0) {
            return new RulePrograms(RuleLimits.STANDARD, Optional.empty());
        }
        Optional<ProgramUser> user;
        try {
            user = ProgramUser.find(accounts, ProgramUser.POLKITD);
        } catch (UnknownAccountException e) {
            warn.accept(
                    "user "
                            + ProgramUser.POLKITD
                            + ": not known whether there is one: "
                            + e.getMessage()
                            + "; no program of rules (polkit.spawn) runs until it is");
            ProgramUser later = ProgramUser.lookedUpLater(accounts, ProgramUser.POLKITD);
            return new RulePrograms(RuleLimits.STANDARD, Optional.of(later));
        }
        if (user.isEmpty()) {
            warn.accept(
                    "there is no user "
                            + ProgramUser.POLKITD
                            + ": programs of rules (polkit.spawn) run as root");
        }
        return new RulePrograms(RuleLimits.STANDARD, user);
    }
}
