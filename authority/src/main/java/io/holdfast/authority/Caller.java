package io.holdfast.authority;

import io.holdfast.authority.subject.Session;
import io.holdfast.authority.subject.Sessions;
import io.holdfast.authority.subject.Subject;
import java.util.Optional;

/**
 * The client that makes a request of the authority.
 *
 * @param connection identifies the connection and its bus; unique among the live connections,
 *     except that all Varlink connections of one user count as one
 * @param uid the user of the connection
 * @param process lent for the duration of the request; empty if it could not be held
 */
public record Caller(String connection, long uid, Optional<Subject.UnixProcess> process) {
    /** The program that embeds the authority: it may ask about any subject. */
    public static final Caller SELF = new Caller("", 0, Optional.empty());

    boolean isRoot() {
        return uid == 0;
    }

    /**
     * Checks that this caller may act for the subject: a user may for their own, root for any.
     *
     * @throws AuthorityException if this caller may not
     */
    void requireSpeaksFor(Subject scope, Sessions sessions) {
        switch (scope) {
            case Subject.UnixSession session -> {
                requireIn(session, sessions);
                if (!isRoot() && uid != session.uid()) { // such as after su in that session
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
     * Checks that the caller is in this session; root, too, may only name the session that it is
     * in. A service of the user's own manager is in no session, and counts as part of the user's
     * display session: the agents of many desktops run that way.
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
