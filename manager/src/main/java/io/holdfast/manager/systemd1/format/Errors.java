package io.holdfast.manager.systemd1.format;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.dbus.DBusException;
import io.holdfast.manager.access.DeniedException;
import io.holdfast.manager.job.JobRefusedException;
import io.holdfast.manager.unit.install.InstallException;
import java.util.concurrent.CompletionException;

/** The D-Bus errors of the interface. */
public final class Errors {
    public static final String NO_SUCH_UNIT = "NoSuchUnit";
    public static final String NO_SUCH_PROCESS = "NoSuchProcess";
    public static final String NO_SUCH_JOB = "NoSuchJob";
    public static final String NO_UNIT_FOR_PID = "NoUnitForPID";
    public static final String NO_UNIT_FOR_INVOCATION = "NoUnitForInvocationID";
    public static final String NOT_SUBSCRIBED = "NotSubscribed";
    public static final String ALREADY_SUBSCRIBED = "AlreadySubscribed";
    public static final String NOT_REFERENCED = "NotReferenced";
    public static final String UNIT_BUSY = "UnitBusy";
    static final String NO_ISOLATION = "NoIsolation";

    private Errors() {}

    public static DBusException of(String name, String text) {
        return new DBusException(Names.SERVICE + "." + name, text);
    }

    public static DBusException invalid(String text) {
        return new DBusException(DBusException.INVALID_ARGS, text);
    }

    public static DBusException limit(String text) {
        return new DBusException(DBusException.LIMITS_EXCEEDED, text);
    }

    public static DBusException denied(String text) {
        return new DBusException(DBusException.ACCESS_DENIED, text);
    }

    /** Returns the error that the caller gets for a failure. */
    public static Throwable of(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null
                        ? failure.getCause()
                        : failure;
        return switch (cause) {
            case JobRefusedException refused
                    when refused.reason() == JobRefusedException.Reason.INVALID_MODE
                            || refused.reason() == JobRefusedException.Reason.INVALID_VALUE
                            || refused.reason() == JobRefusedException.Reason.UNREADABLE ->
                    invalid(String.valueOf(refused.getMessage()));
            case JobRefusedException refused
                    when refused.reason() == JobRefusedException.Reason.LIMIT ->
                    limit(String.valueOf(refused.getMessage()));
            case JobRefusedException refused ->
                    of(name(refused.reason()), String.valueOf(refused.getMessage()));
            case InstallException refused -> of(refused);
            case DeniedException denied when denied.reason() == DeniedException.Reason.TOO_MANY ->
                    new DBusException(
                            DBusException.LIMITS_EXCEEDED, String.valueOf(denied.getMessage()));
            case DeniedException denied -> denied(String.valueOf(denied.getMessage()));
            case ErrnoException e when e.errno() == Errno.ESRCH ->
                    of(NO_SUCH_PROCESS, String.valueOf(e.getMessage()));
            case ErrnoException e when e.errno() == Errno.EBADF ->
                    invalid(String.valueOf(e.getMessage()));
            case UnsupportedOperationException e ->
                    new DBusException(DBusException.NOT_SUPPORTED, e.getMessage() + ".");
            default -> cause;
        };
    }

    private static DBusException of(InstallException refused) {
        String text = String.valueOf(refused.getMessage());
        return switch (refused.reason()) {
            case NO_SUCH_UNIT -> of(NO_SUCH_UNIT, text);
            case EXISTS -> of("UnitExists", text);
            case MASKED -> of("UnitMasked", text);
            case LINKED -> of("UnitLinked", text);
            case GENERATED -> of("UnitGenerated", text);
            case BAD_SETTING -> of("BadUnitSetting", text);
            case INVALID_ARGUMENT -> invalid(text);
            case FILE_SYSTEM -> new DBusException(DBusException.FAILED, text);
        };
    }

    private static String name(JobRefusedException.Reason reason) {
        return switch (reason) {
            case NO_SUCH_UNIT -> NO_SUCH_UNIT;
            case UNIT_EXISTS -> "UnitExists";
            case MASKED -> "UnitMasked";
            case BAD_SETTING -> "BadUnitSetting";
            case DEPENDENCY -> "TransactionJobsConflicting";
            case CYCLIC_ORDER -> "TransactionOrderIsCyclic";
            case NO_ISOLATION -> "NoIsolation";
            case INVALID_MODE, INVALID_VALUE, UNREADABLE -> "InvalidArgs";
            case NOT_APPLICABLE -> "JobTypeNotApplicable";
            case ONLY_BY_DEPENDENCY -> "OnlyByDependency";
            case LIMIT -> "LimitsExceeded"; // of another prefix, see above
            case DESTRUCTIVE -> "TransactionIsDestructive";
            case SHUTTING_DOWN -> "ShuttingDown";
        };
    }
}
