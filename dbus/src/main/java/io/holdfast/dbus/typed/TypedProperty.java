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
 * @param subject what it is called in errors, as {@code Clock.zone}
 * @param name its D-Bus name
 * @param type of its values
 * @param reader null if it can only be set
 * @param writer null if it can only be read
 * @param change what listeners are told
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
     * The plain value of one that is given.
     *
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it does not fit
     */
    Object toWire(@Nullable Object given) {
        try {
            return type.toWire(given);
        } catch (UnfitException e) {
            throw e.in(VALUE).toGiver(subject);
        }
    }

    /**
     * The Java value of one that came.
     *
     * @param error the name of the error if the Java type has no place for it
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

    /** What is sent to set it. */
    Variant variant(@Nullable Object given) {
        return new Variant(Signature.of(type.signature()), toWire(given));
    }
}
