package io.holdfast.manager.unit.install;

/** An operation on unit files was refused, or has failed. The message is one line. */
public final class InstallException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Why it was refused. */
    public enum Reason {
        NO_SUCH_UNIT,
        /** Another file has the name of a link. */
        EXISTS,
        MASKED,
        /** The name is a link that an earlier operation made. */
        LINKED,
        /** The unit was made at run time. */
        GENERATED,
        /** The {@code [Install]} section cannot be followed. */
        BAD_SETTING,
        INVALID_ARGUMENT,
        /** A folder is read-only, full, or not safe from other users. */
        FILE_SYSTEM
    }

    private final Reason reason;

    InstallException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    InstallException(Reason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    static InstallException noSuchUnit(Object unit) {
        return new InstallException(Reason.NO_SUCH_UNIT, "Unit " + unit + " does not exist");
    }

    static InstallException invalid(String message) {
        return new InstallException(Reason.INVALID_ARGUMENT, message);
    }

    /** Returns why it was refused. */
    public Reason reason() {
        return reason;
    }
}
