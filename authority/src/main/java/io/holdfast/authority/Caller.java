package io.holdfast.authority;

import io.holdfast.authority.subject.Session;
import io.holdfast.authority.subject.Sessions;
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

    /**
     * Who may speak for whom: a user for himself, and root.
     *
     * @throws AuthorityException if this caller may not
     */
    void requireSpeaksFor(Subject scope, Sessions sessions) {
        switch (scope) {
            case Subject.UnixSession session -> {
                requireIn(session, sessions);
                if (!isRoot() && uid != session.uid()) { // su works in it, too
                    throw otherUser();
                }
            }
            case Subject.UnixProcess subject -> {
                if (!isRoot() && (uid != subject.uid() || !subject.isPlausible())) {
                    throw otherUser();
                }
            }
            case Subject.BusName _ ->
                    throw AuthorityException.failed(
                            "Only unix-process and unix-session subjects can be used for"
                                    + " authentication agents");
        }
    }

    private static AuthorityException otherUser() {
        return AuthorityException.failed("User of caller and user of subject differs");
    }

    /**
     * Root, too, speaks only of the session that it is in. A service of the user's own manager is
     * in none, and counts as in the display session of that user: agents of many desktops run so.
     *
     * @throws AuthorityException if this caller is in no session, or in another
     */
    void requireIn(Subject.UnixSession session, Sessions sessions) {
        Optional<String> own = process.flatMap(held -> sessions.of(held.pidFd())).map(Session::id);
        if (own.isEmpty()) {
            throw AuthorityException.failed("Cannot determine session the caller is in");
        }
        if (!own.get().equals(session.id())) {
            throw AuthorityException.failed(
                    "Passed session and the session the caller is in differs. They must be equal"
                            + " for now.");
        }
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
