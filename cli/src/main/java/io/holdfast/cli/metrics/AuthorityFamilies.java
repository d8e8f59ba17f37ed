package io.holdfast.cli.metrics;

import io.holdfast.authority.AuthorityMetrics;
import io.holdfast.authority.rules.RuleMetrics;

/**
 * The metrics of an authority: its answers, its dialogs and agents, and the usage of its limits.
 */
public final class AuthorityFamilies {
    private final MetricFamilies families = new MetricFamilies("holdfast_authority_");

    private AuthorityFamilies() {}

    /** Returns the metrics in the OpenMetrics format. */
    public static String text(AuthorityMetrics metrics) {
        AuthorityFamilies all = new AuthorityFamilies();
        all.clients(metrics);
        all.users(metrics);
        all.rules(metrics.rules());
        return all.families.text();
    }

    private void clients(AuthorityMetrics metrics) {
        families.counter(
                "checks",
                "Finished checks, by answer.",
                samples ->
                        metrics.checks()
                                .forEach((answer, count) ->
                                        samples.add(count, "answer", answer.word())));
        families.counter(
                "refused_calls",
                "Calls that failed, by the last part of the error name.",
                samples ->
                        metrics.refusals()
                                .forEach(
                                        (kind, count) -> samples.add(count, "error", kind.word())));
        families.gauge("dialogs", "Open authentication dialogs.", metrics.openDialogs());
        families.gauge("agents", "Currently registered authentication agents.", metrics.agents());
        families.counter(
                "registered_agents",
                "Registrations of authentication agents.",
                metrics.agentsRegistered());
        families.gauge(
                "temporary_authorizations",
                "Temporary authorizations that are in force.",
                metrics.temporaryAuthorizations());
    }

    private void users(AuthorityMetrics metrics) {
        families.gauge(
                "user_charges",
                "Units of a limit charged to the user.",
                samples ->
                        metrics.users()
                                .forEach(user ->
                                        samples.add(
                                                user.held(),
                                                "account",
                                                user.account().word(),
                                                "uid",
                                                Long.toString(user.uid()))));
        families.gauge(
                "users_at_limit",
                "Users who have reached their limit.",
                samples -> {
                    for (AuthorityMetrics.Account account : AuthorityMetrics.Account.values()) {
                        long full =
                                metrics.users().stream()
                                        .filter(user -> user.account() == account)
                                        .filter(AuthorityMetrics.OfUser::isAtLimit)
                                        .count();
                        samples.add(full, "account", account.word());
                    }
                });
    }

    private void rules(RuleMetrics rules) {
        families.counter("rule_evaluations", "Finished rule evaluations.", rules.evaluations());
        families.counter("rule_timeouts", "Rule evaluations that timed out.", rules.timeouts());
        families.counter("rule_refusals", "Rule evaluations that were refused.", rules.refusals());
        families.gauge("rule_threads", "Threads that evaluate rules.", rules.evaluators());
        families.gauge(
                "stuck_rule_threads", "Abandoned rule threads that still run.", rules.stuck());
        families.counter("abandoned_rule_threads", "Abandoned rule threads.", rules.stuckEver());
        families.gauge("rule_programs", "Running programs of polkit.spawn.", rules.programs());
    }
}
