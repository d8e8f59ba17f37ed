package io.holdfast.dbus.wire;

/** Bits of a message's flags byte. Unknown bits are kept and ignored. */
public final class MessageFlags {
    /** The caller waits for neither return nor error. */
    public static final int NO_REPLY_EXPECTED = 1;

    /** The bus shall not start a service for the destination. */
    public static final int NO_AUTO_START = 2;

    /** The callee may ask the user, and take as long as that takes. */
    public static final int ALLOW_INTERACTIVE_AUTHORIZATION = 4;

    private MessageFlags() {}
}
