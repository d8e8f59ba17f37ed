package io.holdfast.manager.socket;

import io.holdfast.core.process.Exit;
import java.util.Locale;

/** The reason why a socket has failed, in systemd's words. */
enum SocketResult {
    SUCCESS,
    /** It could not be opened or watched, or its service could not be started. */
    RESOURCES,
    /** A command has failed, was killed, or was killed with a core dump. */
    EXIT_CODE,
    SIGNAL,
    CORE_DUMP,
    /** The kernel did not answer in time, as with an unreachable file server. */
    TIMEOUT,
    /** The socket itself was started too often. */
    START_LIMIT_HIT,
    /** The socket has started its service too often. */
    TRIGGER_LIMIT_HIT,
    /** The start limit of its service was hit. */
    SERVICE_START_LIMIT_HIT;

    static SocketResult of(Exit exit) {
        return switch (exit) {
            case Exit.Exited(int status) -> status == 0 ? SUCCESS : EXIT_CODE;
            case Exit.Killed(_, boolean dumped) -> dumped ? CORE_DUMP : SIGNAL;
            case Exit.Unknown _ -> RESOURCES; // it ended while no manager ran
        };
    }

    /** Returns the result as systemd writes it: {@code trigger-limit-hit}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
