package io.holdfast.authority;

import io.holdfast.authority.subject.Subject;
import java.util.Map;

/**
 * A request to check whether a subject may do an action.
 *
 * @param subject owned by the request
 * @param details what the mechanism adds about this case
 * @param interactive whether an agent may ask a user to authenticate
 * @param always whether the rules are evaluated for root, too
 * @param cancellationId chosen by the caller, or empty
 * @param explained whether the caller reads the explanation: if so, the subject's unit and session
 *     are looked up for it even if the decision does not need them
 */
public record CheckRequest(
        Caller caller,
        Subject subject,
        String action,
        Map<String, String> details,
        boolean interactive,
        boolean always,
        String cancellationId,
        boolean explained) {
    /**
     * The most details of a request: the system property {@code io.holdfast.authority.details}, or
     * 256.
     */
    public static final int MAX_DETAILS = AuthorityLimits.DETAILS.intValue();

    public CheckRequest {
        details = Map.copyOf(details);
    }

    /** Makes a request whose explanation only the log uses. */
    public CheckRequest(
            Caller caller,
            Subject subject,
            String action,
            Map<String, String> details,
            boolean interactive,
            boolean always,
            String cancellationId) {
        this(caller, subject, action, details, interactive, always, cancellationId, false);
    }

    /** Makes a plain request of the program that embeds the authority. */
    public static CheckRequest of(Subject subject, String action, Map<String, String> details) {
        return new CheckRequest(Caller.SELF, subject, action, details, false, false, "");
    }
}
