package io.holdfast.varlink.json;

import io.holdfast.varlink.json.text.JsonReader;
import io.holdfast.varlink.json.text.JsonWriter;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;

/**
 * A JSON value, immutable. An integer is a {@code long} everywhere and never passes through a
 * {@code double}; a number with a fraction or an exponent is a {@link Real}.
 *
 * <p>Parsing is strict: RFC 8259 in well-formed UTF-8, no duplicate keys, no integer outside 64
 * bits, no real outside the range of a {@code double}, no lone surrogates, and nothing after the
 * value but white space.
 */
public sealed interface Json
        permits JsonObject, Json.Array, Json.Text, Json.Int, Json.Real, Json.Bool, Json.Null {
    /**
     * A list of values.
     *
     * @param elements the elements
     */
    record Array(List<Json> elements) implements Json {
        /** Copies the elements. */
        public Array {
            elements = List.copyOf(elements);
        }

        @Override
        public String toString() {
            return JsonWriter.text(this);
        }
    }

    /**
     * A string of well-formed Unicode.
     *
     * @param value the value
     */
    record Text(String value) implements Json {
        /**
         * Checks the string.
         *
         * @throws IllegalArgumentException if the string contains half of a surrogate pair, which
         *     UTF-8 cannot represent
         */
        public Text {
            JsonWriter.requireUnicode(value);
        }

        @Override
        public String toString() {
            return JsonWriter.text(this);
        }
    }

    /**
     * A whole number of 64 bits.
     *
     * @param value the value
     */
    record Int(long value) implements Json {
        @Override
        public String toString() {
            return JsonWriter.text(this);
        }
    }

    /**
     * A number written with a fraction or an exponent.
     *
     * @param value the value
     */
    record Real(double value) implements Json {
        /**
         * Checks the number.
         *
         * @throws IllegalArgumentException if it is infinite or not a number
         */
        public Real {
            if (!Double.isFinite(value)) {
                throw new IllegalArgumentException("JSON has no number " + value);
            }
        }

        @Override
        public String toString() {
            return JsonWriter.text(this);
        }
    }

    /**
     * {@code true} or {@code false}.
     *
     * @param value the value
     */
    record Bool(boolean value) implements Json {
        @Override
        public String toString() {
            return JsonWriter.text(this);
        }
    }

    /** {@code null}, which Varlink treats as an absent field. */
    enum Null implements Json {
        /** The only value. */
        NULL;

        @Override
        public String toString() {
            return "null";
        }
    }

    /**
     * Makes a string.
     *
     * @param value the value
     * @return the value
     * @throws IllegalArgumentException if the string contains half of a surrogate pair
     */
    static Json of(String value) {
        return new Text(value);
    }

    /**
     * Makes an integer.
     *
     * @param value the value
     * @return the value
     */
    static Json of(long value) {
        return new Int(value);
    }

    /**
     * Makes a real number, which is written with a fraction or an exponent even if it is whole.
     *
     * @param value the value
     * @return the value
     * @throws IllegalArgumentException if it is infinite or not a number
     */
    static Json of(double value) {
        return new Real(value);
    }

    /**
     * Makes a boolean.
     *
     * @param value the value
     * @return the value
     */
    static Json of(boolean value) {
        return new Bool(value);
    }

    /**
     * Makes an array of a copy of the elements.
     *
     * @param elements the elements
     * @return the array
     */
    static Json array(Collection<? extends Json> elements) {
        return new Array(List.copyOf(elements));
    }

    /**
     * Makes an array of strings.
     *
     * @param elements the elements
     * @return the array
     * @throws IllegalArgumentException if a string contains half of a surrogate pair
     */
    static Json strings(Collection<String> elements) {
        return new Array(elements.stream().map(Json::of).toList());
    }

    /**
     * Parses one value.
     *
     * @param text the JSON text
     * @return the value
     * @throws JsonException if the text is not one JSON value within {@link JsonLimits#DEFAULT}:
     *     with offset and reason
     */
    static Json parse(String text) {
        return JsonReader.read(text, JsonLimits.DEFAULT);
    }

    /**
     * Parses one value from UTF-8.
     *
     * @param utf8 the JSON text
     * @param limits the limits
     * @return the value
     * @throws JsonException if the bytes are not well-formed UTF-8 or not one JSON value within the
     *     limits: with offset and reason
     */
    static Json parse(byte[] utf8, JsonLimits limits) {
        return JsonReader.read(ByteBuffer.wrap(utf8), limits);
    }

    /** {@return the value as compact UTF-8; never contains a NUL byte} */
    default byte[] toBytes() {
        return JsonWriter.bytes(this);
    }

    /** {@return the kind of the value, in a word for error messages} */
    default String kind() {
        return switch (this) {
            case JsonObject _ -> "object";
            case Array _ -> "array";
            case Text _ -> "string";
            case Int _ -> "integer";
            case Real _ -> "real number";
            case Bool _ -> "boolean";
            case Null _ -> "null";
        };
    }

    /**
     * {@return the string}
     *
     * @throws JsonException if this is not a string
     */
    default String asString() {
        if (this instanceof Text(String value)) {
            return value;
        }
        throw mistaken("a string");
    }

    /**
     * {@return the integer}
     *
     * @throws JsonException if this is not an integer
     */
    default long asLong() {
        if (this instanceof Int(long value)) {
            return value;
        }
        throw mistaken("an integer");
    }

    /**
     * {@return the number; an integer is rounded to the nearest {@code double}}
     *
     * @throws JsonException if this is not a number
     */
    default double asDouble() {
        return switch (this) {
            case Real(double value) -> value;
            case Int(long value) -> value;
            default -> throw mistaken("a number");
        };
    }

    /**
     * {@return the boolean}
     *
     * @throws JsonException if this is not a boolean
     */
    default boolean asBoolean() {
        if (this instanceof Bool(boolean value)) {
            return value;
        }
        throw mistaken("a boolean");
    }

    /**
     * {@return the elements}
     *
     * @throws JsonException if this is not an array
     */
    default List<Json> asList() {
        if (this instanceof Array(List<Json> elements)) {
            return elements;
        }
        throw mistaken("an array");
    }

    /**
     * Returns this value as an object.
     *
     * @return this
     * @throws JsonException if this is not an object
     */
    default JsonObject asObject() {
        if (this instanceof JsonObject object) {
            return object;
        }
        throw mistaken("an object");
    }

    private JsonException mistaken(String wanted) {
        return new JsonException("expected " + wanted + ", found " + kind());
    }
}
