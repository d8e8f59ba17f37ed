package io.holdfast.dbus.typed;

import static java.util.Objects.requireNonNull;

import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.typed.value.WireType;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;

/** A property whose methods are being collected. */
final class PropertyDraft {
    private final String subject;
    private final String name;
    private final WireType type;
    private @Nullable Method reader;
    private @Nullable Method writer;

    PropertyDraft(String subject, String name, WireType type) {
        this.subject = subject;
        this.name = name;
        this.type = type;
    }

    /**
     * Adds a method that reads or sets the property.
     *
     * @throws IllegalArgumentException if it has such a method already, or the other method has
     *     another type
     */
    void add(Method method, WireType of) {
        boolean reads = method.getParameterCount() == 0;
        Method before = reads ? reader : writer;
        if (before != null) {
            throw new IllegalArgumentException(
                    "two have the same D-Bus name, which @DBusName can change: "
                            + before.toGenericString()
                            + " and "
                            + method.toGenericString());
        }
        if (!of.equals(type)) {
            throw new IllegalArgumentException(
                    "it is read and set with different types: "
                            + type.signature()
                            + " before, here "
                            + method.toGenericString());
        }
        if (reads) {
            reader = method;
        } else {
            writer = method;
        }
    }

    TypedProperty property() {
        BusInterface.Change change =
                reader == null
                        ? BusInterface.Change.VALUE
                        : requireNonNull(reader.getAnnotation(Property.class)).value();
        return new TypedProperty(subject, name, type, reader, writer, change);
    }
}
