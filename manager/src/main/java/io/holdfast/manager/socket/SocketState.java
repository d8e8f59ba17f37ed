package io.holdfast.manager.socket;

import io.holdfast.manager.runtime.StateTable;
import io.holdfast.manager.unit.ActiveState;
import java.util.EnumSet;
import java.util.Locale;

/**
 * Where a socket is in its life, in systemd's words, what that means for its {@link ActiveState},
 * and which states may follow ({@link #TABLE}).
 */
enum SocketState {
    DEAD(ActiveState.INACTIVE),
    FAILED(ActiveState.FAILED),
    /** Dead, and a start checks the unit's conditions. */
    DEAD_CHECKING(ActiveState.INACTIVE, "dead"),
    /** Failed, and a start checks the unit's conditions. */
    FAILED_CHECKING(ActiveState.FAILED, "failed"),
    /** Its nodes are made and given to their owner. */
    START_CHOWN(ActiveState.ACTIVATING),
    /** It looks for traffic. */
    LISTENING(ActiveState.ACTIVE),
    /** Its service looks for traffic. */
    RUNNING(ActiveState.ACTIVE),
    /** Its descriptors are closed, and its nodes removed. */
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

    /** What it means for the unit as a whole. */
    ActiveState active() {
        return active;
    }

    /** The word of systemd. */
    String word() {
        return word;
    }

    /** Whether it has no descriptors and gets none: new settings take effect at once. */
    boolean isDown() {
        return this == DEAD || this == FAILED;
    }
}
