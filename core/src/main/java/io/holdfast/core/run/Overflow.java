package io.holdfast.core.run;

/** How a {@link Run} handles output beyond its {@linkplain Run#limit limit}. */
public enum Overflow {
    /** Ends the program and fails with a {@link RunFailedException} that names the limit. */
    FAIL,
    /** Keeps the first bytes; reads and counts the rest, so that the program never waits. */
    KEEP_FIRST,
    /** Keeps the last bytes; counts those before them. */
    KEEP_LAST
}
