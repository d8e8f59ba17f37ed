package io.holdfast.varlink.idl.tree;

import io.holdfast.varlink.idl.tree.Definition.Mismatch;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Checks JSON values against types. Recursion follows the JSON value, whose depth its reader has
 * limited, so a type that contains itself does no harm. The place of a fault is built only while
 * the fault is returned, so that values that fit allocate nothing for it.
 */
public final class TypeCheck {
    private record Fault(String place, String reason) {
        Fault under(String prefix) {
            boolean joined = place.isEmpty() || place.startsWith("[");
            return new Fault(joined ? prefix + place : prefix + "." + place, reason);
        }
    }

    private final Definition types;
    private final boolean allowUnknown;

    /**
     * Makes a check against the types of an interface.
     *
     * @param types the interface that defines the named types
     * @param allowUnknown whether to accept fields that the definition does not have
     */
    public TypeCheck(Definition types, boolean allowUnknown) {
        this.types = types;
        this.allowUnknown = allowUnknown;
    }

    /**
     * {@return the first field that does not fit, or null if all fit}
     *
     * @param struct the type
     */
    public @Nullable Mismatch mismatch(Type.Struct struct, JsonObject value) {
        for (Type.Field field : struct.fields()) {
            Fault fault = field(field, value);
            if (fault != null) {
                return new Mismatch(field.name(), fault.place(), fault.reason());
            }
        }
        Fault fault = unknown(struct, value);
        return fault == null ? null : new Mismatch(fault.place(), fault.place(), fault.reason());
    }

    private @Nullable Fault field(Type.Field field, JsonObject object) {
        Fault fault = value(field.type(), object.fields().get(field.name()));
        return fault == null ? null : fault.under(field.name());
    }

    private @Nullable Fault value(Type type, @Nullable Json value) {
        if (type instanceof Type.Nullable(Type inner)) {
            return value == null || value == Json.Null.NULL ? null : value(inner, value);
        }
        if (value == null) {
            return new Fault("", "is missing");
        }
        return switch (type) {
            case Type.Primitive primitive -> primitive(primitive, value);
            case Type.Reference(String name) -> value(definition(name), value);
            case Type.Enumeration enumeration -> enumeration(enumeration, value);
            case Type.Struct struct -> struct(struct, value);
            case Type.Array(Type element) -> array(element, value);
            case Type.Mapping(Type element) -> mapping(element, value);
            case Type.Nullable _ -> throw new AssertionError("handled above");
        };
    }

    private Type definition(String name) {
        return types.type(name)
                .orElseThrow(() -> new AssertionError("checked by Definition: " + name))
                .type();
    }

    private @Nullable Fault primitive(Type.Primitive type, Json value) {
        boolean fits =
                switch (type) {
                    case BOOL -> value instanceof Json.Bool;
                    case INT -> value instanceof Json.Int;
                    case FLOAT -> value instanceof Json.Real || value instanceof Json.Int;
                    case STRING -> value instanceof Json.Text;
                    case OBJECT -> value instanceof JsonObject;
                    case ANY -> value != Json.Null.NULL;
                };
        return fits ? null : mismatched(type.word(), value);
    }

    private @Nullable Fault enumeration(Type.Enumeration type, Json value) {
        if (!(value instanceof Json.Text(String word))) {
            return mismatched("string", value);
        }
        return type.contains(word) ? null : new Fault("", value + " is not a value of the enum");
    }

    private @Nullable Fault struct(Type.Struct type, Json value) {
        if (!(value instanceof JsonObject object)) {
            return mismatched("object", value);
        }
        for (Type.Field field : type.fields()) {
            Fault fault = field(field, object);
            if (fault != null) {
                return fault;
            }
        }
        return unknown(type, object);
    }

    private @Nullable Fault unknown(Type.Struct type, JsonObject object) {
        if (allowUnknown) {
            return null;
        }
        long known =
                type.fields().stream()
                        .filter(field -> object.fields().containsKey(field.name()))
                        .count();
        if (known == object.fields().size()) {
            return null;
        }
        for (String name : object.fields().keySet()) {
            if (type.fields().stream().noneMatch(field -> field.name().equals(name))) {
                return new Fault(name, "is an unknown field");
            }
        }
        throw new AssertionError("more fields than names");
    }

    private @Nullable Fault array(Type element, Json value) {
        if (!(value instanceof Json.Array(List<Json> elements))) {
            return mismatched("array", value);
        }
        for (int i = 0; i < elements.size(); i++) {
            Fault fault = value(element, elements.get(i));
            if (fault != null) {
                return fault.under("[" + i + "]");
            }
        }
        return null;
    }

    private @Nullable Fault mapping(Type element, Json value) {
        if (!(value instanceof JsonObject(Map<String, Json> fields))) {
            return mismatched("object", value);
        }
        for (Map.Entry<String, Json> field : fields.entrySet()) {
            Fault fault = value(element, field.getValue());
            if (fault != null) {
                return fault.under("[" + Json.of(field.getKey()) + "]");
            }
        }
        return null;
    }

    private static Fault mismatched(String wanted, Json value) {
        return new Fault("", "expected " + wanted + ", found " + value.kind());
    }
}
