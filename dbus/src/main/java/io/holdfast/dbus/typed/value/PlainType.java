package io.holdfast.dbus.typed.value;

import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.dbus.wire.Signature;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A type whose Java values are plain values already.
 *
 * @param signature the D-Bus type
 * @param java the class of its values
 */
public record PlainType(String signature, Class<?> java) implements WireType {
    private static final Map<Class<?>, PlainType> ALL =
            Map.ofEntries(
                    Map.entry(boolean.class, new PlainType("b", Boolean.class)),
                    Map.entry(Boolean.class, new PlainType("b", Boolean.class)),
                    Map.entry(byte.class, new PlainType("y", Byte.class)),
                    Map.entry(Byte.class, new PlainType("y", Byte.class)),
                    Map.entry(double.class, new PlainType("d", Double.class)),
                    Map.entry(Double.class, new PlainType("d", Double.class)),
                    Map.entry(ObjectPath.class, new PlainType("o", ObjectPath.class)),
                    Map.entry(Signature.class, new PlainType("g", Signature.class)),
                    Map.entry(byte[].class, new PlainType("ay", byte[].class)));

    /** Returns the type of a class; null if the class has no plain type. */
    public static @Nullable WireType of(Class<?> type) {
        return ALL.get(type);
    }

    @Override
    public Object toWire(@Nullable Object value) {
        return java.cast(UnfitException.present(value));
    }

    @Override
    public Object toJava(Object plain, Descriptors descriptors) {
        return java.cast(plain);
    }
}
