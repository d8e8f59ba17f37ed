package io.holdfast.varlink.server;

/** How a method is served. */
public enum MethodOption {
    /** Calls without {@code more} get {@code ExpectedMore}. */
    REQUIRES_MORE,

    /** Descriptors beside a call are kept for {@link Call#takeDescriptor}; else they are closed. */
    TAKES_DESCRIPTORS
}
