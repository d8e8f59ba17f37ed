package io.holdfast.varlink.json;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.holdfast.varlink.json.text.JsonWriter;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/**
 * A JSON object: fields by name, in the order in which they were written. Two objects are equal if
 * they have equal fields in any order.
 *
 * <p>The getters named after a type ({@link #string}, {@link #integer}…) require the field; the
 * {@code optional…} getters return empty for an absent field and for {@code null} alike, as Varlink
 * does. All throw {@link JsonException} with the name of the field if it has another type.
 *
 * @param fields the fields by name
 */
public record JsonObject(Map<String, Json> fields) implements Json {
    /** The object without fields. */
    public static final JsonObject EMPTY = new JsonObject(Map.of());

    /**
     * Checks the names and copies the fields.
     *
     * @throws IllegalArgumentException if a name contains half of a surrogate pair
     */
    public JsonObject {
        fields.keySet().forEach(JsonWriter::requireUnicode);
        fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    }

    /**
     * {@return an object of one field, a string}
     *
     * @param name the name of the field
     * @param value the value of the field
     * @throws IllegalArgumentException if the name or the value contains half of a surrogate pair
     */
    public static JsonObject of(String name, String value) {
        return new JsonObject(Map.of(name, Json.of(value)));
    }

    /**
     * {@return an object of one field, an integer}
     *
     * @param name the name of the field
     * @param value the value of the field
     * @throws IllegalArgumentException if the name contains half of a surrogate pair
     */
    public static JsonObject of(String name, long value) {
        return new JsonObject(Map.of(name, Json.of(value)));
    }

    /**
     * {@return an object of one field, a boolean}
     *
     * @param name the name of the field
     * @param value the value of the field
     * @throws IllegalArgumentException if the name contains half of a surrogate pair
     */
    public static JsonObject of(String name, boolean value) {
        return new JsonObject(Map.of(name, Json.of(value)));
    }

    /**
     * {@return an object of one field}
     *
     * @param name the name of the field
     * @param value the value of the field
     * @throws IllegalArgumentException if the name contains half of a surrogate pair
     */
    public static JsonObject of(String name, Json value) {
        return new JsonObject(Map.of(name, value));
    }

    /**
     * Returns a builder of an object, whose fields are put one by one.
     *
     * @return the builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** {@return whether the object has no field; a field that is {@code null} counts} */
    public boolean isEmpty() {
        return fields.isEmpty();
    }

    /**
     * {@return the value of the field, unless it is absent or {@code null}}
     *
     * @param name the name of the field
     */
    public Optional<Json> find(String name) {
        Json value = fields.get(name);
        return value == null || value == Json.Null.NULL ? Optional.empty() : Optional.of(value);
    }

    /**
     * {@return the field, a string}
     *
     * @param name the name of the field
     * @throws JsonException if the field is absent, {@code null} or of another type
     */
    public String string(String name) {
        return require(name, Json::asString);
    }

    /**
     * {@return the field, an integer}
     *
     * @param name the name of the field
     * @throws JsonException if the field is absent, {@code null} or of another type
     */
    public long integer(String name) {
        return require(name, Json::asLong);
    }

    /**
     * {@return the field, a number; an integer is rounded to the nearest {@code double}}
     *
     * @param name the name of the field
     * @throws JsonException if the field is absent, {@code null} or of another type
     */
    public double real(String name) {
        return require(name, Json::asDouble);
    }

    /**
     * {@return the field, a boolean}
     *
     * @param name the name of the field
     * @throws JsonException if the field is absent, {@code null} or of another type
     */
    public boolean bool(String name) {
        return require(name, Json::asBoolean);
    }

    /**
     * {@return the field, an object}
     *
     * @param name the name of the field
     * @throws JsonException if the field is absent, {@code null} or of another type
     */
    public JsonObject object(String name) {
        return require(name, Json::asObject);
    }

    /**
     * {@return the elements of the field, an array; {@code null} may be among them}
     *
     * @param name the name of the field
     * @throws JsonException if the field is absent, {@code null} or of another type
     */
    public List<Json> array(String name) {
        return require(name, Json::asList);
    }

    /**
     * {@return the elements of the field, an array of strings}
     *
     * @param name the name of the field
     * @throws JsonException if the field is absent, {@code null} or of another type, or an element
     *     is no string
     */
    public List<String> strings(String name) {
        return require(name, JsonObject::stringList);
    }

    /**
     * {@return the elements of the field, an array of objects}
     *
     * @param name the name of the field
     * @throws JsonException if the field is absent, {@code null} or of another type, or an element
     *     is no object
     */
    public List<JsonObject> objects(String name) {
        return require(name, value -> value.asList().stream().map(Json::asObject).toList());
    }

    /**
     * {@return the field, a string; empty if it is absent or {@code null}}
     *
     * @param name the name of the field
     * @throws JsonException if the field has another type
     */
    public Optional<String> optionalString(String name) {
        return optional(name, Json::asString);
    }

