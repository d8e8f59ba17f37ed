package io.holdfast.dbus.typed.value;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The type of a Map, as an array of dict entries in the order of the map.
 *
 * @param key the type of its keys, a basic one
 */
public record MapType(WireType key, WireType value) implements WireType {
    @Override
    public String signature() {
        return "a{" + key.signature() + value.signature() + "}";
    }

    @Override
    public Object toWire(@Nullable Object given) {
        Map<?, ?> map = (Map<?, ?>) UnfitException.present(given);
        Map<Object, Object> plain = new LinkedHashMap<>();
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            Object name;
            try {
                name = key.toWire(entry.getKey());
            } catch (UnfitException e) {
                throw e.in("a key");
            }
            try {
                plain.put(name, value.toWire(entry.getValue()));
            } catch (UnfitException e) {
                throw e.in("the value of " + entry.getKey());
            }
        }
        return plain;
    }

    @Override
    public Object toJava(Object plain, Descriptors descriptors) {
        Map<Object, Object> map = new LinkedHashMap<>();
        for (Map.Entry<?, ?> entry : ((Map<?, ?>) plain).entrySet()) {
            Object name;
            try {
                name = key.toJava(entry.getKey(), descriptors);
            } catch (UnfitException e) {
                throw e.in("a key");
            }
            try {
                map.put(name, value.toJava(entry.getValue(), descriptors));
            } catch (UnfitException e) {
                throw e.in("the value of " + entry.getKey());
            }
        }
        return Collections.unmodifiableMap(map);
    }

    @Override
    public void discard(@Nullable Object given) {
        if (given instanceof Map<?, ?> map) {
            map.forEach((name, each) -> {
                key.discard(name);
                value.discard(each);
            });
        }
    }
}
