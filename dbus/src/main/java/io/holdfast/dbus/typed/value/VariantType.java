package io.holdfast.dbus.typed.value;

import io.holdfast.core.Fd;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The type of a Variant, or of an Object, which is the value of a variant. Descriptors in it stand
 * for their handles.
 *
 * @param asObject whether the Java type is Object, which has only the value
 */
public record VariantType(boolean asObject) implements WireType {
    @Override
    public String signature() {
        return "v";
    }

    @Override
    public Object toWire(@Nullable Object value) {
        Object given = UnfitException.present(value);
        return given instanceof Variant ? given : new Variant(typeOf(given), given);
    }

    private static Signature typeOf(Object value) {
        return Signature.of(
                switch (value) {
                    case Boolean _ -> "b";
                    case Byte _ -> "y";
                    case Short _ -> "n";
                    case Integer _ -> "i";
                    case Long _ -> "x";
                    case Double _ -> "d";
                    case String _ -> "s";
                    case ObjectPath _ -> "o";
                    case Signature _ -> "g";
                    case Fd _ -> "h";
                    case byte[] _ -> "ay";
                    default ->
                            throw new UnfitException(
                                    "is of "
                                            + value.getClass()
                                            + ", which does not determine a D-Bus type: pass a"
                                            + " Variant");
                });
    }

    @Override
    public Object toJava(Object plain, Descriptors descriptors) {
        Variant variant = (Variant) plain;
        Object value = variant.value();
        if (variant.type().toString().indexOf('h') >= 0
                || variant.type().toString().indexOf('v') >= 0) {
            value = withDescriptors(value, descriptors);
        }
        return asObject ? value : new Variant(variant.type(), value);
    }

    @Override
    public void discard(@Nullable Object value) {
        switch (value) {
            case Fd descriptor -> descriptor.close();
            case Variant(_, Object inner) -> discard(inner);
            case Struct(List<Object> members) -> members.forEach(this::discard);
            case List<?> list -> list.forEach(this::discard);
            case Map<?, ?> map ->
                    map.forEach((key, each) -> {
                        discard(key);
                        discard(each);
                    });
            case null, default -> {}
        }
    }

    private static Object withDescriptors(Object value, Descriptors descriptors) {
        return switch (value) {
            case Handle handle -> descriptors.of(handle);
            case Variant(Signature type, Object inner) ->
                    new Variant(type, withDescriptors(inner, descriptors));
            case Struct(List<Object> members) ->
                    new Struct(
                            members.stream()
                                    .map(member -> withDescriptors(member, descriptors))
                                    .toList());
            case List<?> list ->
                    list.stream().map(each -> withDescriptors(each, descriptors)).toList();
            case Map<?, ?> map -> {
                Map<Object, Object> copy = new LinkedHashMap<>();
                map.forEach((key, each) ->
                        copy.put(
                                withDescriptors(key, descriptors),
                                withDescriptors(each, descriptors)));
                yield Collections.unmodifiableMap(copy);
            }
            default -> value;
        };
    }
}
