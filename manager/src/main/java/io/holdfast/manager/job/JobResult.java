package io.holdfast.manager.job;

import java.util.Locale;

/** How a job ended. */
public enum JobResult {
    DONE,
    /** Another job of the same unit took its place, or it conflicts with what is started too. */
    CANCELED,
    TIMEOUT,
    FAILED,
    /** Something that it requires could not be started. */
    DEPENDENCY,
    /** The unit cannot be loaded, or not be run by this manager. */
    INVALID,
    /** An assertion of the unit does not hold. */
    ASSERT;

    /** The word of systemd. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
