package io.holdfast.dbus.typed;

import io.holdfast.dbus.typed.value.Descriptors;
import io.holdfast.dbus.typed.value.UnfitException;
import io.holdfast.dbus.typed.value.WireType;
import org.jspecify.annotations.Nullable;

/**
 * An argument or an output.
 *
 * @param place what it is called in errors, as {@code argument 2 (b)}
 * @param name under which it is introspected
 * @param type of its values
 */
record Slot(String place, String name, WireType type) {
    /** As {@link WireType#toWire}, with its place. */
    Object toWire(@Nullable Object value) {
        try {
            return type.toWire(value);
        } catch (UnfitException e) {
            throw e.in(place);
        }
    }

    /** As {@link WireType#toJava}, with its place. */
    Object toJava(Object plain, Descriptors descriptors) {
        try {
            return type.toJava(plain, descriptors);
        } catch (UnfitException e) {
            throw e.in(place);
        }
    }
}
