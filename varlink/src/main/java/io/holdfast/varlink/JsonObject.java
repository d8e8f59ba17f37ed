package io.holdfast.varlink;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/**
 * A JSON object: fields by name, in the order they were written. Two are equal if they have equal
 * fields in any order.
 *
 * <p>The readers named after a type ({@link #string}, {@link #integer}…) demand the field; the
 * {@code optional…} ones take an absent field and {@code null} alike for empty, as Varlink does.
 * All throw {@link JsonException} naming the field if it has another type.
 */
public record JsonObject(Map<String, Json> fields) implements Json {
    public static final JsonObject EMPTY = new JsonObject(Map.of());

    /**
     * @throws IllegalArgumentException if a name holds half of a surrogate pair
     */
    public JsonObject {
        fields.keySet().forEach(JsonWriter::requireUnicode);
        fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    }

    public static JsonObject of(String name, String value) {
        return new JsonObject(Map.of(name, Json.of(value)));
    }

    public static JsonObject of(String name, long value) {
        return new JsonObject(Map.of(name, Json.of(value)));
    }

    public static JsonObject of(String name, boolean value) {
        return new JsonObject(Map.of(name, Json.of(value)));
    }

    public static JsonObject of(String name, Json value) {
        return new JsonObject(Map.of(name, value));
    }

    public static Builder builder() {
        return new Builder();
    }

    public boolean isEmpty() {
        return fields.isEmpty();
    }

    /** The field, unless it is absent or {@code null}. */
    public Optional<Json> find(String name) {
        Json value = fields.get(name);
        return value == null || value == Json.Null.NULL ? Optional.empty() : Optional.of(value);
    }

    public String string(String name) {
        return require(name, Json::asString);
    }

    public long integer(String name) {
        return require(name, Json::asLong);
    }

    public double real(String name) {
        return require(name, Json::asDouble);
    }

    public boolean bool(String name) {
        return require(name, Json::asBoolean);
    }

    public JsonObject object(String name) {
        return require(name, Json::asObject);
    }

    public List<Json> array(String name) {
        return require(name, Json::asList);
    }

    public List<String> strings(String name) {
        return require(name, JsonObject::stringList);
    }

    public List<JsonObject> objects(String name) {
        return require(name, value -> value.asList().stream().map(Json::asObject).toList());
    }

    public Optional<String> optionalString(String name) {
        return optional(name, Json::asString);
    }

    public OptionalLong optionalInteger(String name) {
        Optional<Long> value = optional(name, Json::asLong);
        return value.isPresent() ? OptionalLong.of(value.get()) : OptionalLong.empty();
    }

    /** The field, or {@code otherwise} if it is absent or {@code null}. */
    public boolean bool(String name, boolean otherwise) {
        return optional(name, Json::asBoolean).orElse(otherwise);
    }

    public Optional<JsonObject> optionalObject(String name) {
        return optional(name, Json::asObject);
    }

    public Optional<List<Json>> optionalArray(String name) {
        return optional(name, Json::asList);
    }

    public Optional<List<String>> optionalStrings(String name) {
        return optional(name, JsonObject::stringList);
    }

    private static List<String> stringList(Json value) {
        return value.asList().stream().map(Json::asString).toList();
    }

    private <T> T require(String name, Function<Json, T> as) {
        return optional(name, as)
                .orElseThrow(() -> new JsonException("field \"" + name + "\" is missing"));
    }

    private <T> Optional<T> optional(String name, Function<Json, T> as) {
        Optional<Json> value = find(name);
        try {
            return value.map(as);
        } catch (JsonException e) {
            throw new JsonException("field \"" + name + "\": " + e.getMessage());
        }
    }

    @Override
    public String toString() {
        return JsonWriter.text(this);
    }

    /** Collects fields; each name once. Not thread-safe. */
    public static final class Builder {
        private final Map<String, Json> fields = new LinkedHashMap<>();

        private Builder() {}

        /**
         * Puts a field.
         *
         * @throws IllegalArgumentException if the name was already given
         */
        @CanIgnoreReturnValue
        public Builder put(String name, Json value) {
            if (fields.putIfAbsent(name, value) != null) {
                throw new IllegalArgumentException("field \"" + name + "\" was already put");
            }
            return this;
        }

        @CanIgnoreReturnValue
        public Builder put(String name, String value) {
            return put(name, Json.of(value));
        }

        @CanIgnoreReturnValue
        public Builder put(String name, long value) {
            return put(name, Json.of(value));
        }

        @CanIgnoreReturnValue
        public Builder put(String name, double value) {
            return put(name, Json.of(value));
        }

        @CanIgnoreReturnValue
        public Builder put(String name, boolean value) {
            return put(name, Json.of(value));
        }

        /** An array of objects, numbers… */
        @CanIgnoreReturnValue
        public Builder put(String name, List<? extends Json> elements) {
            return put(name, Json.array(elements));
        }

        @CanIgnoreReturnValue
        public Builder putStrings(String name, List<String> elements) {
            return put(name, Json.strings(elements));
        }

        /** Puts the string if there is one; an absent field is Varlink's null. */
        @CanIgnoreReturnValue
        public Builder putIfPresent(String name, Optional<String> value) {
            value.ifPresent(text -> put(name, text));
            return this;
        }

        /** Puts the integer if there is one; an absent field is Varlink's null. */
        @CanIgnoreReturnValue
        public Builder putIfPresent(String name, OptionalLong value) {
            value.ifPresent(number -> put(name, number));
            return this;
        }

        public JsonObject build() {
            return fields.isEmpty() ? EMPTY : new JsonObject(fields);
        }
    }
}
