package io.holdfast.manager.job;

import java.util.Locale;

/** How a job ended. */
public enum JobResult {
    DONE,
    /** Somebody cancelled it, or another job of the same unit took its place. */
    CANCELED,
    TIMEOUT,
    FAILED,
    /** Something that it requires could not be started. */
    DEPENDENCY,
    /** The unit is not in the state that the job is about, or its kind has no such job. */
    SKIPPED,
    /** The unit cannot be loaded, or not do this now. */
    INVALID,
    /** An assertion of the unit does not hold. */
    ASSERT,
    /** Units of this kind cannot run here. */
    UNSUPPORTED,
    /** The unit was started before, and units of its kind can be started once only. */
    ONCE;

    /** The word of systemd. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
