package io.holdfast.dbus.wire;

/** The bits of a message's flags byte. Unknown bits are kept and ignored. */
public final class MessageFlags {
    /** The caller expects neither a return nor an error. */
    public static final int NO_REPLY_EXPECTED = 1;

    /** The bus must not start a service for the destination. */
    public static final int NO_AUTO_START = 2;

    /** The callee may ask the user for permission, however long that takes. */
    public static final int ALLOW_INTERACTIVE_AUTHORIZATION = 4;

    private MessageFlags() {}
}
