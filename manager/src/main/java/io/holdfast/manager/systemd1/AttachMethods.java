package io.holdfast.manager.systemd1;

import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.systemd1.caller.AdoptedProcesses;
import io.holdfast.manager.systemd1.caller.Operations;
import io.holdfast.manager.systemd1.format.Errors;
import io.holdfast.manager.unit.UnitName;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The methods that move processes into the cgroup of a unit that delegates it. Only root and the
 * manager's user may call them; each PID is resolved once, to a pidfd.
 */
final class AttachMethods {
    private final ManagerView manager;
    private final Operations operations;

    AttachMethods(ManagerView manager, Operations operations) {
        this.manager = manager;
        this.operations = operations;
    }

    void addTo(BusInterface.Builder builder) {
        builder.asyncMethod(
                "AttachProcessesToUnit",
                "ssau",
                "",
                (call, reply) -> attach(call, Operations.name(call.string(0)), 1, reply),
                "unit_name",
                "subcgroup",
                "pids");
    }

    /** Adds the method to the interface of a type of unit that has processes. */
    void addTo(BusInterface.Builder builder, UnitName unit) {
        if (unit.type().hasProcesses()) {
            builder.asyncMethod(
                    "AttachProcesses",
                    "sau",
                    "",
                    (call, reply) -> attach(call, unit, 0, reply),
                    "subcgroup",
                    "pids");
        }
    }

    /**
     * @param first the index of the argument with the cgroup; that of the PIDs follows
     */
    private void attach(
            MethodCall call, UnitName unit, int first, CompletableFuture<List<?>> reply) {
        List<String> below = below(call.string(first));
        List<Long> pids = new ArrayList<>();
        for (Object pid : call.argument(first + 1, List.class)) {
            pids.add((Long) pid);
        }
        if (pids.size() > ManagerLimits.SCOPE_PROCESSES.intValue()) {
            throw Errors.limit(
                    "A call attaches at most %s processes; %s"
                            .formatted(
                                    ManagerLimits.SCOPE_PROCESSES.value(),
                                    ManagerLimits.SCOPE_PROCESSES.remedy()));
        }
        AdoptedProcesses processes = AdoptedProcesses.of(call, pids, List.of());
        var _ = reply.whenComplete((_, _) -> processes.close());
        operations.permittedOwner(
                call,
                reply,
                peer -> {
                    check(processes, peer);
                    operations.onLoop(reply, () -> attach(unit, below, processes, reply)).run();
                });
    }

    private void attach(
            UnitName unit,
            List<String> below,
            AdoptedProcesses processes,
            CompletableFuture<List<?>> reply) {
        if (!operations.loaded(unit).inForce().cgroup().delegate()) {
            throw Errors.invalid("Process migration not available on non-delegated units.");
        }
        if (!operations.loaded(unit).status().activeState().isUp()) {
            throw Errors.invalid("Unit is not active, refusing.");
        }
        if (manager.cgroups().path().isEmpty()) {
            throw new DBusException(
                    DBusException.NOT_SUPPORTED,
                    "Units have no cgroups here, so no process can be attached to " + unit + ".");
        }
        var _ =
                manager.cgroups()
                        .attach(unit, below, processes.held())
                        .whenComplete((_, failure) -> {
                            if (failure == null) {
                                reply.complete(List.of());
                            } else {
                                reply.completeExceptionally(
                                        new DBusException(
                                                DBusException.FAILED,
                                                "Failed to attach processes to control group: "
                                                        + failure.getMessage()));
                            }
                        });
    }

    /** Returns the names of the cgroups below that of the unit. */
    private static List<String> below(String path) {
        if (path.isEmpty()) {
            return List.of();
        }
        if (!path.startsWith("/")) {
            throw Errors.invalid("Control group path is not absolute: " + path);
        }
        List<String> names =
                path.equals("/") ? List.of() : List.of(path.substring(1).split("/", -1));
        if (names.stream()
                .anyMatch(name -> name.isEmpty() || name.equals(".") || name.equals(".."))) {
            throw Errors.invalid("Control group path is not normalized: " + path);
        }
        return names;
    }

    private void check(AdoptedProcesses processes, Peer peer) {
        try {
            processes.check(peer, manager::workloadOf);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DBusException(DBusException.FAILED, "the manager ends");
        }
    }
}
