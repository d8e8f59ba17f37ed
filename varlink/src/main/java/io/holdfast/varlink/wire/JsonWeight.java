package io.holdfast.varlink.wire;

import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import java.util.List;
import java.util.Map;

/**
 * Estimates the heap that a JSON value occupies, rather too high than too low: many times its text
 * if it consists of small values. The constants are those of a 64-bit JVM with compressed pointers.
 */
public final class JsonWeight {
    /** A number or a boolean, with its object header. */
    private static final long SCALAR = 24;

    /** A string and its array, without their bytes. */
    private static final long STRING = 56;

    /** A list, its array and their wrappers. */
    private static final long ARRAY = 64;

    private static final long ELEMENT = 8;

    /** An ordered map, its table and their wrappers. */
    private static final long OBJECT = 192;

    private static final long ENTRY = 56;

    private JsonWeight() {}

    /** Returns the estimate in bytes. */
    public static long of(Json value) {
        return switch (value) {
            case JsonObject(Map<String, Json> fields) -> {
                long weight = OBJECT;
                for (Map.Entry<String, Json> field : fields.entrySet()) {
                    weight += ENTRY + of(field.getKey()) + of(field.getValue());
                }
                yield weight;
            }
            case Json.Array(List<Json> elements) -> {
                long weight = ARRAY;
                for (Json element : elements) {
                    weight += ELEMENT + of(element);
                }
                yield weight;
            }
            case Json.Text(String text) -> SCALAR + of(text);
            case Json.Int _, Json.Real _, Json.Bool _ -> SCALAR;
            case Json.Null _ -> 0;
        };
    }

    /** Counts two bytes for each char. */
    private static long of(String text) {
        return STRING + 2L * text.length();
    }
}
