package io.holdfast.varlink.json;

/**
 * The limits on JSON that a reader accepts.
 *
 * @param maxBytes the length of the whole text in UTF-8, at least 2
 * @param maxDepth the depth of nested arrays and objects, at least 1 and at most {@value
 *     #GREATEST_DEPTH}
 * @param maxValues the number of values of every kind in the whole text, at least 1: bounds the
 *     memory that a small text can require ({@code [[],[],[]…})
 */
public record JsonLimits(int maxBytes, int maxDepth, int maxValues) {
    /**
     * The greatest depth that can be allowed: values are read, compared and written recursively.
     */
    public static final int GREATEST_DEPTH = 512;

    /** 16 MiB, 128 deep, a million values. */
    public static final JsonLimits DEFAULT = new JsonLimits(16 << 20, 128, 1_000_000);

    /**
     * Checks the limits.
     *
     * @throws IllegalArgumentException if a limit is out of range
     */
    public JsonLimits {
        if (maxBytes < 2 || maxDepth < 1 || maxDepth > GREATEST_DEPTH || maxValues < 1) {
            throw new IllegalArgumentException(
                    "limits out of range: %d bytes, depth %d, %d values"
                            .formatted(maxBytes, maxDepth, maxValues));
        }
    }
}
