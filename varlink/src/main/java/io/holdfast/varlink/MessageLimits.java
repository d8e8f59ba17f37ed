package io.holdfast.varlink;

import io.holdfast.varlink.json.JsonLimits;

/**
 * The limits of one message.
 *
 * @param json the limits on its size (without the NUL), depth and number of values
 * @param maxDescriptors the number of descriptors with it, 0 to {@value #GREATEST_DESCRIPTORS}
 */
public record MessageLimits(JsonLimits json, int maxDescriptors) {
    /** The number of descriptors that the kernel passes with one write ({@code SCM_MAX_FD}). */
    public static final int GREATEST_DESCRIPTORS = 253;

    /** {@link JsonLimits#DEFAULT} and {@value #GREATEST_DESCRIPTORS} descriptors. */
    public static final MessageLimits DEFAULT =
            new MessageLimits(JsonLimits.DEFAULT, GREATEST_DESCRIPTORS);

    /**
     * Checks the number of descriptors.
     *
     * @throws IllegalArgumentException if the number of descriptors is out of range
     */
    public MessageLimits {
        if (maxDescriptors < 0 || maxDescriptors > GREATEST_DESCRIPTORS) {
            throw new IllegalArgumentException("descriptors out of range: " + maxDescriptors);
        }
    }
}
