package io.holdfast.dbus.typed;

import io.holdfast.core.Fd;
import io.holdfast.dbus.typed.value.ArrayType;
import io.holdfast.dbus.typed.value.DescriptorType;
import io.holdfast.dbus.typed.value.EnumType;
import io.holdfast.dbus.typed.value.ListType;
import io.holdfast.dbus.typed.value.MapType;
import io.holdfast.dbus.typed.value.NumberType;
import io.holdfast.dbus.typed.value.OptionalType;
import io.holdfast.dbus.typed.value.PlainType;
import io.holdfast.dbus.typed.value.RecordShape;
import io.holdfast.dbus.typed.value.Reflected;
import io.holdfast.dbus.typed.value.StructType;
import io.holdfast.dbus.typed.value.TextType;
import io.holdfast.dbus.typed.value.VariantType;
import io.holdfast.dbus.typed.value.WireType;
import io.holdfast.dbus.wire.Variant;
import java.lang.reflect.AnnotatedArrayType;
import java.lang.reflect.AnnotatedParameterizedType;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.AnnotatedTypeVariable;
import java.lang.reflect.AnnotatedWildcardType;
import java.lang.reflect.Constructor;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds the D-Bus type of a Java type. Every method throws IllegalArgumentException for a type that
 * has none, with the reason.
 */
final class TypeReader {
    private static final String BASIC = "ybnqiuxtdsogh";

    /** The records that enclose the current one. */
    private final Set<Class<?>> around = new LinkedHashSet<>();

    private TypeReader() {}

    /** Returns the D-Bus type of one value. */
    static WireType read(AnnotatedType type) {
        return new TypeReader().type(type);
    }

    /** Returns the shape of a record that stands for several values. */
    static RecordShape readRecord(Class<?> type) {
        return new TypeReader().record(type);
    }

    private WireType type(AnnotatedType type) {
        Wire wire = type.getAnnotation(Wire.class);
        String code = wire == null ? null : wire.value();
        WireType found =
                switch (type) {
                    case AnnotatedParameterizedType parameterized -> container(parameterized);
                    case AnnotatedWildcardType _ ->
                            throw new IllegalArgumentException(
                                    "a wildcard, " + type.getType() + ", has no D-Bus type");
                    case AnnotatedTypeVariable _ ->
                            throw new IllegalArgumentException(
                                    "a type variable, " + type.getType() + ", has no D-Bus type");
                    case AnnotatedArrayType array -> array(array);
                    default -> simple((Class<?>) type.getType(), code);
                };
        if (code != null && !found.signature().equals(code)) {
            throw new IllegalArgumentException(
                    "@Wire(\"%s\") does not go with %s"
                            .formatted(code, type.getType().getTypeName()));
        }
        return found;
    }

    private WireType container(AnnotatedParameterizedType type) {
        AnnotatedType[] arguments = type.getAnnotatedActualTypeArguments();
        Class<?> raw = (Class<?>) ((ParameterizedType) type.getType()).getRawType();
        if (raw == List.class) {
            return new ListType(type(arguments[0]));
        }
        if (raw == Map.class) {
            WireType key = type(arguments[0]);
            if (key.signature().length() != 1 || BASIC.indexOf(key.signature()) < 0) {
                throw new IllegalArgumentException(
                        "the keys of a Map are basic values, and not "
                                + arguments[0].getType().getTypeName());
            }
            return new MapType(key, type(arguments[1]));
        }
        if (raw == Optional.class) {
            return new OptionalType(new ListType(type(arguments[0])));
        }
        throw unknown(raw, "; List, Map and Optional have");
    }

    private WireType array(AnnotatedArrayType type) {
        if (!(type.getType() instanceof Class<?> array)) {
            throw new IllegalArgumentException(
                    type.getType().getTypeName() + " has no D-Bus type: use a List");
        }
        WireType bytes = PlainType.of(array);
        if (bytes != null) {
            return bytes;
        }
        WireType element = type(type.getAnnotatedGenericComponentType());
        return new ArrayType(array.getComponentType(), new ListType(element));
    }

    private static WireType enumeration(Class<?> type, @Nullable String code) {
        Reflected.requireAccessible(type);
        List<Object> constants = List.of(type.getEnumConstants());
        if (code != null && !code.equals("s")) {
            return new EnumType(type, constants, Map.of(), NumberType.of(int.class, code));
        }
        Map<String, Object> names = new LinkedHashMap<>();
        for (Object constant : constants) {
            String name = MemberNames.ofConstant((Enum<?>) constant);
            if (names.putIfAbsent(name, constant) != null) {
                throw new IllegalArgumentException(
                        type.getSimpleName() + " has two constants of the name " + name);
            }
        }
        return new EnumType(type, constants, names, new TextType("s"));
    }

    private WireType simple(Class<?> type, @Nullable String code) {
        if (NumberType.isNumber(type)) {
            return NumberType.of(type, code);
        }
        WireType plain = PlainType.of(type);
        if (plain != null) {
            return plain;
        }
        if (type == String.class) {
            return new TextType(code != null && "og".contains(code) ? code : "s");
        }
        if (type.isEnum()) {
            return enumeration(type, code);
        }
        if (type == Fd.class) {
            return new DescriptorType();
        }
        if (type == Variant.class || type == Object.class) {
            return new VariantType(type == Object.class);
        }
        if (type == List.class || type == Map.class || type == Optional.class) {
            throw new IllegalArgumentException(
                    "a raw " + type.getSimpleName() + " has no D-Bus type: add its type arguments");
        }
        if (type.isRecord()) {
            if (Outputs.class.isAssignableFrom(type) || DBusSignal.class.isAssignableFrom(type)) {
                throw new IllegalArgumentException(
                        type.getSimpleName() + " is several values, and not one");
            }
            return struct(type);
        }
        throw unknown(type, type == float.class || type == Float.class ? ": use double" : "");
    }

    private static IllegalArgumentException unknown(Class<?> type, String rest) {
        return new IllegalArgumentException(type.getName() + " has no D-Bus type" + rest);
    }

    private WireType struct(Class<?> type) {
        RecordShape shape = record(type);
        if (shape.components().isEmpty()) {
            throw new IllegalArgumentException(
                    type.getSimpleName() + " has no components, and a struct has at least one");
        }
        return new StructType(shape);
    }

    private RecordShape record(Class<?> type) {
        Reflected.requireAccessible(type);
        if (type.getTypeParameters().length > 0) {
            throw new IllegalArgumentException(type.getSimpleName() + " has type variables");
        }
        if (!around.add(type)) {
            throw new IllegalArgumentException(
                    "the record " + type.getSimpleName() + " is a part of itself");
        }
        List<RecordShape.Component> components = new ArrayList<>();
        RecordComponent[] all = type.getRecordComponents();
        Class<?>[] types = new Class<?>[all.length];
        for (int i = 0; i < all.length; i++) {
            types[i] = all[i].getType();
            try {
                components.add(
                        new RecordShape.Component(
                                all[i].getName(),
                                type(all[i].getAnnotatedType()),
                                all[i].getAccessor()));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(
                        "%s.%s: %s"
                                .formatted(type.getSimpleName(), all[i].getName(), e.getMessage()),
                        e);
            }
        }
        around.remove(type);
        return new RecordShape(type, canonical(type, types), List.copyOf(components));
    }

    private static Constructor<?> canonical(Class<?> type, Class<?>[] types) {
        try {
            return type.getConstructor(types);
        } catch (NoSuchMethodException e) {
            throw new IllegalArgumentException(
                    "the constructor of " + type.getSimpleName() + " is not public", e);
        }
    }
}
