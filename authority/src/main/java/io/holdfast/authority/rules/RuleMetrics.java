package io.holdfast.authority.rules;

/**
 * Metrics of the rule engine.
 *
 * @param evaluators threads that evaluate rules
 * @param stuck abandoned threads that still run in a built-in function; they stay charged to their
 *     users' shares
 * @param stuckEver threads that were abandoned since the start
 * @param programs programs of {@code polkit.spawn} under way
 * @param evaluations evaluations of rules and admin rules that were answered since the start
 * @param timeouts how many of these exceeded their time limit
 * @param refusals evaluations that never began: no evaluator was free, or the user's share was used
 *     up
 */
public record RuleMetrics(
        int evaluators,
        int stuck,
        long stuckEver,
        int programs,
        long evaluations,
        long timeouts,
        long refusals) {}
