package io.holdfast.manager.mount;

import io.holdfast.core.process.Exit;
import java.util.Locale;

/** How a mount or swap, or one of its commands, ended, in systemd's words. */
enum AttachmentResult {
    SUCCESS,
    RESOURCES,
    TIMEOUT,
    EXIT_CODE,
    SIGNAL,
    CORE_DUMP,
    START_LIMIT_HIT,
    /** A command succeeded, and the kernel's table does not show it. */
    PROTOCOL;

    static AttachmentResult of(Exit exit) {
        return switch (exit) {
            case Exit.Exited(int status) -> status == 0 ? SUCCESS : EXIT_CODE;
            case Exit.Killed(_, boolean dumped) -> dumped ? CORE_DUMP : SIGNAL;
            case Exit.Unknown _ -> SUCCESS; // the kernel's table decides
        };
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
