package io.holdfast.manager.unit;

import java.util.Locale;

/** The state of a unit, as {@code systemctl is-active} words it. */
public enum ActiveState {
    INACTIVE,
    ACTIVATING,
    ACTIVE,
    /** Active, and reloading its configuration. */
    RELOADING,
    DEACTIVATING,
    FAILED;

    /** {@return systemd's word for the state} */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** {@return whether the unit is active or starting} */
    public boolean isUp() {
        return this == ACTIVE || this == RELOADING || this == ACTIVATING;
    }

    /** {@return whether the unit is neither starting nor stopping} */
    public boolean isSettled() {
        return this != ACTIVATING && this != DEACTIVATING;
    }
}
