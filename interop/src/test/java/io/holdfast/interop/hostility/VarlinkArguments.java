package io.holdfast.interop.hostility;

import io.holdfast.core.testkit.Gen;
import io.holdfast.varlink.idl.tree.Definition;
import io.holdfast.varlink.idl.tree.Type;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Generates values for the types of a Varlink interface. */
final class VarlinkArguments {
    private static final int DEEPEST = 4;
    private static final int LONG_ARRAY = 100;

    private final Definition described;
    private final Words words;
    private final Gen gen;

    VarlinkArguments(Definition described, Words words, Gen gen) {
        this.described = described;
        this.words = words;
        this.gen = gen;
    }

    JsonObject object(Type.Struct struct, int depth) {
        JsonObject.Builder object = JsonObject.builder();
        for (Type.Field field : struct.fields()) {
            value(field.type(), field.name(), depth)
                    .ifPresent(value -> object.put(field.name(), value));
        }
        return object.build();
    }

    /** Returns no value where none is required, most of the time. */
    private Optional<Json> value(Type type, String name, int depth) {
        return switch (type) {
            case Type.Primitive primitive -> Optional.of(primitive(primitive, name));
            case Type.Nullable(Type inner) ->
                    depth > DEEPEST || gen.chance(0.3)
                            ? Optional.empty()
                            : value(inner, name, depth + 1);
            case Type.Reference(String defined) ->
                    value(described.type(defined).orElseThrow().type(), name, depth + 1);
            case Type.Struct struct -> Optional.of(object(struct, depth + 1));
            case Type.Enumeration(List<Type.Value> values) ->
                    Optional.of(new Json.Text(gen.oneOf(values).name()));
            case Type.Array(Type element) -> Optional.of(array(element, name, depth + 1));
            case Type.Mapping(Type element) -> {
                JsonObject.Builder object = JsonObject.builder();
                value(element, name, depth + 1).ifPresent(value -> object.put("key", value));
                yield Optional.of(object.build());
            }
        };
    }

    private Json primitive(Type.Primitive type, String name) {
        return switch (type) {
            case BOOL -> new Json.Bool(gen.chance(0.5));
            case INT -> new Json.Int(gen.between(0, 2));
            case FLOAT -> new Json.Real(0.5);
            case STRING, ANY -> new Json.Text(words.next(gen, name));
            case OBJECT -> JsonObject.of("key", "value");
        };
    }

    private Json.Array array(Type element, String name, int depth) {
        List<Json> elements = new ArrayList<>();
        for (int i = gen.chance(0.1) ? LONG_ARRAY : gen.between(0, 3); i > 0; i--) {
            value(element, name, depth).ifPresent(elements::add);
        }
        return new Json.Array(elements);
    }
}
