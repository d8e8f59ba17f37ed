package io.holdfast.interop.authority;

import java.util.Optional;

/** The place of a subject, and the state of its user in logind's files. */
enum SubjectPlace {
    NOWHERE("elsewhere", "", ""),
    SERVICE("system.slice/plain.service", "", ""),
    SEALED_SERVICE("system.slice/sealed.service", "", ""),
    LOCAL_AND_ACTIVE("user.slice/user-%1$d.slice/session-%1$d.scope", "seat0", "active"),
    LOCAL_AND_INACTIVE("user.slice/user-%1$d.slice/session-%1$d.scope", "seat0", "online"),
    LOCAL_AND_CLOSING("user.slice/user-%1$d.slice/session-%1$d.scope", "seat0", "closing"),
    REMOTE_AND_ACTIVE("user.slice/user-%1$d.slice/session-%1$d.scope", "", "active"),
    /** A scope of a session that logind does not know. */
    LEFT_BEHIND("user.slice/user-%1$d.slice/session-none%1$d.scope", "seat0", "active"),
    /** Its user has a display session. */
    USER_SERVICE(
            "user.slice/user-%1$d.slice/user@%1$d.service/app.slice/a.service", "seat0", "active"),
    USER_SERVICE_OF_INACTIVE(
            "user.slice/user-%1$d.slice/user@%1$d.service/app.slice/a.service", "seat0", "online"),
    SERVICE_OF_ACTIVE_USER("system.slice/plain.service", "seat0", "active");

    private final String place;
    private final String seat;
    private final String state;

    SubjectPlace(String place, String seat, String state) {
        this.place = place;
        this.seat = seat;
        this.state = state;
    }

    /** Returns the cgroup, below the root of the manager. */
    String cgroup(long uid) {
        return place.formatted(uid);
    }

    /** Returns the file of the user's session, named by the uid; empty if there is none. */
    Optional<String> sessionFile(long uid) {
        return state.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        "UID=%d\nUSER=u%d\nACTIVE=%d\nSTATE=%s\nREMOTE=%d\nTYPE=tty\nCLASS=user\n%s"
                                .formatted(
                                        uid,
                                        uid,
                                        state.equals("active") ? 1 : 0,
                                        state,
                                        seat.isEmpty() ? 1 : 0,
                                        seat.isEmpty() ? "" : "SEAT=" + seat + "\n"));
    }

    /** Returns the file of the user. */
    Optional<String> userFile(long uid) {
        return state.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        "NAME=u%d\nSTATE=%s\nDISPLAY=%d\nSESSIONS=%d\n"
                                .formatted(uid, state, uid, uid));
    }
}
