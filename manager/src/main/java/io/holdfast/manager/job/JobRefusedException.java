package io.holdfast.manager.job;

import io.holdfast.manager.unit.UnitName;
import java.io.Serial;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Thrown when a request for a job is refused; nothing was begun. */
public final class JobRefusedException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1;

    /** The reason of a refusal. */
    public enum Reason {
        NO_SUCH_UNIT,
        /** A unit of that name is already loaded, so it cannot be made. */
        UNIT_EXISTS,
        MASKED,
        /** A limit is reached, which the text names. */
        LIMIT,
        /** The value of a setting is invalid. */
        INVALID_VALUE,
        /** Its files are invalid, or define a unit that this manager cannot run. */
        BAD_SETTING,
        /** Its file cannot be read as a unit file. */
        UNREADABLE,
        /** Jobs that it requires contradict each other. */
        DEPENDENCY,
        /** The jobs that it requires would have to wait for each other. */
        CYCLIC_ORDER,
        /** The unit may not be isolated. */
        NO_ISOLATION,
        /** The mode cannot be used with this job. */
        INVALID_MODE,
        /** The unit does not support such a job. */
        NOT_APPLICABLE,
        /** The unit may be started, or stopped, only by dependency, not on request. */
        ONLY_BY_DEPENDENCY,
        /** Existing jobs cannot be replaced by it ({@link JobMode}). */
        DESTRUCTIVE,
        SHUTTING_DOWN
    }

    private final Reason reason;
    private final transient @Nullable UnitName unit;
    private final String detail;

    /** Makes a refusal whose log line is the message itself: "Unit a.service not found." */
    public JobRefusedException(Reason reason, UnitName unit, String text) {
        this(reason, unit, text, text);
    }

    /**
     * Makes a refusal because of one unit.
     *
     * @param text follows "Unit a.service " in the message
     * @param detail the log line about the unit: "it is masked by /etc/…"
     */
    public JobRefusedException(Reason reason, UnitName unit, String text, String detail) {
        super("Unit " + unit + " " + text);
        this.reason = reason;
        this.unit = unit;
        this.detail = detail;
    }

    public JobRefusedException(Reason reason, String text) {
        super(text);
        this.reason = reason;
        this.unit = null;
        this.detail = text;
    }

    /** Returns the unit that is the reason; it may be another than the requested one. */
    public Optional<UnitName> unit() {
        return Optional.ofNullable(unit);
    }

    /** Returns the log line about that unit. */
    public String detail() {
        return detail;
    }

    /** Returns the reason as a constant; the message is its text. */
    public Reason reason() {
        return reason;
    }
}
