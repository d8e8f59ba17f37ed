package io.holdfast.dbus.typed.value;

import org.jspecify.annotations.Nullable;

/**
 * Converts the values of one Java type to the plain values of {@link
 * io.holdfast.dbus.marshal.Values} and back. Immutable, safe for use by any thread.
 */
public interface WireType {
    /** The D-Bus type, a single complete type. */
    String signature();

    /**
     * Converts a Java value to the plain value.
     *
     * @throws UnfitException if the value is null, or does not fit the D-Bus type
     */
    Object toWire(@Nullable Object value);

    /**
     * Converts a plain value of {@link #signature()} to the Java value.
     *
     * @param descriptors the descriptors of the message
     * @throws UnfitException if the value does not fit the Java type
     */
    Object toJava(Object plain, Descriptors descriptors);

    /**
     * Closes the descriptors in a Java value whose owner gave it up and that {@link #toWire}
     * refused: it may be of any class.
     */
    default void discard(@Nullable Object value) {}
}
