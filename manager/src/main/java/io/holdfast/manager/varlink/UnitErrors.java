package io.holdfast.manager.varlink;

import io.holdfast.core.Errno;
import io.holdfast.dbus.DBusException;
import io.holdfast.manager.access.DeniedException;
import io.holdfast.manager.job.JobRefusedException;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.json.JsonObject;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** The errors of {@code io.systemd.Unit}, and how failures of the manager appear to its callers. */
final class UnitErrors {
    private static final String PREFIX = "io.systemd.Unit.";

    private UnitErrors() {}

    /** Returns an error without parameters. */
    static VarlinkException of(String name) {
        return new VarlinkException(PREFIX + name);
    }

    /** Returns the error for a request that fits no unit by one of its parameters. */
    static VarlinkException noSuchUnit(String parameter) {
        return new VarlinkException(PREFIX + "NoSuchUnit", JsonObject.of("parameter", parameter));
    }

    static VarlinkException propertyNotSupported(String property) {
        return new VarlinkException(
                PREFIX + "PropertyNotSupported", JsonObject.of("property", property));
    }

    /** Returns the error that systemd's interfaces have for a failure of the system. */
    static VarlinkException system(int errno) {
        return new VarlinkException(
                "io.systemd.System",
                JsonObject.builder()
                        .put("origin", "linux")
                        .put("errnoName", Errno.name(errno))
                        .put("errno", errno)
                        .build());
    }

    /** Returns the error that the caller gets for a failure. */
    static Throwable of(Throwable failure) {
        Throwable cause = cause(failure);
        return switch (cause) {
            case DeniedException denied ->
                    denied.reason() == DeniedException.Reason.NOT_PERMITTED
                            ? VarlinkException.permissionDenied()
                            : system(Errno.EBUSY);
            case JobRefusedException refused -> refused(refused.reason());
            case DBusException e when e.name().equals(DBusException.LIMITS_EXCEEDED) ->
                    system(Errno.E2BIG);
            case DBusException _ -> of("BadUnitSetting");
            case UnsupportedOperationException _ -> system(Errno.EOPNOTSUPP);
            default -> cause;
        };
    }

    static Throwable cause(Throwable failure) {
        Throwable cause = failure;
        while ((cause instanceof CompletionException || cause instanceof ExecutionException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }

    private static VarlinkException refused(JobRefusedException.Reason reason) {
        return switch (reason) {
            case NO_SUCH_UNIT -> of("NoSuchUnit");
            case UNIT_EXISTS -> of("UnitExists");
            case MASKED -> of("UnitMasked");
            case UNREADABLE -> of("UnitError");
            case BAD_SETTING, INVALID_VALUE -> of("BadUnitSetting");
            case ONLY_BY_DEPENDENCY -> of("OnlyByDependency");
            case SHUTTING_DOWN -> of("DBusShuttingDown");
            case INVALID_MODE -> VarlinkException.invalidParameter("mode");
            case DEPENDENCY, CYCLIC_ORDER, DESTRUCTIVE -> system(Errno.EDEADLK);
            case NO_ISOLATION -> system(Errno.EPERM);
            case NOT_APPLICABLE -> system(Errno.EOPNOTSUPP);
            case LIMIT -> system(Errno.E2BIG);
        };
    }
}
