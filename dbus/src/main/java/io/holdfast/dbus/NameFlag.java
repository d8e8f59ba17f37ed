package io.holdfast.dbus;

/** How a name is asked for ({@link BusConnection#requestName}). */
public enum NameFlag {
    /** Others may take it away with {@link #REPLACE_EXISTING}. */
    ALLOW_REPLACEMENT(1),
    /** Takes it away from an owner who allows that. */
    REPLACE_EXISTING(2),
    /** Is not queued behind an owner. */
    DO_NOT_QUEUE(4);

    private final int bit;

    NameFlag(int bit) {
        this.bit = bit;
    }

    int bit() {
        return bit;
    }
}
