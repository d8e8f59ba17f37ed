package io.holdfast.authority.survival;

import io.holdfast.authority.subject.Sessions;
import io.holdfast.authority.subject.Subject;
import io.holdfast.core.state.Fields;
import java.time.Instant;
import java.util.OptionalLong;

/**
 * The record of a temporary authorization.
 *
 * @param id such as {@code tmpauthz7}
 * @param subject its process; the receiver of {@link AuthorityState#recover} owns it
 * @param scope the session or process that the agent was registered for; owned likewise
 * @param obtained for display
 * @param expires for display
 * @param deadline in nanoseconds of CLOCK_BOOTTIME
 * @param administrator the administrator who authenticated, if one was required
 */
public record AuthorizationRecord(
        String id,
        String action,
        Subject.UnixProcess subject,
        Subject scope,
        Instant obtained,
        Instant expires,
        long deadline,
        OptionalLong administrator) {
    Fields fields() {
        Fields fields =
                new Fields()
                        .put("action", action)
                        .put("obtained", Long.toString(obtained.toEpochMilli()))
                        .put("expires", Long.toString(expires.toEpochMilli()))
                        .put("deadline", Long.toString(deadline));
        if (administrator.isPresent()) {
            Fields _ = fields.put("administrator", Long.toString(administrator.getAsLong()));
        }
        SubjectFields.put(fields, "subject", subject);
        SubjectFields.put(fields, "scope", scope);
        return fields;
    }

    /**
     * Restores an authorization from its record.
     *
     * @param id the name of the record
     * @param now by the clock of the deadline
     * @throws StaleRecordException if it has expired, or its process or session has ended
     * @throws IllegalArgumentException if the fields are invalid
     */
    static AuthorizationRecord restore(String id, Fields fields, Sessions sessions, long now)
            throws StaleRecordException {
        long deadline = SubjectFields.requiredNumber(fields, "deadline");
        if (now - deadline >= 0) {
            throw new StaleRecordException("it has expired");
        }
        OptionalLong administrator =
                fields.find("administrator").isPresent()
                        ? OptionalLong.of(fields.number("administrator"))
                        : OptionalLong.empty();
        Instant obtained = Instant.ofEpochMilli(SubjectFields.requiredNumber(fields, "obtained"));
        Instant expires = Instant.ofEpochMilli(SubjectFields.requiredNumber(fields, "expires"));
        String action = SubjectFields.required(fields, "action");
        Subject.UnixProcess subject = SubjectFields.restoreProcess(fields, "subject");
        try {
            Subject scope = SubjectFields.restore(fields, "scope", sessions);
            return new AuthorizationRecord(
                    id, action, subject, scope, obtained, expires, deadline, administrator);
        } catch (StaleRecordException | RuntimeException e) {
            subject.close();
            throw e;
        }
    }
}
