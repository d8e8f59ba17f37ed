package io.holdfast.varlink.json;

/**
 * How much JSON a reader accepts.
 *
 * @param maxBytes length of the whole text in UTF-8, at least 2
 * @param maxDepth arrays and objects inside one another, at least 1 and at most {@value
 *     #GREATEST_DEPTH}
 * @param maxValues values of every kind in the whole text, at least 1: bounds the memory that a
 *     small text can claim ({@code [[],[],[]…})
 */
public record JsonLimits(int maxBytes, int maxDepth, int maxValues) {
    /** No deeper nesting can be asked for: values are read, compared and written recursively. */
    public static final int GREATEST_DEPTH = 512;

    /** 16 MiB, 128 deep, a million values. */
    public static final JsonLimits DEFAULT = new JsonLimits(16 << 20, 128, 1_000_000);

    /**
     * Checks the limits.
     *
     * @throws IllegalArgumentException if a limit is out of its range
     */
    public JsonLimits {
        if (maxBytes < 2 || maxDepth < 1 || maxDepth > GREATEST_DEPTH || maxValues < 1) {
            throw new IllegalArgumentException(
                    "limits out of range: %d bytes, depth %d, %d values"
                            .formatted(maxBytes, maxDepth, maxValues));
        }
    }
}
