package io.holdfast.dbus.wire;

/** The limits of the D-Bus Specification on what goes over the wire. Lengths are in bytes. */
public final class WireLimits {
    /** A whole message: header, its padding, and body. */
    public static final int MAX_MESSAGE = 1 << 27;

    /** The elements of one array. */
    public static final int MAX_ARRAY = 1 << 26;

    /** A signature, without its length byte and NUL. */
    public static final int MAX_SIGNATURE = 255;

    /** A bus, interface, member or error name. */
    public static final int MAX_NAME = 255;

    /** Arrays inside of arrays in one signature; the same again for structs. */
    public static final int MAX_NESTING = 32;

    /** Containers inside of containers in one body, variants included. */
    public static final int MAX_DEPTH = 64;

    /** Descriptors with one message: what Linux passes at once. */
    public static final int MAX_DESCRIPTORS = 253;

    /** One line of the authentication. */
    public static final int MAX_LINE = 1 << 14;

    private WireLimits() {}
}
