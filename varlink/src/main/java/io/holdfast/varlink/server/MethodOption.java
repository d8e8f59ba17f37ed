package io.holdfast.varlink.server;

/** An option of a method. */
public enum MethodOption {
    /** The method must be called with {@code more}; other calls get {@code ExpectedMore}. */
    REQUIRES_MORE,

    /**
     * Descriptors of a call are kept for {@link Call#takeDescriptor}; otherwise they are closed.
     */
    TAKES_DESCRIPTORS
}
