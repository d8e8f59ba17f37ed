package io.holdfast.manager.mount;

import io.holdfast.core.process.Exit;
import java.util.Locale;

/** How a mount or one of its commands ended, in systemd's words. */
enum MountResult {
    SUCCESS,
    RESOURCES,
    TIMEOUT,
    EXIT_CODE,
    SIGNAL,
    CORE_DUMP,
    START_LIMIT_HIT,
    /** mount(8) succeeded, and nothing is mounted; or umount(8), and it still is. */
    PROTOCOL;

    static MountResult of(Exit exit) {
        return switch (exit) {
            case Exit.Exited(int status) -> status == 0 ? SUCCESS : EXIT_CODE;
            case Exit.Killed(_, boolean dumped) -> dumped ? CORE_DUMP : SIGNAL;
            case Exit.Unknown _ -> SUCCESS; // the table of mounts decides
        };
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
