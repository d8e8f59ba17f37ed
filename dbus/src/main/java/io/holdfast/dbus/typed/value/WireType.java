package io.holdfast.dbus.typed.value;

import org.jspecify.annotations.Nullable;

/**
 * How the values of one Java type stand in a message. Between the two are the plain values of
 * {@link io.holdfast.dbus.wire.Values}. Immutable, safe for use by any thread.
 */
public interface WireType {
    /** One complete D-Bus type. */
    String signature();

    /**
     * The plain value for a Java value.
     *
     * @throws UnfitException if it is null, or the D-Bus type has no place for it
     */
    Object toWire(@Nullable Object value);

    /**
     * The Java value for a plain value of {@link #signature()}.
     *
     * @param descriptors those of the message
     * @throws UnfitException if the Java type has no place for it
     */
    Object toJava(Object plain, Descriptors descriptors);

    /**
     * Closes the descriptors in a Java value that was given away, and is refused by {@link
     * #toWire}: it may be of any class.
     */
    default void discard(@Nullable Object value) {}
}
