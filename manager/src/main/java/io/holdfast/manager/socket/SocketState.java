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
    /** The commands run that come before. */
    START_PRE(ActiveState.ACTIVATING),
    /** Its nodes are made and given to their owner. */
    START_CHOWN(ActiveState.ACTIVATING),
    /** It is open, and further commands run. */
    START_POST(ActiveState.ACTIVATING),
    /** The socket watches for traffic. */
    LISTENING(ActiveState.ACTIVE),
    /** Its service watches for traffic. */
    RUNNING(ActiveState.ACTIVE),
    /** It is still open, and commands run that come before it is closed. */
    STOP_PRE(ActiveState.DEACTIVATING),
    STOP_PRE_SIGTERM(ActiveState.DEACTIVATING),
    STOP_PRE_SIGKILL(ActiveState.DEACTIVATING),
    /** Its descriptors are closed, its nodes are removed, and the last commands run. */
    STOP_POST(ActiveState.DEACTIVATING),
    /** What the commands have left is ended. */
    FINAL_SIGTERM(ActiveState.DEACTIVATING),
    FINAL_SIGKILL(ActiveState.DEACTIVATING);

    /** All transitions. */
    static final StateTable<SocketState> TABLE =
            StateTable.of(SocketState.class)
                    .from(DEAD, EnumSet.of(DEAD_CHECKING, FAILED))
                    .from(FAILED, EnumSet.of(FAILED_CHECKING, DEAD))
                    .from(DEAD_CHECKING, EnumSet.of(START_PRE, START_CHOWN, DEAD, FAILED))
                    .from(
                            FAILED_CHECKING,
                            EnumSet.of(START_PRE, START_CHOWN, DEAD_CHECKING, FAILED))
                    .from(
                            START_PRE,
                            EnumSet.of(START_CHOWN, STOP_PRE_SIGTERM, FINAL_SIGTERM, DEAD, FAILED))
                    .from(
                            START_CHOWN,
                            EnumSet.of(START_POST, LISTENING, STOP_PRE, STOP_POST, DEAD, FAILED))
                    .from(START_POST, EnumSet.of(LISTENING, STOP_PRE, STOP_PRE_SIGTERM, STOP_POST))
                    .from(LISTENING, EnumSet.of(RUNNING, STOP_PRE, STOP_POST))
                    .from(RUNNING, EnumSet.of(LISTENING, STOP_PRE, STOP_POST))
                    .from(STOP_PRE, EnumSet.of(STOP_PRE_SIGTERM, STOP_POST))
                    .from(STOP_PRE_SIGTERM, EnumSet.of(STOP_PRE, STOP_PRE_SIGKILL, STOP_POST))
                    .from(STOP_PRE_SIGKILL, EnumSet.of(STOP_PRE, STOP_POST))
                    .from(STOP_POST, EnumSet.of(FINAL_SIGTERM, DEAD, FAILED))
                    .from(FINAL_SIGTERM, EnumSet.of(FINAL_SIGKILL, DEAD, FAILED))
                    .from(FINAL_SIGKILL, EnumSet.of(DEAD, FAILED))
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
