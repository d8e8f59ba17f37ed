package io.holdfast.varlink.typed;

import io.holdfast.varlink.idl.tree.Definition;
import io.holdfast.varlink.idl.tree.Documentation;
import io.holdfast.varlink.idl.tree.Type;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.typed.Conversion.UnfitException;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Function;

/**
 * The Varlink types of Java types, and the named types of one interface: records and enums, by
 * their simple names. A record may contain itself in a list, map or optional.
 */
final class Types {
    private static final Map<Class<?>, Conversion> PLAIN =
            Map.ofEntries(
                    Map.entry(boolean.class, bool()),
                    Map.entry(Boolean.class, bool()),
                    Map.entry(byte.class, integer(Byte.MIN_VALUE, Byte.MAX_VALUE, Long::byteValue)),
                    Map.entry(Byte.class, integer(Byte.MIN_VALUE, Byte.MAX_VALUE, Long::byteValue)),
                    Map.entry(
                            short.class,
                            integer(Short.MIN_VALUE, Short.MAX_VALUE, Long::shortValue)),
                    Map.entry(
                            Short.class,
                            integer(Short.MIN_VALUE, Short.MAX_VALUE, Long::shortValue)),
                    Map.entry(int.class, ofInt()),
                    Map.entry(Integer.class, ofInt()),
                    Map.entry(long.class, ofLong()),
                    Map.entry(Long.class, ofLong()),
                    Map.entry(float.class, real(Double::floatValue)),
                    Map.entry(Float.class, real(Double::floatValue)),
                    Map.entry(double.class, real(number -> number)),
                    Map.entry(Double.class, real(number -> number)),
                    Map.entry(
                            String.class,
                            new Conversion(
                                    Type.Primitive.STRING,
                                    value -> Json.of((String) value),
                                    json -> expect(Json.Text.class, "string", json).value())),
                    Map.entry(
                            JsonObject.class,
                            new Conversion(
                                    Type.Primitive.OBJECT,
                                    value -> (JsonObject) value,
                                    json -> expect(JsonObject.class, "object", json))),
                    Map.entry(
                            Json.class,
                            new Conversion(
                                    Type.Primitive.ANY,
                                    value -> expect(Json.class, "any", (Json) value),
                                    json -> expect(Json.class, "any", json))),
                    Map.entry(
                            OptionalInt.class,
                            nullable(
                                    ofInt(),
                                    value -> ((OptionalInt) value).isPresent(),
                                    value -> ((OptionalInt) value).getAsInt(),
                                    OptionalInt.empty(),
                                    value -> OptionalInt.of((Integer) value))),
                    Map.entry(
                            OptionalLong.class,
                            nullable(
                                    ofLong(),
                                    value -> ((OptionalLong) value).isPresent(),
                                    value -> ((OptionalLong) value).getAsLong(),
                                    OptionalLong.empty(),
                                    value -> OptionalLong.of((Long) value))),
                    Map.entry(
                            OptionalDouble.class,
                            nullable(
                                    real(number -> number),
                                    value -> ((OptionalDouble) value).isPresent(),
                                    value -> ((OptionalDouble) value).getAsDouble(),
                                    OptionalDouble.empty(),
                                    value -> OptionalDouble.of((Double) value))));

    private final Map<Class<?>, Conversion> named = new LinkedHashMap<>();
    private final Map<Class<?>, Type.Composite> definitions = new LinkedHashMap<>();
    private final Map<String, Class<?>> names = new HashMap<>();

    /** Returns the named types, in the order in which they were first used. */
    List<Definition.Member> members() {
        List<Definition.Member> members = new ArrayList<>();
        definitions.forEach((type, definition) ->
                members.add(
                        new Definition.NamedType(Documentation.NONE, nameOf(type), definition)));
        return members;
    }

