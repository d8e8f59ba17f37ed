package io.holdfast.varlink.wire;

import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import java.util.List;
import java.util.Map;

/**
 * About how much heap a value occupies, rather more than less: many times its text if it is made of
 * small values. The constants are those of a JVM of 64 bits with compressed pointers.
 */
public final class JsonWeight {
    /** A number or boolean with its header. */
    private static final long SCALAR = 24;

    /** A string and its array beside their bytes. */
    private static final long STRING = 56;

    /** A list, its array and what they are wrapped in. */
    private static final long ARRAY = 64;

    private static final long ELEMENT = 8;

    /** A map that keeps its order, its table and what they are wrapped in. */
    private static final long OBJECT = 192;

    private static final long ENTRY = 56;

    private JsonWeight() {}

    /** In bytes. */
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

    /** As if each char needed two bytes. */
    private static long of(String text) {
        return STRING + 2L * text.length();
    }
}
