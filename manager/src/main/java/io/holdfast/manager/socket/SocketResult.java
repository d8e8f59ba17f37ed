package io.holdfast.manager.socket;

import java.util.Locale;

/** Why a socket has failed, in systemd's words. */
enum SocketResult {
    SUCCESS,
    /** It could not be opened, or what it is for could not be done. */
    RESOURCES,
    /** The kernel did not come back in time, as from a file server that is gone. */
    TIMEOUT,
    /** It was itself started too often. */
    START_LIMIT_HIT,
    /** It has started its service too often. */
    TRIGGER_LIMIT_HIT,
    /** Its service must not be started any more. */
    SERVICE_START_LIMIT_HIT;

    /** As systemd writes it: {@code trigger-limit-hit}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