    /**
     * Returns the conversion of a type.
     *
     * @param place where the type is used, for messages
     * @throws IllegalArgumentException if there is no such Varlink type
     */
    Conversion of(java.lang.reflect.Type type, String place) {
        Conversion plain = type instanceof Class<?> known ? PLAIN.get(known) : null;
        if (plain != null) {
            return plain;
        }
        if (type instanceof Class<?> record && record.isRecord()) {
            return named(record, place);
        }
        if (type instanceof Class<?> words && words.isEnum()) {
            return named(words, place);
        }
        if (type instanceof ParameterizedType generic) {
            java.lang.reflect.Type[] arguments = generic.getActualTypeArguments();
            Class<?> raw = (Class<?>) generic.getRawType();
            if (raw == List.class) {
                return list(of(arguments[0], place));
            }
            if (raw == Map.class && arguments[0] == String.class) {
                return map(of(arguments[1], place));
            }
            if (raw == Optional.class) {
                return optional(of(arguments[0], place), place);
            }
        }
        throw new IllegalArgumentException(
                place
                        + ": no Varlink type for "
                        + type.getTypeName()
                        + ": use a primitive type, String, an enum, a record, List, Map with String"
                        + " keys, Optional, JsonObject or Json");
    }

    private Conversion named(Class<?> type, String place) {
        Conversion known = named.get(type);
        if (known != null) {
            return known;
        }
        requireAccessible(type);
        String name = nameOf(type);
        Class<?> other = names.putIfAbsent(name, type);
        if (other != null) {
            throw new IllegalArgumentException(
                    "%s: %s and %s have the same name: set one with @VarlinkName"
                            .formatted(place, type.getName(), other.getName()));
        }
        Type.Reference reference = new Type.Reference(name);
        return type.isEnum() ? words(type, reference) : struct(type, reference);
    }

    private Conversion struct(Class<?> type, Type.Reference reference) {
        RecordStruct[] struct =
                new RecordStruct[1]; // known once its components are, which may use it
        Conversion conversion =
                new Conversion(
                        reference,
                        value -> struct[0].toJson(value),
                        json -> struct[0].toJava(expect(JsonObject.class, "object", json)));
        Conversion _ = named.put(type, conversion);
        struct[0] = RecordStruct.of(type, this);
        Type.Composite _ = definitions.put(type, struct[0].type());
        return conversion;
    }

    private Conversion words(Class<?> type, Type.Reference reference) {
        Map<Object, Json> words = new LinkedHashMap<>();
        Map<String, Object> constants = new HashMap<>();
        List<Type.Value> values = new ArrayList<>();
        for (Object constant : type.getEnumConstants()) {
            String name = nameOf((Enum<?>) constant);
            Json _ = words.put(constant, Json.of(name));
            Object _ = constants.put(name, constant);
            boolean _ = values.add(new Type.Value(Documentation.NONE, name));
        }
        Type.Composite _ = definitions.put(type, new Type.Enumeration(values));
        Conversion conversion =
                new Conversion(
                        reference,
                        value -> Objects.requireNonNull(words.get(value)),
                        json -> {
                            String word = expect(Json.Text.class, "string", json).value();
                            Object constant = constants.get(word);
                            if (constant == null) {
                                throw new UnfitException(
                                        "\"" + word + "\" is none of " + constants.keySet());
                            }
                            return constant;
                        });
        Conversion _ = named.put(type, conversion);
        return conversion;
    }

    private static String nameOf(Class<?> type) {
        return nameOf(type, type.getSimpleName());
    }

    private static String nameOf(Enum<?> constant) {
        try {
            return nameOf(constant.getDeclaringClass().getField(constant.name()), constant.name());
        } catch (NoSuchFieldException e) {
            throw new AssertionError(e);
        }
    }

    /** Returns the name of the annotation, or the other one without it. */
    static String nameOf(AnnotatedElement element, String otherwise) {
        VarlinkName given = element.getAnnotation(VarlinkName.class);
        return given == null ? otherwise : given.value();
    }

    /**
     * Checks that this module may access a type.
     *
     * @throws IllegalArgumentException if the type is not public, or its package is not exported
     */
    static void requireAccessible(Class<?> type) {
        if (!Modifier.isPublic(type.getModifiers())) {
            throw new IllegalArgumentException(type.getName() + " is not public");
        }
        if (!type.getModule().isExported(type.getPackageName(), Types.class.getModule())) {
            throw new IllegalArgumentException(
                    "%s is in a package that its module does not export: it needs \"exports %s;\""
                            .formatted(type.getName(), type.getPackageName()));
        }
    }

