package io.holdfast.dbus.typed;

import io.holdfast.dbus.typed.value.Descriptors;
import io.holdfast.dbus.typed.value.UnfitException;
import io.holdfast.dbus.typed.value.WireType;
import org.jspecify.annotations.Nullable;

/**
 * An argument or an output of a method.
 *
 * @param place its place in error messages, as {@code argument 2 (b)}
 * @param name its name in introspection data
 * @param type the type of its values
 */
record Slot(String place, String name, WireType type) {
    /** Converts as {@link WireType#toWire} does, and adds the place to failures. */
    Object toWire(@Nullable Object value) {
        try {
            return type.toWire(value);
        } catch (UnfitException e) {
            throw e.in(place);
        }
    }

    /** Converts as {@link WireType#toJava} does, and adds the place to failures. */
    Object toJava(Object plain, Descriptors descriptors) {
        try {
            return type.toJava(plain, descriptors);
        } catch (UnfitException e) {
            throw e.in(place);
        }
    }
}
