package io.holdfast.dbus.typed.value;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The type of an enum: the name of the constant as a string, or its ordinal as a number.
 *
 * @param constants the constants in their order
 * @param names the constants by their D-Bus names, in their order; empty if they are numbers
 */
public record EnumType(
        Class<?> type, List<Object> constants, Map<String, Object> names, WireType wire)
        implements WireType {
    @Override
    public String signature() {
        return wire.signature();
    }

    @Override
    public Object toWire(@Nullable Object value) {
        Object constant = UnfitException.present(value);
        if (names.isEmpty()) {
            return wire.toWire(constants.indexOf(constant));
        }
        return names.entrySet().stream()
                .filter(name -> name.getValue().equals(constant))
                .findFirst()
                .orElseThrow(() -> new UnfitException("is no constant of " + type.getSimpleName()))
                .getKey();
    }

    @Override
    public Object toJava(Object plain, Descriptors descriptors) {
        if (names.isEmpty()) {
            int ordinal = (Integer) wire.toJava(plain, descriptors);
            if (ordinal < 0 || ordinal >= constants.size()) {
                throw new UnfitException(
                        "is %d, and %s has 0 to %d"
                                .formatted(ordinal, type.getSimpleName(), constants.size() - 1));
            }
            return constants.get(ordinal);
        }
        Object constant = names.get(plain.toString());
        if (constant == null) {
            throw new UnfitException("is \"" + plain + "\", which is none of " + names.keySet());
        }
        return constant;
    }
}