    // Values

    private static <J extends Json> J expect(Class<J> kind, String word, Json json) {
        if (json == Json.Null.NULL) {
            throw new UnfitException("is missing");
        }
        if (!kind.isInstance(json)) {
            throw new UnfitException("expected " + word + ", found " + json.kind());
        }
        return kind.cast(json);
    }

    private static Conversion bool() {
        return new Conversion(
                Type.Primitive.BOOL,
                value -> Json.of((boolean) value),
                json -> expect(Json.Bool.class, "bool", json).value());
    }

    private static Conversion ofInt() {
        return integer(Integer.MIN_VALUE, Integer.MAX_VALUE, Long::intValue);
    }

    private static Conversion ofLong() {
        return integer(Long.MIN_VALUE, Long.MAX_VALUE, number -> number);
    }

    private static Conversion integer(long min, long max, Function<Long, Object> narrowed) {
        return new Conversion(
                Type.Primitive.INT,
                value -> Json.of(((Number) value).longValue()),
                json -> {
                    long number = expect(Json.Int.class, "int", json).value();
                    if (number < min || number > max) {
                        throw new UnfitException(number + " is not from " + min + " to " + max);
                    }
                    return narrowed.apply(number);
                });
    }

    private static Conversion real(Function<Double, Object> narrowed) {
        return new Conversion(
                Type.Primitive.FLOAT,
                value -> {
                    double number = ((Number) value).doubleValue();
                    if (!Double.isFinite(number)) {
                        throw new UnfitException("JSON has no number " + number);
                    }
                    return Json.of(number);
                },
                json ->
                        narrowed.apply(
                                json instanceof Json.Int(long number)
                                        ? (double) number
                                        : expect(Json.Real.class, "float", json).value()));
    }

    private static Conversion list(Conversion element) {
        return new Conversion(
                new Type.Array(element.type()),
                value -> {
                    List<Json> elements = new ArrayList<>();
                    for (Object each : (List<?>) value) {
                        String place = "[" + elements.size() + "]";
                        boolean _ = elements.add(Conversion.at(place, element.toJson(), each));
                    }
                    return new Json.Array(elements);
                },
                json -> {
                    List<Object> elements = new ArrayList<>();
                    for (Json each : expect(Json.Array.class, "array", json).elements()) {
                        String place = "[" + elements.size() + "]";
                        boolean _ = elements.add(Conversion.at(place, element.toJava(), each));
                    }
                    return List.copyOf(elements);
                });
    }

    private static Conversion map(Conversion value) {
        return new Conversion(
                new Type.Mapping(value.type()),
                map -> {
                    JsonObject.Builder object = JsonObject.builder();
                    ((Map<?, ?>) map)
                            .forEach((key, each) ->
                                    object.put(
                                            (String) key,
                                            Conversion.at("[" + key + "]", value.toJson(), each)));
                    return object.build();
                },
                json -> {
                    Map<String, Object> map = new LinkedHashMap<>();
                    expect(JsonObject.class, "object", json)
                            .fields()
                            .forEach((key, each) -> {
                                String place = "[" + key + "]";
                                Object _ = map.put(key, Conversion.at(place, value.toJava(), each));
                            });
                    return Collections.unmodifiableMap(map);
                });
    }

    private static Conversion optional(Conversion value, String place) {
        if (value.type() instanceof Type.Nullable) {
            throw new IllegalArgumentException(place + ": an optional in an optional");
        }
        return nullable(
                value,
                optional -> ((Optional<?>) optional).isPresent(),
                optional -> ((Optional<?>) optional).orElseThrow(),
                Optional.empty(),
                Optional::of);
    }

    private static Conversion nullable(
            Conversion value,
            Function<Object, Boolean> isPresent,
            Function<Object, Object> get,
            Object empty,
            Function<Object, Object> wrap) {
        return new Conversion(
                new Type.Nullable(value.type()),
                optional ->
                        isPresent.apply(optional)
                                ? value.toJson().apply(get.apply(optional))
                                : Json.Null.NULL,
                json -> json == Json.Null.NULL ? empty : wrap.apply(value.toJava().apply(json)));
    }
}
