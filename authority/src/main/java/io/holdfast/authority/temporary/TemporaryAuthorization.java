package io.holdfast.authority.temporary;

import io.holdfast.authority.subject.Subject;
import java.time.Instant;
import java.util.OptionalLong;

/**
 * A temporary authorization: after an authentication, the same process may do the same action again
 * for a while.
 *
 * @param id such as {@code tmpauthz7}
 * @param subject the process; lent, and held as long as this is in force
 * @param scope the session or process that the agent was registered for
 * @param administrator the administrator who authenticated, if one was required: that user must
 *     still be an administrator when this is used
 */
public record TemporaryAuthorization(
        String id,
        String action,
        Subject.UnixProcess subject,
        Subject scope,
        Instant obtained,
        Instant expires,
        OptionalLong administrator) {}
