package io.holdfast.manager.scope;

import io.holdfast.manager.runtime.StateTable;
import io.holdfast.manager.unit.ActiveState;
import java.util.EnumSet;
import java.util.Locale;

/**
 * The state of a scope, named as in systemd, with its {@link ActiveState} and the states that may
 * follow ({@link #TABLE}). A scope is started once.
 */
enum ScopeState {
    DEAD(ActiveState.INACTIVE),
    FAILED(ActiveState.FAILED),
    /** Its cgroup is made, and its processes are moved there. */
    START_CHOWN(ActiveState.ACTIVATING),
    RUNNING(ActiveState.ACTIVE),
    /** Its creator has released it; its processes run on. */
    ABANDONED(ActiveState.ACTIVE),
    STOP_SIGTERM(ActiveState.DEACTIVATING),
    STOP_SIGKILL(ActiveState.DEACTIVATING);

    /** All transitions. If no signal has to be sent, a scope that stops is dead at once. */
    static final StateTable<ScopeState> TABLE =
            StateTable.of(ScopeState.class)
                    .from(DEAD, EnumSet.of(START_CHOWN))
                    .from(
                            START_CHOWN,
                            EnumSet.of(RUNNING, STOP_SIGTERM, STOP_SIGKILL, DEAD, FAILED))
                    .from(RUNNING, EnumSet.of(ABANDONED, STOP_SIGTERM, STOP_SIGKILL, DEAD, FAILED))
                    .from(ABANDONED, EnumSet.of(STOP_SIGTERM, STOP_SIGKILL, DEAD, FAILED))
                    .from(STOP_SIGTERM, EnumSet.of(STOP_SIGKILL, DEAD, FAILED))
                    .from(STOP_SIGKILL, EnumSet.of(DEAD, FAILED))
                    .from(FAILED, EnumSet.of(DEAD))
                    .build();

    private final ActiveState active;
    private final String word = name().toLowerCase(Locale.ROOT).replace('_', '-');

    ScopeState(ActiveState active) {
        this.active = active;
    }

    /** Returns the state of the unit as a whole. */
    ActiveState active() {
        return active;
    }

    /** Returns the name that systemd uses. */
    String word() {
        return word;
    }

    /** Returns whether its processes run and it is not being stopped. */
    boolean isUp() {
        return this == RUNNING || this == ABANDONED;
    }
}
