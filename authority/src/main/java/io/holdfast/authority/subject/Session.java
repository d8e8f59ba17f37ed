package io.holdfast.authority.subject;

import java.util.Optional;

/**
 * A login session, as logind tells of it.
 *
 * @param id letters and digits
 * @param uid of its owner
 * @param user the owner's name; empty if it is not told
 * @param seat where it is, if it is at one
 * @param state {@code active}, {@code online}, {@code closing} …
 * @param type {@code tty}, {@code x11}, {@code wayland} …; empty if it is not told
 * @param isForeground whether this very session is the active one of its seat, or has none
 * @param isUserActive whether any session of its owner is: what decides, since a user cannot be
 *     told from itself
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
    /** Whether it is at a seat of this machine. */
    public boolean isLocal() {
        return seat.isPresent();
    }

    /** Whether its user has logged out, and processes of it are left. */
    public boolean isClosing() {
        return state.equals("closing");
    }
}
