package io.holdfast.dbus.marshal;

/** The limits of the D-Bus Specification on messages. Lengths are in bytes. */
public final class WireLimits {
    /** The length of a whole message: header, its padding, and body. */
    public static final int MAX_MESSAGE = 1 << 27;

    /** The length of the elements of one array. */
    public static final int MAX_ARRAY = 1 << 26;

    /** The length of a signature, without its length byte and NUL. */
    public static final int MAX_SIGNATURE = 255;

    /** The length of a bus, interface, member or error name. */
    public static final int MAX_NAME = 255;

    /** The depth of nested arrays in one signature; the same again for structs. */
    public static final int MAX_NESTING = 32;

    /** The depth of nested containers in one body, variants included. */
    public static final int MAX_DEPTH = 64;

    /**
     * The number of descriptors with one message, which is what Linux passes at once (SCM_MAX_FD).
     */
    public static final int MAX_DESCRIPTORS = 253;

    /** The length of one line of the authentication. */
    public static final int MAX_LINE = 1 << 14;

    private WireLimits() {}
}
