package io.holdfast.dbus.typed.value;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The type of an Optional, as an array of at most one element: D-Bus has no null.
 *
 * @param list the type of the value in a List
 */
public record OptionalType(ListType list) implements WireType {
    @Override
    public String signature() {
        return list.signature();
    }

    @Override
    public Object toWire(@Nullable Object value) {
        Optional<?> optional = (Optional<?>) UnfitException.present(value);
        return list.toWire(optional.stream().toList());
    }

    @Override
    public Object toJava(Object plain, Descriptors descriptors) {
        List<?> elements = (List<?>) list.toJava(plain, descriptors);
        if (elements.size() > 1) {
            list.discard(elements);
            throw new UnfitException(
                    "has " + elements.size() + " elements, and an Optional has at most one");
        }
        return elements.stream().findFirst();
    }

    @Override
    public void discard(@Nullable Object value) {
        if (value instanceof Optional<?> optional) {
            list.discard(optional.stream().toList());
        }
    }
}
