package io.holdfast.manager.job;

import io.holdfast.manager.job.JobRefusedException.Reason;

/**
 * How the jobs of a request treat existing jobs and other units.
 *
 * @see <a
 *     href="https://www.freedesktop.org/software/systemd/man/systemctl.html#--job-mode=">systemctl</a>
 */
public enum JobMode {
    /** Existing jobs that conflict are cancelled. */
    REPLACE,
    /**
     * The request is refused if existing jobs conflict with it; jobs that it does not require and
     * that would stop running units are dropped.
     */
    FAIL,
    /** Like {@link #REPLACE}, and later jobs cannot replace the new ones. */
    REPLACE_IRREVERSIBLY,
    /** All other units are stopped, except those with {@code IgnoreOnIsolate=}. */
    ISOLATE,
    /** All other jobs are cancelled. */
    FLUSH,
    /** Other units are left alone, and no job waits for another. */
    IGNORE_DEPENDENCIES,
    /** Other units are left alone. */
    IGNORE_REQUIREMENTS,
    /** For a start: units that depend on the unit and are up are restarted. */
    RESTART_DEPENDENCIES,
    /** For a stop: the units that would start the unit again are stopped too. */
    TRIGGERING;

    /** Returns whether other units are left alone. */
    public boolean isAlone() {
        return this == IGNORE_DEPENDENCIES || this == IGNORE_REQUIREMENTS;
    }

    /**
     * Checks that this mode can be used for the request.
     *
     * @throws JobRefusedException if it cannot
     */
    void check(JobUnit unit, JobType type) {
        switch (this) {
            case ISOLATE -> {
                require(type == JobType.START, "Isolate is only valid for start.");
                if (!unit.allowsIsolate()) {
                    throw new JobRefusedException(
                            Reason.NO_ISOLATION,
                            "Operation refused, unit may not be isolated: AllowIsolate= of "
                                    + unit.name()
                                    + " is off.");
                }
            }
            case TRIGGERING ->
                    require(type == JobType.STOP, "--job-mode=triggering is only valid for stop.");
            case RESTART_DEPENDENCIES ->
                    require(
                            type == JobType.START,
                            "--job-mode=restart-dependencies is only valid for start.");
            default -> {}
        }
    }

    private static void require(boolean condition, String text) {
        if (!condition) {
            throw new JobRefusedException(Reason.INVALID_MODE, text);
        }
    }
}
