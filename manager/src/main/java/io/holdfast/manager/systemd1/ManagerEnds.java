package io.holdfast.manager.systemd1;

import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.survival.ManagerEnd.What;
import io.holdfast.manager.systemd1.caller.Operations;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The methods that end the manager, or the container that it is the init of, as {@code systemctl
 * --force} calls them: running processes are killed. Without {@code --force} systemctl starts a
 * target instead, which stops all units in order and then does the same. Only root and the
 * manager's user may call them, as in systemd; the polkit authority is not consulted.
 */
final class ManagerEnds {
    private final ManagerView manager;
    private final Operations operations;

    ManagerEnds(ManagerView manager, Operations operations) {
        this.manager = manager;
        this.operations = operations;
    }

    void addTo(BusInterface.Builder builder) {
        builder.asyncMethod(
                        "SetExitCode",
                        "y",
                        "",
                        (call, reply) -> {
                            int status = Byte.toUnsignedInt(call.argument(0, Byte.class));
                            permitted(call, reply, () -> manager.setExitStatus(status));
                        },
                        "number")
                .asyncMethod("Exit", "", "", (call, reply) -> end(call, What.EXIT, reply));
        ofContainer(builder, "Reboot", What.REBOOT);
        ofContainer(builder, "PowerOff", What.POWER_OFF);
        ofContainer(builder, "Halt", What.HALT);
    }

    private void ofContainer(BusInterface.Builder builder, String method, What what) {
        builder.asyncMethod(
                method,
                "",
                "",
                (call, reply) -> {
                    if (manager.isContainerInit()) {
                        end(call, what, reply);
                    } else {
                        reply.completeExceptionally(
                                new DBusException(
                                        DBusException.NOT_SUPPORTED,
                                        "This manager is not PID 1 of a container, and ends only"
                                                + " itself: use Exit."));
                    }
                });
    }

    private void end(MethodCall call, What what, CompletableFuture<List<?>> reply) {
        // the reply leaves before the loop ends
        permitted(call, reply, () -> manager.loop().postEnding(() -> manager.end(what)));
    }

    private void permitted(MethodCall call, CompletableFuture<List<?>> reply, Runnable then) {
        operations.permittedOwners(
                call,
                reply,
                operations.onLoop(
                        reply,
                        () -> {
                            reply.complete(List.of());
                            then.run();
                        }));
    }
}
