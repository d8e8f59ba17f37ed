package io.holdfast.manager;

/** What becomes of jobs that are in the way of a new one. */
public enum JobMode {
    /** They are cancelled. */
    REPLACE,
    /** The new one is refused. */
    FAIL
}
