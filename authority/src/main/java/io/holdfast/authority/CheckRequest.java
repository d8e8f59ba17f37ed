package io.holdfast.authority;

import io.holdfast.authority.subject.Subject;
import java.util.Map;

/**
 * A question: may the subject do this?
 *
 * @param subject owned by the request
 * @param details what the mechanism tells of this case
 * @param interactive whether an agent may be asked for an authentication
 * @param always whether rules are asked about root, too
 * @param cancellationId of the caller's choice, or empty
 * @param explained whether somebody reads the explanation: it tells the subject's unit and session
 *     then, be they asked for or not
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

    /** One whose explanation nobody reads but the log. */
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

    /** A plain question of the program itself. */
    public static CheckRequest of(Subject subject, String action, Map<String, String> details) {
        return new CheckRequest(Caller.SELF, subject, action, details, false, false, "");
    }
}
