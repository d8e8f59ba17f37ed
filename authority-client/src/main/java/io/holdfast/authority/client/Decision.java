package io.holdfast.authority.client;

import java.util.Map;
import java.util.Optional;

/**
 * An answer of an authority.
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
 * <p>Whatever goes wrong on the way to an answer is a refusal with a {@link #failure}: nobody has
 * to decide what an exception means. Immutable.
 *
 * @param isAuthorized whether the process may do it
 * @param isChallenge whether it could, if somebody authenticated; never together with {@code
 *     isAuthorized}
 * @param details what the authority says beside it: {@code polkit.result}, {@code
 *     polkit.temporary_authorization_id}, {@code polkit.dismissed} …
 * @param failure why there is no answer, if there is none
 * @param explanation how the decision came to be, where the authority explains it
 */
public record Decision(
        boolean isAuthorized,
        boolean isChallenge,
        Map<String, String> details,
        Optional<String> failure,
        Optional<Explanation> explanation) {
    /**
     * Makes a decision.
     *
     * @throws IllegalArgumentException if it is authorized, and also a challenge or failed
     */
    public Decision {
        details = Map.copyOf(details);
        if (isAuthorized && (isChallenge || failure.isPresent())) {
            throw new IllegalArgumentException("authorized, and also a challenge or a failure");
        }
    }

    /**
     * {@return a refusal for want of an answer}
     *
     * @param failure why there is none, in one line
     */
    public static Decision refused(String failure) {
        return new Decision(false, false, Map.of(), Optional.of(failure), Optional.empty());
    }
}
