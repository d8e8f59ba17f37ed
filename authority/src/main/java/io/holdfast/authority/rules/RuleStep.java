package io.holdfast.authority.rules;

import io.holdfast.authority.action.Place;

/**
 * One function that ran.
 *
 * @param place where it was added
 * @param result what it returned, for people: {@code "yes"}, {@code nothing}, {@code failed: …}
 */
public record RuleStep(Place place, String result) {}
