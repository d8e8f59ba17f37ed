package io.holdfast.authority;

import io.holdfast.authority.rules.RuleMetrics;
import io.holdfast.authority.temporary.TemporaryAuthorizations;
import io.holdfast.core.limit.Limit;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What an authority has done since it began, and what it holds at one moment.
 *
 * @param checks that have ended, by their answer
 * @param refusals calls of clients that ended with an error, by its kind
 * @param openDialogs authentications that users are asked for now
 * @param agents that are registered now
 * @param agentsRegistered since the start
 * @param temporaryAuthorizations that are in force
 * @param users what each user holds of a limit; those who hold nothing are left out
 * @param rules how the rules are doing
 */
public record AuthorityMetrics(
        Map<Answer, Long> checks,
        Map<AuthorityException.Kind, Long> refusals,
        int openDialogs,
        int agents,
        long agentsRegistered,
        int temporaryAuthorizations,
        List<OfUser> users,
        RuleMetrics rules) {
    public AuthorityMetrics {
        checks = Map.copyOf(checks);
        refusals = Map.copyOf(refusals);
        users = List.copyOf(users);
    }

    /** The answer to a check. */
    public enum Answer {
        YES,
        NO,
        CHALLENGE,
        /** The check failed, was not allowed, or was cancelled. */
        ERROR;

        /** {@code yes} */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Of what one user may hold a limited number. */
    public enum Account {
        /** Checks that are not answered; root's are not limited. */
        CHECKS(AuthorityLimits.CHECKS_OF_USER),
        AGENTS(AuthorityLimits.AGENTS_OF_USER),
        /** Dialogs that his agents have not answered. */
        DIALOGS(AuthorityLimits.DIALOGS_OF_USER),
        /** Attempts to authenticate that his agents have under way. */
        ATTEMPTS(AuthorityLimits.ATTEMPTS_OF_USER),
        TEMPORARY_AUTHORIZATIONS(TemporaryAuthorizations.PER_USER);

        private final Limit limit;

        Account(Limit limit) {
            this.limit = limit;
        }

        /** How many one user may hold. */
        public long limit() {
            return limit.value();
        }

        /** {@code temporary_authorizations} */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * What one user holds.
     *
     * @param held at least one
     */
    public record OfUser(long uid, Account account, long held) {
        /** Whether he may hold no more. */
        public boolean isAtLimit() {
            return held >= account.limit() && !(account == Account.CHECKS && uid == 0);
        }
    }
}
