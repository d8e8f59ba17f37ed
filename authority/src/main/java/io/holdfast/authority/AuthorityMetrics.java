package io.holdfast.authority;

import io.holdfast.authority.rules.RuleMetrics;
import io.holdfast.authority.temporary.TemporaryAuthorizations;
import io.holdfast.core.limit.Limit;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What an authority has done since its start, and what it holds now.
 *
 * @param checks ended checks, by answer
 * @param refusals calls of clients that ended with an error, by kind
 * @param openDialogs authentication dialogs that are open now
 * @param agents agents that are registered now
 * @param agentsRegistered agents that have registered since the start
 * @param temporaryAuthorizations temporary authorizations in force
 * @param users what each user holds of a limit; a user who holds nothing is left out
 * @param rules the metrics of the rules
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

        /** Returns the answer as a label, such as {@code yes}. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** A resource of which each user may hold a limited number. */
    public enum Account {
        /** Unanswered checks; root's are not limited. */
        CHECKS(AuthorityLimits.CHECKS_OF_USER),
        AGENTS(AuthorityLimits.AGENTS),
        /** Dialogs that the user's agents have not answered. */
        DIALOGS(AuthorityLimits.DIALOGS_OF_USER),
        /** Authentication attempts of the user's agents that are under way. */
        ATTEMPTS(AuthorityLimits.ATTEMPTS_OF_USER),
        TEMPORARY_AUTHORIZATIONS(TemporaryAuthorizations.PER_USER);

        private final Limit limit;

        Account(Limit limit) {
            this.limit = limit;
        }

        /** Returns how many one user may hold. */
        public long limit() {
            return limit.value();
        }

        /** Returns the account as a label, such as {@code temporary_authorizations}. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * What one user holds of one resource.
     *
     * @param held at least one
     */
    public record OfUser(long uid, Account account, long held) {
        /** Returns whether the user may hold no more. */
        public boolean isAtLimit() {
            return held >= account.limit() && !(account == Account.CHECKS && uid == 0);
        }
    }
}
