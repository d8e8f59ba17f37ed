package io.holdfast.authority.client;

import java.util.Map;
import java.util.Optional;

/**
 * An answer of an authority. Whatever goes wrong on the way to it is a refusal with a {@link
 * #failure}: nobody has to decide what an exception means.
 *
 * @param isAuthorized whether it may be done
 * @param isChallenge whether it could be, if somebody authenticated
 * @param details what the authority tells beside it: {@code polkit.result}, {@code
 *     polkit.temporary_authorization_id} …
 * @param failure why there is no answer, if there is none
 * @param explanation how it came to be, where the authority tells and we may know
 */
public record Decision(
        boolean isAuthorized,
        boolean isChallenge,
        Map<String, String> details,
        Optional<String> failure,
        Optional<Explanation> explanation) {
    /**
     * @throws IllegalArgumentException if it is authorized, and also a challenge or failed
     */
    public Decision {
        details = Map.copyOf(details);
        if (isAuthorized && (isChallenge || failure.isPresent())) {
            throw new IllegalArgumentException("authorized, and not");
        }
    }

    /** A refusal for want of an answer. */
    public static Decision refused(String failure) {
        return new Decision(false, false, Map.of(), Optional.of(failure), Optional.empty());
    }
}
