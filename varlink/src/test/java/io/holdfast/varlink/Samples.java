package io.holdfast.varlink;

import io.holdfast.core.testkit.Gen;
import io.holdfast.varlink.idl.tree.Definition;
import io.holdfast.varlink.idl.tree.Documentation;
import io.holdfast.varlink.idl.tree.Type;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Generated JSON values and interface definitions. */
public final class Samples {
    private static final String TEXT = "ab \"\\/\n\t\0\u001f\u007f{}[],:#é€\u2028𝄞";
    private static final String LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    private static final String ALPHANUMERIC = LETTERS + "0123456789";

    private final Gen gen;

    public Samples(Gen gen) {
        this.gen = gen;
    }

    /** Returns any string of Unicode, with control and supplementary characters. */
    String text(int max) {
        List<Integer> points = TEXT.codePoints().boxed().toList();
        StringBuilder text = new StringBuilder();
        for (int i = gen.between(0, max); i > 0; i--) {
            text.appendCodePoint(gen.oneOf(points));
        }
        return text.toString();
    }

    public Json json(int depth) {
        return switch (gen.between(depth > 0 ? 0 : 2, 7)) {
            case 0 -> Json.array(gen.list(5, () -> json(depth - 1)));
            case 1 -> object(depth);
            case 2 -> Json.of(text(20));
            case 3 -> Json.of(gen.anyLong());
            case 4 -> Json.of(gen.oneOf(0L, -1L, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 53));
            case 5 -> Json.of(gen.oneOf(0.0, -0.0, 1e300, Double.MIN_VALUE, 0.1, 1e15 + 0.5));
            case 6 -> Json.of(gen.chance(0.5));
            default -> Json.Null.NULL;
        };
    }

    JsonObject object(int depth) {
        Map<String, Json> fields = new LinkedHashMap<>();
        for (int i = gen.between(0, 5); i > 0; i--) {
            fields.put(text(8), json(depth - 1));
        }
        return new JsonObject(fields);
    }

    String memberName() {
        return Character.toUpperCase(LETTERS.charAt(gen.between(0, 51)))
                + gen.string(ALPHANUMERIC, 8);
    }

    String fieldName() {
        StringBuilder name = new StringBuilder().append(LETTERS.charAt(gen.between(0, 51)));
        for (int i = gen.between(0, 6); i > 0; i--) {
            name.append(gen.chance(0.2) ? "_" : "")
                    .append(ALPHANUMERIC.charAt(gen.between(0, ALPHANUMERIC.length() - 1)));
        }
        return name.toString();
    }

    Documentation documentation() {
        return new Documentation(
                gen.list(2, () -> gen.oneOf("", "one line", "  indented # twice", "ünïcode")));
    }

    /**
     * @param asOld whether to use only what systemd 257 supports: no any, no arrays of arrays, no
     *     names inside inline types, nothing empty
     */
    public Definition definition(boolean asOld) {
        Set<String> names = new LinkedHashSet<>();
        for (int i = gen.between(0, 8); i > 0; i--) {
            names.add(memberName());
        }
        List<String> all = new ArrayList<>(names);
        List<String> types = all.subList(0, all.size() / 2);
        List<Definition.Member> members = new ArrayList<>();
        for (String name : all) {
            members.add(
                    types.contains(name)
                            ? new Definition.NamedType(
                                    documentation(), name, composite(types, 3, asOld))
                            : gen.chance(0.3)
                                    ? new Definition.NamedError(
                                            documentation(), name, struct(types, 3, 0, asOld))
                                    : new Definition.Method(
                                            documentation(),
                                            name,
                                            struct(types, 3, 0, asOld),
                                            struct(types, 3, 0, asOld)));
        }
        String name = gen.oneOf("a.b", "io.holdfast.Thing-1", "org.example.more.x9", "A1.b-c");
        return new Definition(documentation(), name, members);
    }

