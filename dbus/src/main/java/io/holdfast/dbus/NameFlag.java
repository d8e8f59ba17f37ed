package io.holdfast.dbus;

/** How to request a name ({@link BusConnection#requestName}). */
public enum NameFlag {
    /** Another connection may take the name over with {@link #REPLACE_EXISTING}. */
    ALLOW_REPLACEMENT(1),
    /** Takes the name over from an owner that allows replacement. */
    REPLACE_EXISTING(2),
    /** Does not queue behind an owner. */
    DO_NOT_QUEUE(4);

    private final int bit;

    NameFlag(int bit) {
        this.bit = bit;
    }

    int bit() {
        return bit;
    }
}
