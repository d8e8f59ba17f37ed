package io.holdfast.varlink.json.text;

import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonException;
import io.holdfast.varlink.json.JsonLimits;
import io.holdfast.varlink.json.JsonObject;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.json.JsonFactory;

/**
 * Parses text to {@link Json} over Jackson's token stream. UTF-8 is decoded here, because Jackson's
 * own decoder accepts overlong forms, encoded surrogates and other encodings.
 */
public final class JsonReader {
    /** The greatest length of a number; Jackson refuses longer ones before it converts them. */
    private static final int MAX_NUMBER_LENGTH = 1000;

    /**
     * Names are not cached between texts, since a peer could fill that table. Depth and size are
     * checked here, so that the error names our limit.
     */
    private static final JsonFactory TOKENS =
            JsonFactory.builder()
                    .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
                    .streamReadConstraints(
                            StreamReadConstraints.builder()
                                    .maxNestingDepth(JsonLimits.GREATEST_DEPTH + 1)
                                    .maxNumberLength(MAX_NUMBER_LENGTH)
                                    .maxStringLength(Integer.MAX_VALUE)
                                    .maxNameLength(Integer.MAX_VALUE)
                                    .build())
                    .build();

    private final JsonParser tokens;
    private final JsonLimits limits;
    private int values;

    private JsonReader(JsonParser tokens, JsonLimits limits) {
        this.tokens = tokens;
        this.limits = limits;
    }

    /**
     * {@return the value in UTF-8 bytes}
     *
     * @param bytes the text, from the buffer's position to its limit
     * @param limits the limits on size and depth
     * @throws JsonException if the text is no JSON, not well-formed UTF-8, or exceeds a limit
     */
    public static Json read(ByteBuffer bytes, JsonLimits limits) {
        requireSize(bytes.remaining(), limits);
        int start = bytes.position();
        String text;
        try {
            text = StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
        } catch (CharacterCodingException _) {
            throw new JsonException(
                    "offset " + (bytes.position() - start) + ": not well-formed UTF-8");
        }
        return parse(text, limits);
    }

    /**
     * {@return the value in a text}
     *
     * @param limits the limits on depth and on size, which is that in UTF-8
     * @throws JsonException if the text is no JSON, or exceeds a limit
     */
    public static Json read(String text, JsonLimits limits) {
        // UTF-8 needs at least one byte for each char and at most three.
        if (text.length() > limits.maxBytes() / 3) {
            requireSize(text.getBytes(StandardCharsets.UTF_8).length, limits);
        }
        return parse(text, limits);
    }

    private static void requireSize(int bytes, JsonLimits limits) {
        if (bytes > limits.maxBytes()) {
            throw new JsonException(
                    "%d bytes are more than the limit of %d".formatted(bytes, limits.maxBytes()));
        }
    }

    private static Json parse(String text, JsonLimits limits) {
        try (JsonParser tokens = TOKENS.createParser(ObjectReadContext.empty(), text)) {
            JsonReader reader = new JsonReader(tokens, limits);
            Json value = reader.value(tokens.nextToken(), 0);
            if (tokens.nextToken() != null) {
                throw reader.refused("more follows the value");
            }
            return value;
        } catch (JacksonException e) {
            throw new JsonException(
                    "offset %d: %s"
                            .formatted(e.getLocation().getCharOffset(), e.getOriginalMessage()));
        }
    }

    private Json value(@Nullable JsonToken token, int depth) {
        if (token == null) {
            throw refused("the text ends where a value is expected");
        }
        if (++values > limits.maxValues()) {
            throw refused("more than the limit of " + limits.maxValues() + " values");
        }
        return switch (token) {
            case START_OBJECT -> object(depth + 1);
            case START_ARRAY -> array(depth + 1);
            case VALUE_STRING -> new Json.Text(unicode(tokens.getString()));
            case VALUE_NUMBER_INT -> integer();
            case VALUE_NUMBER_FLOAT -> real();
            case VALUE_TRUE -> new Json.Bool(true);
            case VALUE_FALSE -> new Json.Bool(false);
            case VALUE_NULL -> Json.Null.NULL;
            default -> throw refused("unexpected " + token);
        };
    }

    private JsonObject object(int depth) {
        requireDepth(depth);
        Map<String, Json> fields = new LinkedHashMap<>();
        while (tokens.nextToken() == JsonToken.PROPERTY_NAME) {
            String name = unicode(tokens.currentName());
            if (fields.containsKey(name)) {
                throw refused("duplicate key " + Json.of(name));
            }
            fields.put(name, value(tokens.nextToken(), depth));
        }
        return fields.isEmpty() ? JsonObject.EMPTY : new JsonObject(fields);
    }

    private Json array(int depth) {
        requireDepth(depth);
        List<Json> elements = new ArrayList<>();
        for (JsonToken token = tokens.nextToken();
                token != JsonToken.END_ARRAY;
                token = tokens.nextToken()) {
            elements.add(value(token, depth));
        }
        return new Json.Array(elements);
    }

    private Json integer() {
        return switch (tokens.getNumberType()) {
            case INT, LONG -> new Json.Int(tokens.getLongValue());
            default -> throw refused("the integer does not fit 64 bits");
        };
    }

    private Json real() {
        double value = tokens.getDoubleValue();
        if (!Double.isFinite(value)) {
            throw refused("the number does not fit a double");
        }
        return new Json.Real(value);
    }

    private String unicode(String text) {
        try {
            return JsonWriter.requireUnicode(text);
        } catch (IllegalArgumentException e) {
            throw refused(e.getMessage());
        }
    }

    private void requireDepth(int depth) {
        if (depth > limits.maxDepth()) {
            throw refused("nested deeper than the limit of " + limits.maxDepth());
        }
    }

    private JsonException refused(@Nullable String reason) {
        // In an empty text the first token is at -1.
        long offset = Math.max(0, tokens.currentTokenLocation().getCharOffset());
        return new JsonException("offset %d: %s".formatted(offset, reason));
    }
}
