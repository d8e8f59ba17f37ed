package io.holdfast.dbus.typed;

import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.typed.value.UnfitException;
import io.holdfast.dbus.typed.value.WireType;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Variant;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;

/**
 * A property of an interface.
 *
 * @param subject its name in error messages, as {@code Clock.zone}
 * @param name its D-Bus name
 * @param type the type of its values
 * @param reader the method that reads it; null if it can only be set
 * @param writer the method that sets it; null if it can only be read
 * @param change what PropertiesChanged reports when it changes
 */
record TypedProperty(
        String subject,
        String name,
        WireType type,
        @Nullable Method reader,
        @Nullable Method writer,
        BusInterface.Change change) {

    private static final String VALUE = "the value";

    /**
     * Converts a Java value to the plain value.
     *
     * @throws NullPointerException if the value is null
     * @throws IllegalArgumentException if the value does not fit its type
     */
    Object toWire(@Nullable Object given) {
        try {
            return type.toWire(given);
        } catch (UnfitException e) {
            throw e.in(VALUE).toCallerException(subject);
        }
    }

    /**
     * Converts a received plain value to the Java value.
     *
     * @param error the name of the error if the value does not fit the Java type
     */
    Object toJava(Object plain, String error) {
        try {
            return type.toJava(
                    plain,
                    handle -> {
                        throw new DBusException(error, subject + ": a property has no descriptor");
                    });
        } catch (UnfitException e) {
            throw new DBusException(error, subject + ": " + e.in(VALUE).text());
        }
    }

    /** Returns the variant to send in order to set the property. */
    Variant variant(@Nullable Object given) {
        return new Variant(Signature.of(type.signature()), toWire(given));
    }
}
