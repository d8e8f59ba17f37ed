package io.holdfast.authority;

import io.holdfast.authority.subject.Subject;
import java.util.Optional;

/**
 * Who asks the authority something.
 *
 * @param connection names the connection and its bus: no two that live at the same time have the
 *     same. All Varlink connections of a user count as one
 * @param uid of its user
 * @param process lent while the request lasts; empty if it could not be held
 */
public record Caller(String connection, long uid, Optional<Subject.UnixProcess> process) {
    /** The program that embeds the authority: it may ask about anybody. */
    public static final Caller SELF = new Caller("", 0, Optional.empty());

    boolean isRoot() {
        return uid == 0;
    }

    @Override
    public String toString() {
        return connection.isEmpty()
                ? "the program itself"
                : connection
                        + " of user "
                        + uid
                        + process.map(held -> ", " + held.pidFd()).orElse("");
    }
}
