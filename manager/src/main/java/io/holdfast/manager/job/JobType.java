package io.holdfast.manager.job;

import java.util.Locale;

/** What a job does to its unit. */
public enum JobType {
    START,
    STOP,
    /** A stop and a start, of a unit that need not run. */
    RESTART,
    /** A restart, if the unit runs. */
    TRY_RESTART,
    RELOAD;

    /** The word of systemd. */
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
