package io.holdfast.manager.systemd1.caller;

import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.manager.unit.UnitName;
import java.util.List;
import java.util.Map;

/**
 * The methods that systemctl(1) and others may call and this manager does not support. Each exists
 * and returns an error that says so in one line; for a missing method the error would contain only
 * its name.
 */
public final class NotOffered {
    private static final String MOUNTS = "Mounting into a running service";
    private static final String FREEZER = "Freezing units";

    /**
     * @param what the beginning of the error's sentence
     */
    private record Method(String name, String in, String out, String what) {}

    private static final List<Method> METHODS =
            List.of(
                    new Method("FreezeUnit", "s", "", FREEZER),
                    new Method("ThawUnit", "s", "", FREEZER),
                    new Method("BindMountUnit", "sssbb", "", MOUNTS),
                    new Method("MountImageUnit", "sssbba(ss)", "", MOUNTS),
                    new Method(
                            "DumpUnitFileDescriptorStore",
                            "s",
                            "a(suuutuusu)",
                            "Listing stored descriptors"),
                    new Method("SoftReboot", "s", "", "Restarting user space alone"),
                    new Method("KExec", "", "", "Starting another kernel"),
                    new Method("SwitchRoot", "ss", "", "Changing the root file system"));

    /** The reasons that a caller cannot guess, and what to do instead. */
    private static final Map<String, String> REASONS =
            Map.of(
                    "SoftReboot",
                    "the root file system belongs to the container's runtime or to the machine's init;"
                            + " use systemctl reboot for the container, systemctl daemon-reexec for"
                            + " the manager",
                    "KExec",
                    "the kernel belongs to the machine's init; use systemctl reboot for the"
                            + " container, or kexec(8) outside of it");

    private static final Map<String, String> SPECIAL_UNITS =
            Map.of(
                    "soft-reboot.target", "SoftReboot",
                    "systemd-soft-reboot.service", "SoftReboot",
                    "kexec.target", "KExec",
                    "systemd-kexec.service", "KExec");

    private NotOffered() {}

    public static void addTo(BusInterface.Builder builder) {
        for (Method method : METHODS) {
            builder.asyncMethod(
                    method.name(),
                    method.in(),
                    method.out(),
                    (_, reply) ->
                            reply.completeExceptionally(
                                    new DBusException(
                                            DBusException.NOT_SUPPORTED, textOf(method))));
        }
    }

    /**
     * Refuses the start of a unit that exists for a method that is not supported: it would stop all
     * units, and nothing would follow.
     */
    static void requireOffered(UnitName unit) {
        String method = SPECIAL_UNITS.get(unit.text());
        if (method != null) {
            throw new DBusException(DBusException.NOT_SUPPORTED, textOf(method));
        }
    }

    /** Returns why a method is not supported. */
    public static String textOf(String name) {
        return METHODS.stream()
                .filter(method -> method.name().equals(name))
                .map(NotOffered::textOf)
                .findFirst()
                .orElseThrow();
    }

    private static String textOf(Method method) {
        String reason = REASONS.get(method.name());
        return text(method.what()) + (reason == null ? "." : ": " + reason + ".");
    }

    private static String text(String what) {
        return what + " is not supported by this manager";
    }

    public static DBusException error(String what) {
        return new DBusException(DBusException.NOT_SUPPORTED, text(what) + ".");
    }
}
