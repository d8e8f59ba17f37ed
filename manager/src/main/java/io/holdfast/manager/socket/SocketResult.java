package io.holdfast.manager.socket;

import java.util.Locale;

/** The reason why a socket has failed, in systemd's words. */
enum SocketResult {
    SUCCESS,
    /** It could not be opened or watched, or its service could not be started. */
    RESOURCES,
    /** The kernel did not answer in time, as with an unreachable file server. */
    TIMEOUT,
    /** The socket itself was started too often. */
    START_LIMIT_HIT,
    /** The socket has started its service too often. */
    TRIGGER_LIMIT_HIT,
    /** The start limit of its service was hit. */
    SERVICE_START_LIMIT_HIT;

    /** Returns the result as systemd writes it: {@code trigger-limit-hit}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
