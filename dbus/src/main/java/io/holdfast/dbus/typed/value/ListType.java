package io.holdfast.dbus.typed.value;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The type of a List, as an array. */
public record ListType(WireType element) implements WireType {
    @Override
    public String signature() {
        return "a" + element.signature();
    }

    @Override
    public Object toWire(@Nullable Object value) {
        List<?> list = (List<?>) UnfitException.present(value);
        List<Object> plain = new ArrayList<>(list.size());
        for (Object each : list) {
            try {
                plain.add(element.toWire(each));
            } catch (UnfitException e) {
                throw e.in("element " + plain.size());
            }
        }
        return element.signature().equals("y") ? bytes(plain) : plain;
    }

    /** Converts to byte[], since a list of bytes is no plain value. */
    private static byte[] bytes(List<Object> plain) {
        byte[] bytes = new byte[plain.size()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = ((Number) plain.get(i)).byteValue();
        }
        return bytes;
    }

    @Override
    public Object toJava(Object plain, Descriptors descriptors) {
        List<Object> list = new ArrayList<>();
        for (Object each : elements(plain)) {
            try {
                list.add(element.toJava(each, descriptors));
            } catch (UnfitException e) {
                throw e.in("element " + list.size());
            }
        }
        return Collections.unmodifiableList(list);
    }

    @Override
    public void discard(@Nullable Object value) {
        if (value instanceof List<?> list) {
            list.forEach(element::discard);
        }
    }

    private static List<?> elements(Object plain) {
        if (plain instanceof byte[] bytes) {
            List<Byte> list = new ArrayList<>(bytes.length);
            for (byte each : bytes) {
                list.add(each);
            }
            return list;
        }
        return (List<?>) plain;
    }
}