    private Type.Composite composite(List<String> types, int depth, boolean asOld) {
        return gen.chance(0.5)
                ? struct(types, depth, asOld ? 1 : 0, asOld)
                : new Type.Enumeration(
                        distinct(1).stream()
                                .map(name -> new Type.Value(documentation(), name))
                                .toList());
    }

    private Type.Struct struct(List<String> types, int depth, int atLeast, boolean asOld) {
        return new Type.Struct(
                distinct(atLeast).stream()
                        .map(name ->
                                new Type.Field(documentation(), name, type(types, depth, asOld)))
                        .toList());
    }

    private Set<String> distinct(int atLeast) {
        Set<String> names = new LinkedHashSet<>();
        for (int i = gen.between(atLeast, 5); i > 0; i--) {
            names.add(fieldName());
        }
        return names;
    }

    private Type type(List<String> types, int depth, boolean asOld) {
        boolean nullable = gen.chance(0.3);
        Type type =
                switch (gen.between(0, depth > 0 ? 7 : 4)) {
                    case 0, 1, 2 -> primitive(asOld);
                    case 3, 4 ->
                            types.isEmpty()
                                    ? primitive(asOld)
                                    : new Type.Reference(gen.oneOf(types));
                    case 5 -> new Type.Array(element(types, depth, asOld));
                    case 6 -> new Type.Mapping(element(types, depth, asOld));
                    default -> composite(asOld ? List.of() : types, depth - 1, asOld);
                };
        return nullable ? new Type.Nullable(type) : type;
    }

    private Type element(List<String> types, int depth, boolean asOld) {
        return asOld ? primitive(true) : type(types, depth - 1, false);
    }

    private Type.Primitive primitive(boolean asOld) {
        Type.Primitive type = gen.oneOf(Type.Primitive.values());
        return asOld && type == Type.Primitive.ANY ? Type.Primitive.INT : type;
    }

    /**
     * Returns a value that fits the type; structs that contain themselves end with nulls or empty
     * lists.
     */
    public Json fitting(Definition types, Type type, int depth) {
        return switch (type) {
            case Type.Primitive primitive ->
                    switch (primitive) {
                        case BOOL -> Json.of(gen.chance(0.5));
                        case INT -> Json.of(gen.anyLong());
                        case FLOAT -> gen.chance(0.5) ? Json.of(1.5) : Json.of(2L);
                        case STRING -> Json.of(text(5));
                        case OBJECT -> object(1);
                        case ANY -> Json.of(true);
                    };
            case Type.Reference(String name) ->
                    fitting(types, types.type(name).orElseThrow().type(), depth - 1);
            case Type.Enumeration(List<Type.Value> values) -> Json.of(gen.oneOf(values).name());
            case Type.Struct struct -> fitting(types, struct, depth);
            case Type.Array(Type element) ->
                    Json.array(
                            depth > 0
                                    ? gen.list(3, () -> fitting(types, element, depth - 1))
                                    : List.of());
            case Type.Mapping(Type value) -> {
                Map<String, Json> fields = new LinkedHashMap<>();
                for (int i = depth > 0 ? gen.between(0, 3) : 0; i > 0; i--) {
                    fields.put(text(4), fitting(types, value, depth - 1));
                }
                yield new JsonObject(fields);
            }
            case Type.Nullable(Type inner) ->
                    depth > 0 && gen.chance(0.5)
                            ? fitting(types, inner, depth - 1)
                            : Json.Null.NULL;
        };
    }

    public JsonObject fitting(Definition types, Type.Struct struct, int depth) {
        if (depth < -20) {
            throw new EndlessTypeException();
        }
        Map<String, Json> fields = new LinkedHashMap<>();
        for (Type.Field field : struct.fields()) {
            Json value = fitting(types, field.type(), depth - 1);
            if (value != Json.Null.NULL || gen.chance(0.5)) {
                fields.put(field.name(), value);
            }
        }
        return new JsonObject(fields);
    }

    /** Thrown for a type that always contains itself: no value of it exists. */
    public static final class EndlessTypeException extends RuntimeException {
        private static final long serialVersionUID = 1;

        EndlessTypeException() {}
    }
}
