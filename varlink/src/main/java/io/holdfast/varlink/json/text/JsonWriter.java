package io.holdfast.varlink.json.text;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonLimits;
import io.holdfast.varlink.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.StringWriter;
import java.util.Map;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamWriteConstraints;
import tools.jackson.core.json.JsonFactory;

/** Writes {@link Json} as compact text. */
public final class JsonWriter {
    /** Allows for a value that was read at the greatest depth and then wrapped. */
    private static final JsonFactory FACTORY =
            JsonFactory.builder()
                    .streamWriteConstraints(
                            StreamWriteConstraints.builder()
                                    .maxNestingDepth(2 * JsonLimits.GREATEST_DEPTH)
                                    .build())
                    .build();

    private JsonWriter() {}

    /** {@return the text of a value in UTF-8} */
    public static byte[] bytes(Json value) {
        return utf8(value).toByteArray();
    }

    /** {@return the value as UTF-8, followed by the NUL that ends a message} */
    public static byte[] frame(Json value) {
        ByteArrayOutputStream bytes = utf8(value);
        bytes.write(0);
        return bytes.toByteArray();
    }

    private static ByteArrayOutputStream utf8(Json value) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
        try (JsonGenerator out = FACTORY.createGenerator(ObjectWriteContext.empty(), bytes)) {
            write(value, out);
        }
        return bytes;
    }

    /** {@return the text of a value} */
    public static String text(Json value) {
        StringWriter text = new StringWriter();
        try (JsonGenerator out = FACTORY.createGenerator(ObjectWriteContext.empty(), text)) {
            write(value, out);
        }
        return text.toString();
    }

    private static void write(Json value, JsonGenerator out) {
        switch (value) {
            case JsonObject(Map<String, Json> fields) -> {
                out.writeStartObject();
                fields.forEach((name, field) -> {
                    out.writeName(name);
                    write(field, out);
                });
                out.writeEndObject();
            }
            case Json.Array array -> {
                out.writeStartArray();
                array.elements().forEach(element -> write(element, out));
                out.writeEndArray();
            }
            case Json.Text(String text) -> out.writeString(text);
            case Json.Int(long number) -> out.writeNumber(number);
            case Json.Real(double number) -> out.writeNumber(number);
            case Json.Bool(boolean bool) -> out.writeBoolean(bool);
            case Json.Null _ -> out.writeNull();
        }
    }

    /**
     * {@return the text itself, if UTF-8 can represent it}
     *
     * @throws IllegalArgumentException if the text contains half of a surrogate pair
     */
    @CanIgnoreReturnValue
    public static String requireUnicode(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isSurrogate(c)) {
                boolean pair =
                        Character.isHighSurrogate(c)
                                && i + 1 < text.length()
                                && Character.isLowSurrogate(text.charAt(i + 1));
                if (!pair) {
                    throw new IllegalArgumentException(
                            "half of a surrogate pair at character " + i + " of a string");
                }
                i++;
            }
        }
        return text;
    }
}