    /**
     * {@return the field, an integer; empty if it is absent or {@code null}}
     *
     * @param name the name of the field
     * @throws JsonException if the field has another type
     */
    public OptionalLong optionalInteger(String name) {
        Optional<Long> value = optional(name, Json::asLong);
        return value.isPresent() ? OptionalLong.of(value.get()) : OptionalLong.empty();
    }

    /**
     * {@return the field, a boolean, or {@code otherwise} if it is absent or {@code null}}
     *
     * @param name the name of the field
     * @param otherwise the result for an absent field
     * @throws JsonException if the field has another type
     */
    public boolean bool(String name, boolean otherwise) {
        return optional(name, Json::asBoolean).orElse(otherwise);
    }

    /**
     * {@return the field, an object; empty if it is absent or {@code null}}
     *
     * @param name the name of the field
     * @throws JsonException if the field has another type
     */
    public Optional<JsonObject> optionalObject(String name) {
        return optional(name, Json::asObject);
    }

    /**
     * {@return the elements of the field, an array; empty if it is absent or {@code null}}
     *
     * @param name the name of the field
     * @throws JsonException if the field has another type
     */
    public Optional<List<Json>> optionalArray(String name) {
        return optional(name, Json::asList);
    }

    /**
     * {@return the elements of the field, an array of strings; empty if it is absent or {@code
     * null}}
     *
     * @param name the name of the field
     * @throws JsonException if the field has another type, or an element is no string
     */
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

    /** Collects fields; each name may be put once. Not thread-safe. */
    public static final class Builder {
        private final Map<String, Json> fields = new LinkedHashMap<>();

        private Builder() {}

        /**
         * Puts a field.
         *
         * @param name the name of the field
         * @param value the value of the field
         * @return this
         * @throws IllegalArgumentException if the name was put already
         */
        @CanIgnoreReturnValue
        public Builder put(String name, Json value) {
            if (fields.putIfAbsent(name, value) != null) {
                throw new IllegalArgumentException("field \"" + name + "\" was already put");
            }
            return this;
        }

        /**
         * Puts a string.
         *
         * @param name the name of the field
         * @param value the value of the field
         * @return this
         * @throws IllegalArgumentException if the name was put already, or the string contains half
         *     of a surrogate pair
         */
        @CanIgnoreReturnValue
        public Builder put(String name, String value) {
            return put(name, Json.of(value));
        }

        /**
         * Puts an integer.
         *
         * @param name the name of the field
         * @param value the value of the field
         * @return this
         * @throws IllegalArgumentException if the name was put already
         */
        @CanIgnoreReturnValue
        public Builder put(String name, long value) {
            return put(name, Json.of(value));
        }

        /**
         * Puts a real number.
         *
         * @param name the name of the field
         * @param value the value of the field
         * @return this
         * @throws IllegalArgumentException if the name was put already, or the number is infinite
         *     or NaN
         */
        @CanIgnoreReturnValue
        public Builder put(String name, double value) {
            return put(name, Json.of(value));
        }

        /**
         * Puts a boolean.
         *
         * @param name the name of the field
         * @param value the value of the field
         * @return this
         * @throws IllegalArgumentException if the name was put already
         */
        @CanIgnoreReturnValue
        public Builder put(String name, boolean value) {
            return put(name, Json.of(value));
        }

        /**
         * Puts an array of any values.
         *
         * @param name the name of the field
         * @param elements the elements of the field
         * @return this
         * @throws IllegalArgumentException if the name was put already
         */
        @CanIgnoreReturnValue
        public Builder put(String name, List<? extends Json> elements) {
            return put(name, Json.array(elements));
        }

        /**
         * Puts an array of strings.
         *
         * @param name the name of the field
         * @param elements the elements of the field
         * @return this
         * @throws IllegalArgumentException if the name was put already, or a string contains half
         *     of a surrogate pair
         */
        @CanIgnoreReturnValue
        public Builder putStrings(String name, List<String> elements) {
            return put(name, Json.strings(elements));
        }

        /**
         * Puts the string if it is present; Varlink treats an absent field as null.
         *
         * @param name the name of the field
         * @param value the value of the field
         * @return this
         */
        @CanIgnoreReturnValue
        public Builder putIfPresent(String name, Optional<String> value) {
            value.ifPresent(text -> put(name, text));
            return this;
        }

        /**
         * Puts the integer if it is present; Varlink treats an absent field as null.
         *
         * @param name the name of the field
         * @param value the value of the field
         * @return this
         */
        @CanIgnoreReturnValue
        public Builder putIfPresent(String name, OptionalLong value) {
            value.ifPresent(number -> put(name, number));
            return this;
        }

        /**
         * {@return the object with the fields so far}
         *
         * @throws IllegalArgumentException if a name contains half of a surrogate pair
         */
        public JsonObject build() {
            return fields.isEmpty() ? EMPTY : new JsonObject(fields);
        }
    }
}
