package io.holdfast.authority.rules;

import io.holdfast.authority.action.SourceLine;

/**
 * A function that ran in an evaluation, and its result.
 *
 * @param place where a file added it
 * @param result what it returned, for people: {@code "yes"}, {@code nothing}, {@code failed: …}
 */
public record RuleStep(SourceLine place, String result) {}
