package io.holdfast.manager.unit;

import java.util.Locale;

/** The state of a unit, as {@code systemctl is-active} words it. */
public enum ActiveState {
    INACTIVE,
    ACTIVATING,
    ACTIVE,
    /** Active, and taking up its configuration again. */
    RELOADING,
    DEACTIVATING,
    FAILED;

    /** The word of systemd. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Whether it is there, or on its way up. */
    public boolean isUp() {
        return this == ACTIVE || this == RELOADING || this == ACTIVATING;
    }

    /** Whether it is on no way: neither starting nor stopping. */
    public boolean isSettled() {
        return this != ACTIVATING && this != DEACTIVATING;
    }
}
