package io.holdfast.authority.rules;

/**
 * How the rules are doing.
 *
 * @param evaluators threads that serve
 * @param stuck threads that were given up in a built-in function and still run; their users' shares
 *     stay charged with them
 * @param stuckEver how many were given up since the start
 * @param programs of {@code polkit.spawn} under way
 * @param evaluations that were answered since the start, of rules and of admin rules
 * @param timeouts of these, how many took longer than they may
 * @param refusals evaluations that never began: no evaluator was free, or their user had no share
 *     left
 */
public record RuleMetrics(
        int evaluators,
        int stuck,
        long stuckEver,
        int programs,
        long evaluations,
        long timeouts,
        long refusals) {}
