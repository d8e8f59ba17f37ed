package io.holdfast.manager.mount;

import io.holdfast.manager.runtime.StateTable;
import io.holdfast.manager.unit.ActiveState;
import java.util.EnumSet;
import java.util.Locale;

/**
 * The state of a mount or a swap, named as for a mount in systemd, with its {@link ActiveState} and
 * the states that may follow ({@link #TABLE}).
 */
enum AttachmentState {
    DEAD(ActiveState.INACTIVE),
    FAILED(ActiveState.FAILED),
    /** mount(8) runs. */
    MOUNTING(ActiveState.ACTIVATING),
    /** It is mounted, and mount(8) still runs. */
    MOUNTING_DONE(ActiveState.ACTIVATING),
    MOUNTED(ActiveState.ACTIVE),
    /** mount(8) changes its options. */
    REMOUNTING(ActiveState.RELOADING),
    REMOUNTING_SIGTERM(ActiveState.RELOADING),
    REMOUNTING_SIGKILL(ActiveState.RELOADING),
    /** umount(8) runs. */
    UNMOUNTING(ActiveState.DEACTIVATING),
    UNMOUNTING_SIGTERM(ActiveState.DEACTIVATING),
    UNMOUNTING_SIGKILL(ActiveState.DEACTIVATING);

    /** All transitions. What is mounted can be unmounted by others at any time. */
    static final StateTable<AttachmentState> TABLE =
            StateTable.of(AttachmentState.class)
                    .from(DEAD, EnumSet.of(MOUNTING, MOUNTED, FAILED))
                    .from(FAILED, EnumSet.of(MOUNTING, MOUNTED, DEAD))
                    .from(
                            MOUNTING,
                            EnumSet.of(MOUNTING_DONE, MOUNTED, UNMOUNTING_SIGTERM, DEAD, FAILED))
                    .from(
                            MOUNTING_DONE,
                            EnumSet.of(MOUNTING, MOUNTED, UNMOUNTING_SIGTERM, DEAD, FAILED))
                    .from(MOUNTED, EnumSet.of(REMOUNTING, UNMOUNTING, DEAD, FAILED))
                    .from(REMOUNTING, EnumSet.of(MOUNTED, REMOUNTING_SIGTERM, DEAD, FAILED))
                    .from(REMOUNTING_SIGTERM, EnumSet.of(MOUNTED, REMOUNTING_SIGKILL, DEAD, FAILED))
                    .from(REMOUNTING_SIGKILL, EnumSet.of(MOUNTED, DEAD, FAILED))
                    .from(UNMOUNTING, EnumSet.of(MOUNTED, UNMOUNTING_SIGTERM, DEAD, FAILED))
                    .from(UNMOUNTING_SIGTERM, EnumSet.of(MOUNTED, UNMOUNTING_SIGKILL, DEAD, FAILED))
                    .from(UNMOUNTING_SIGKILL, EnumSet.of(MOUNTED, DEAD, FAILED))
                    .build();

    private final ActiveState active;
    private final String word;

    AttachmentState(ActiveState active) {
        this.active = active;
        this.word = name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Returns the state of the unit as a whole. */
    ActiveState active() {
        return active;
    }

    /** Returns the name that systemd uses. */
    String word() {
        return word;
    }

    /** Returns the name that systemd uses for the state of a swap. */
    String swapWord() {
        return word.replace("unmounting", "deactivating")
                .replace("mounting", "activating")
                .replace("mounted", "active");
    }

    /** Returns whether nothing is mounted and nothing runs: new settings take effect at once. */
    boolean isDown() {
        return this == DEAD || this == FAILED;
    }
}
