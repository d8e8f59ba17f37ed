package io.holdfast.manager.job;

import io.holdfast.manager.unit.UnitName;
import java.io.Serial;

/** A job cannot be had: nothing was begun. */
public final class JobRefusedException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1;

    /** Why. */
    public enum Reason {
        NO_SUCH_UNIT,
        MASKED,
        /** Its files make no unit, or none that this manager can run. */
        BAD_SETTING,
        /** What it requires cannot be had. */
        DEPENDENCY,
        /** The unit cannot do such a thing. */
        NOT_APPLICABLE,
        /** Others depend on it: it is not to be started, or stopped, by hand. */
        ONLY_BY_DEPENDENCY,
        /** Jobs that are under way do not give way to it ({@link JobMode}). */
        DESTRUCTIVE,
        SHUTTING_DOWN
    }

    private final Reason reason;

    public JobRefusedException(Reason reason, UnitName unit, String text) {
        this(reason, "Unit " + unit + " " + text);
    }

    public JobRefusedException(Reason reason, String text) {
        super(text);
        this.reason = reason;
    }

    /** Why the job cannot be had; the message says it to people. */
    public Reason reason() {
        return reason;
    }
}
