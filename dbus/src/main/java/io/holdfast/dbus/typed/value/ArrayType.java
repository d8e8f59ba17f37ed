package io.holdfast.dbus.typed.value;

import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The type of a Java array, as an array.
 *
 * @param component the class of its elements, which may be primitive
 * @param list the type of the elements in a List
 */
public record ArrayType(Class<?> component, ListType list) implements WireType {
    @Override
    public String signature() {
        return list.signature();
    }

    @Override
    public Object toWire(@Nullable Object value) {
        return list.toWire(elements(UnfitException.present(value)));
    }

    private static List<@Nullable Object> elements(Object array) {
        int length = Array.getLength(array);
        List<@Nullable Object> elements = new ArrayList<>(length);
        for (int i = 0; i < length; i++) {
            elements.add(Array.get(array, i));
        }
        return elements;
    }

    @Override
    public Object toJava(Object plain, Descriptors descriptors) {
        List<?> elements = (List<?>) list.toJava(plain, descriptors);
        Object array = Array.newInstance(component, elements.size());
        for (int i = 0; i < elements.size(); i++) {
            Array.set(array, i, elements.get(i));
        }
        return array;
    }

    @Override
    public void discard(@Nullable Object value) {
        if (value != null && value.getClass().isArray()) {
            list.discard(elements(value));
        }
    }
}
