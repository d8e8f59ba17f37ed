package io.holdfast.manager.job;

import io.holdfast.manager.job.JobRefusedException.Reason;
import java.util.Locale;

/**
 * How the jobs of a request deal with those that are there, and with other units.
 *
 * @see <a
 *     href="https://www.freedesktop.org/software/systemd/man/systemctl.html#--job-mode=">systemctl</a>
 */
public enum JobMode {
    /** Jobs that are in the way are cancelled. */
    REPLACE,
    /** The request is refused if others are in the way, or fewer units are stopped for it. */
    FAIL,
    /** As {@link #REPLACE}, and none of the new jobs gives way to later ones. */
    REPLACE_IRREVERSIBLY,
    /** All other units are stopped, but for those that ignore it. */
    ISOLATE,
    /** All other jobs are cancelled. */
    FLUSH,
    /** Nothing is done to other units, and none is waited for. */
    IGNORE_DEPENDENCIES,
    /** Nothing is done to other units. */
    IGNORE_REQUIREMENTS,
    /** Of a start: what depends on the unit and is up is restarted. */
    RESTART_DEPENDENCIES,
    /** Of a stop: the units that would start the unit again are stopped too. */
    TRIGGERING;

    /** The word of systemd. */
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Whether other units are left as they are. */
    public boolean isAlone() {
        return this == IGNORE_DEPENDENCIES || this == IGNORE_REQUIREMENTS;
    }

    /**
     * Checks that a request with this mode makes sense.
     *
     * @throws JobRefusedException if it does not
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
