package io.holdfast.manager.socket;

import io.holdfast.manager.runtime.StateTable;
import io.holdfast.manager.unit.ActiveState;
import java.util.EnumSet;
import java.util.Locale;

/**
 * The state of a socket, named as in systemd, with its {@link ActiveState} and the states that may
 * follow ({@link #TABLE}).
 */
enum SocketState {
    DEAD(ActiveState.INACTIVE),
    FAILED(ActiveState.FAILED),
    /** Dead, while a start checks the unit's conditions. */
    DEAD_CHECKING(ActiveState.INACTIVE, "dead"),
    /** Failed, while a start checks the unit's conditions. */
    FAILED_CHECKING(ActiveState.FAILED, "failed"),
    /** Its nodes are made and given to their owner. */
    START_CHOWN(ActiveState.ACTIVATING),
    /** The socket watches for traffic. */
    LISTENING(ActiveState.ACTIVE),
    /** Its service watches for traffic. */
    RUNNING(ActiveState.ACTIVE),
    /** Its descriptors are closed, and its nodes are removed. */
    STOP_POST(ActiveState.DEACTIVATING);

    /** All transitions. */
    static final StateTable<SocketState> TABLE =
            StateTable.of(SocketState.class)
                    .from(DEAD, EnumSet.of(DEAD_CHECKING, FAILED))
                    .from(FAILED, EnumSet.of(FAILED_CHECKING, DEAD))
                    .from(DEAD_CHECKING, EnumSet.of(START_CHOWN, DEAD, FAILED))
                    .from(FAILED_CHECKING, EnumSet.of(START_CHOWN, DEAD_CHECKING, FAILED))
                    .from(START_CHOWN, EnumSet.of(LISTENING, STOP_POST, DEAD, FAILED))
                    .from(LISTENING, EnumSet.of(RUNNING, STOP_POST))
                    .from(RUNNING, EnumSet.of(LISTENING, STOP_POST))
                    .from(STOP_POST, EnumSet.of(DEAD, FAILED))
                    .build();

    private final ActiveState active;
    private final String word;

    SocketState(ActiveState active) {
        this.active = active;
        this.word = name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    SocketState(ActiveState active, String word) {
        this.active = active;
        this.word = word;
    }

    /** Returns the state of the unit as a whole. */
    ActiveState active() {
        return active;
    }

    /** Returns the name that systemd uses. */
    String word() {
        return word;
    }

    /** Returns whether it has no descriptors and gets none: new settings take effect at once. */
    boolean isDown() {
        return this == DEAD || this == FAILED;
    }
}
