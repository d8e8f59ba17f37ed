package io.holdfast.authority.temporary;

import io.holdfast.authority.subject.Subject;
import java.time.Instant;
import java.util.OptionalLong;

/**
 * What an authentication has left behind: the same process may do the same again for a while.
 *
 * @param id as {@code tmpauthz7}
 * @param subject the process; lent, and held as long as this is in force
 * @param scope for whom the agent was registered
 * @param administrator the administrator who authenticated, if that was asked for: it must still be
 *     one when this is used
 */
public record TemporaryAuthorization(
        String id,
        String action,
        Subject.UnixProcess subject,
        Subject scope,
        Instant obtained,
        Instant expires,
        OptionalLong administrator) {}
