package io.holdfast.authority.client;

import java.util.Map;
import java.util.Optional;

/**
 * The decision of an authority.
 *
 * <pre>{@code
 * if (decision.isAuthorized()) {
 *     reboot();
 * } else if (decision.isChallenge()) {
 *     refuse("ask again with Option.INTERACTIVE");
 * } else {
 *     refuse(decision.failure().orElse("not authorized"));
 * }
 * }</pre>
 *
 * <p>Every failure on the way to an answer is a refusal with a {@link #failure}, so that callers
 * need not handle exceptions. Immutable.
 *
 * @param isAuthorized whether the process is authorized for the action
 * @param isChallenge whether an authentication could authorize it; never together with {@code
 *     isAuthorized}
 * @param details further details of the answer: {@code polkit.result}, {@code
 *     polkit.temporary_authorization_id}, {@code polkit.dismissed} …
 * @param failure why there is no answer; empty if there is one
 * @param explanation how the authority came to the decision, if it explains it
 */
public record Decision(
        boolean isAuthorized,
        boolean isChallenge,
        Map<String, String> details,
        Optional<String> failure,
        Optional<Explanation> explanation) {
    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if the decision is authorized, and also a challenge or
     *     failed
     */
    public Decision {
        details = Map.copyOf(details);
        if (isAuthorized && (isChallenge || failure.isPresent())) {
            throw new IllegalArgumentException("authorized, and also a challenge or a failure");
        }
    }

    /**
     * {@return a refusal because there is no answer}
     *
     * @param failure why there is no answer, in one line
     */
    public static Decision refused(String failure) {
        return new Decision(false, false, Map.of(), Optional.of(failure), Optional.empty());
    }
}
