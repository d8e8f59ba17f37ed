package io.holdfast.manager.runtime;

import io.holdfast.manager.unit.ActiveState;
import java.util.Locale;

/** Where in its life a service or a socket is, and what that means for its {@link ActiveState}. */
public enum SubState {
    DEAD(ActiveState.INACTIVE),
    CONDITION(ActiveState.ACTIVATING),
    /** Of a socket: its nodes are made and given to their owner. */
    START_CHOWN(ActiveState.ACTIVATING),
    START_PRE(ActiveState.ACTIVATING),
    START(ActiveState.ACTIVATING),
    START_POST(ActiveState.ACTIVATING),
    /** Of a socket: it looks for traffic. */
    LISTENING(ActiveState.ACTIVE),
    /** It is there; of a socket: its service looks for traffic. */
    RUNNING(ActiveState.ACTIVE),
    /** All its processes have gone, and it stays active (RemainAfterExit). */
    EXITED(ActiveState.ACTIVE),
    /** Its reload commands run. */
    RELOAD(ActiveState.RELOADING),
    /** It was told by signal to reload, and has not answered. */
    RELOAD_SIGNAL(ActiveState.RELOADING),
    /** It says that it reloads, and not yet that it has. */
    RELOAD_NOTIFY(ActiveState.RELOADING),
    STOP(ActiveState.DEACTIVATING),
    STOP_WATCHDOG(ActiveState.DEACTIVATING),
    STOP_SIGTERM(ActiveState.DEACTIVATING),
    STOP_SIGKILL(ActiveState.DEACTIVATING),
    STOP_POST(ActiveState.DEACTIVATING),
    FINAL_SIGKILL(ActiveState.DEACTIVATING),
    FAILED(ActiveState.FAILED),
    /** It has ended and waits for its restart. */
    AUTO_RESTART(ActiveState.ACTIVATING);

    private final ActiveState active;

    SubState(ActiveState active) {
        this.active = active;
    }

    /** What it means for the unit as a whole. */
    public ActiveState active() {
        return active;
    }

    /** The word of systemd. */
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
