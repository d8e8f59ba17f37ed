package io.holdfast.manager.runtime;

import io.holdfast.manager.unit.ActiveState;

/** The state of a unit as far as the units that trigger it depend on it. */
public enum RunPhase {
    /** It has no run, and none is coming: its sockets watch for traffic. */
    DOWN,
    /** It has no run, and waits for its automatic restart. */
    WAITING,
    /** It runs or is about to; its sockets need not act. */
    BUSY,
    /** Its main process runs and watches for traffic itself. */
    RUNNING,
    /** Its run is being stopped. */
    STOPPING;

    /** Returns the phase of a unit whose phase depends on nothing but its active state. */
    static RunPhase of(ActiveState state) {
        return switch (state) {
            case ACTIVE -> RUNNING;
            case ACTIVATING, RELOADING -> BUSY;
            case DEACTIVATING -> STOPPING;
            default -> DOWN;
        };
    }

    /** Returns whether it is active or comes up automatically. */
    public boolean isUp() {
        return this == WAITING || this == BUSY || this == RUNNING;
    }

    public boolean hasRun() {
        return this == BUSY || this == RUNNING || this == STOPPING;
    }
}
