package io.holdfast.manager.systemd1.caller;

import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import java.util.List;

/**
 * The methods that systemctl(1) and others may call and this manager does not support. Each exists
 * and returns an error that says so in one line; for a missing method the error would contain only
 * its name.
 */
public final class NotOffered {
    private static final String MACHINE = "Restarting the machine in this way";
    private static final String MOUNTS = "Mounting into a running service";
    private static final String FREEZER = "Freezing units";

    /**
     * @param what the beginning of the error's sentence
     */
    private record Method(String name, String in, String out, String what) {}

    private static final List<Method> METHODS =
            List.of(
                    new Method(
                            "EnqueueUnitJob",
                            "sss",
                            "uososa(uosos)",
                            "Reporting a transaction before it runs"),
                    new Method("FreezeUnit", "s", "", FREEZER),
                    new Method("ThawUnit", "s", "", FREEZER),
                    new Method("BindMountUnit", "sssbb", "", MOUNTS),
                    new Method("MountImageUnit", "sssbba(ss)", "", MOUNTS),
                    new Method(
                            "DumpUnitFileDescriptorStore",
                            "s",
                            "a(suuutuusu)",
                            "Listing stored descriptors"),
                    new Method("SoftReboot", "s", "", MACHINE),
                    new Method("KExec", "", "", MACHINE),
                    new Method("SwitchRoot", "ss", "", MACHINE));

    private NotOffered() {}

    public static void addTo(BusInterface.Builder builder) {
        for (Method method : METHODS) {
            builder.asyncMethod(
                    method.name(),
                    method.in(),
                    method.out(),
                    (_, reply) -> reply.completeExceptionally(error(method.what())));
        }
    }

    public static DBusException error(String what) {
        return new DBusException(
                DBusException.NOT_SUPPORTED, what + " is not supported by this manager.");
    }
}
