package io.holdfast.manager.job;

import java.util.Locale;

/** How a job ended. */
public enum JobResult {
    DONE,
    /** It was cancelled on request, or another job of the same unit replaced it. */
    CANCELED,
    TIMEOUT,
    FAILED,
    /** A unit that it requires could not be started. */
    DEPENDENCY,
    /**
     * The unit is not in the state that the job expects, or its kind does not support such a job.
     */
    SKIPPED,
    /** The unit cannot be loaded, or cannot do this now. */
    INVALID,
    /** An {@code Assert*=} of the unit is not met. */
    ASSERT,
    /** Units of this kind cannot run here. */
    UNSUPPORTED,
    /** The unit was started before, and units of its kind can be started once only. */
    ONCE;

    /** Returns the name that systemd uses. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
