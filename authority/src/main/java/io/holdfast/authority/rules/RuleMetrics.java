package io.holdfast.authority.rules;

/**
 * How the rules are doing.
 *
 * @param evaluators threads that serve
 * @param stuck threads that were given up in a built-in function and still run; their users' shares
 *     stay charged with them
 * @param stuckEver how many were given up since the start
 * @param programs of {@code polkit.spawn} under way
 */
public record RuleMetrics(int evaluators, int stuck, long stuckEver, int programs) {}
