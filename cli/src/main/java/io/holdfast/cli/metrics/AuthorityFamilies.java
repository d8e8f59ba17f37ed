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
                "Checks that have ended, by their answer.",
                samples ->
                        metrics.checks()
                                .forEach((answer, count) ->
                                        samples.add(count, "answer", answer.word())));
        families.counter(
                "refused_calls",
                "Calls that ended with an error, by the last part of its name.",
                samples ->
                        metrics.refusals()
                                .forEach(
                                        (kind, count) -> samples.add(count, "error", kind.word())));
        families.gauge(
                "dialogs", "Authentications that users are asked for.", metrics.openDialogs());
        families.gauge("agents", "Authentication agents that are registered.", metrics.agents());
        families.counter(
                "registered_agents",
                "Authentication agents that have registered.",
                metrics.agentsRegistered());
        families.gauge(
                "temporary_authorizations",
                "Temporary authorizations that are in force.",
                metrics.temporaryAuthorizations());
    }

    private void users(AuthorityMetrics metrics) {
        families.gauge(
                "user_charges",
                "What a user holds of a limit.",
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
                "Users who may hold no more.",
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
        families.counter(
                "rule_evaluations",
                "Evaluations of rules that were answered.",
                rules.evaluations());
        families.counter(
                "rule_timeouts", "Evaluations that took longer than they may.", rules.timeouts());
        families.counter("rule_refusals", "Evaluations that could not begin.", rules.refusals());
        families.gauge("rule_threads", "Threads that evaluate rules.", rules.evaluators());
        families.gauge(
                "stuck_rule_threads", "Threads that were given up and still run.", rules.stuck());
        families.counter(
                "abandoned_rule_threads", "Threads that were given up.", rules.stuckEver());
        families.gauge("rule_programs", "Programs that rules wait for.", rules.programs());
    }
}
