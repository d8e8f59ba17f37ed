package io.holdfast.core;

/**
 * Thrown when this kernel or libc lacks a feature that has no race-free fallback. Nothing was done.
 */
public final class NotSupportedException extends UnsupportedOperationException {
    private static final long serialVersionUID = 1L;

    private final transient Feature feature;

    /**
     * Makes the exception.
     *
     * @param what the operation that needs the feature
     * @param feature the feature that is missing
     */
    public NotSupportedException(String what, Feature feature) {
        super(what + " needs " + feature.what() + " (" + feature.since() + ")");
        this.feature = feature;
    }

    /** {@return the feature that is missing} */
    public Feature feature() {
        return feature;
    }
}
