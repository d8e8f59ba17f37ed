package io.holdfast.core;

/**
 * This kernel or libc lacks a feature, and no race-free fallback serves instead. Nothing was done.
 */
public final class NotSupportedException extends UnsupportedOperationException {
    private static final long serialVersionUID = 1L;

    private final transient Feature feature;

    /**
     * Says that {@code what} needs the feature.
     *
     * @param what what needs the feature
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
