package io.holdfast.authority.subject;

import java.util.Optional;

/**
 * A login session, as logind describes it.
 *
 * @param id letters and digits
 * @param uid its owner
 * @param user the owner's name; empty if logind does not give it
 * @param seat its seat, if it has one
 * @param state {@code active}, {@code online}, {@code closing} …
 * @param type {@code tty}, {@code x11}, {@code wayland} …; empty if logind does not give it
 * @param isForeground whether this session itself is active: the foreground session of its seat, or
 *     without a seat
 * @param isUserActive whether any session of its owner is active. Decisions use this: the sessions
 *     of one user are not protected from each other
 * @param isRemote whether it comes over the network
 */
public record Session(
        String id,
        long uid,
        String user,
        Optional<String> seat,
        String state,
        String type,
        boolean isForeground,
        boolean isUserActive,
        boolean isRemote) {
    /** Returns whether it is at a seat of this machine. */
    public boolean isLocal() {
        return seat.isPresent();
    }

    /** Returns whether its user has logged out while processes of it remain. */
    public boolean isClosing() {
        return state.equals("closing");
    }
}
