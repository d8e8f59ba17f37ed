package io.holdfast.manager.job;

import io.holdfast.manager.unit.UnitName;
import java.io.Serial;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A job cannot be had: nothing was begun. */
public final class JobRefusedException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1;

    /** Why. */
    public enum Reason {
        NO_SUCH_UNIT,
        /** A unit of that name is loaded: another one cannot be made. */
        UNIT_EXISTS,
        MASKED,
        /** Its files make no unit, or none that this manager can run. */
        BAD_SETTING,
        /** Jobs that it needs contradict each other. */
        DEPENDENCY,
        /** The jobs that it needs would have to wait for each other. */
        CYCLIC_ORDER,
        /** The unit may not be isolated. */
        NO_ISOLATION,
        /** The mode does not go with the job. */
        INVALID_MODE,
        /** The unit cannot do such a thing. */
        NOT_APPLICABLE,
        /** Others depend on it: it is not to be started, or stopped, by hand. */
        ONLY_BY_DEPENDENCY,
        /** Jobs that are under way do not give way to it ({@link JobMode}). */
        DESTRUCTIVE,
        SHUTTING_DOWN
    }

    private final Reason reason;
    private final transient @Nullable UnitName unit;
    private final String detail;

    /** "Unit a.service not found.", with nothing more to say about it. */
    public JobRefusedException(Reason reason, UnitName unit, String text) {
        this(reason, unit, text, text);
    }

    /**
     * A refusal because of one unit.
     *
     * @param text what follows "Unit a.service " in the message
     * @param detail what the log says about the unit: "it is masked by /etc/…"
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

    /** The unit that is the reason, which may be another than the one that was asked for. */
    public Optional<UnitName> unit() {
        return Optional.ofNullable(unit);
    }

    /** What there is to say about that unit. */
    public String detail() {
        return detail;
    }

    /** Why the job cannot be had; the message says it to people. */
    public Reason reason() {
        return reason;
    }
}
