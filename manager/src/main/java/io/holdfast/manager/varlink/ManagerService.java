package io.holdfast.manager.varlink;

import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.access.Guard;
import io.holdfast.manager.access.Permission;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.survival.ManagerEnd.What;
import io.holdfast.manager.systemd1.caller.NotOffered;
import io.holdfast.manager.systemd1.property.ManagerProperties;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.server.Call;
import io.holdfast.varlink.server.Service;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** {@code io.systemd.Manager}: the manager itself, as its D-Bus properties describe it. */
final class ManagerService {
    static final String NAME = "io.systemd.Manager";

    private final Interface definition = SystemdCalls.definition(NAME);
    private final PropertyStructs structs = new PropertyStructs(definition);
    private final SystemdCalls calls;
    private final SystemdCalls ofOwners;
    private final ManagerView manager;

    ManagerService(SystemdCalls calls) {
        this.calls = calls;
        this.manager = calls.manager();
        this.ofOwners = new SystemdCalls(manager, new Guard(Permission.ofOwners()));
    }

    Service service() {
        return Service.of(definition)
                .asyncMethod("Describe", _ -> calls.onLoop(this::describe))
                .asyncMethod("Reexecute", call -> ofDaemon(call, manager::reexecute))
                .asyncMethod("Reload", call -> ofDaemon(call, manager::reload))
                .asyncMethod("EnqueueMarkedJobs", this::enqueueMarked)
                .asyncMethod("PowerOff", call -> end(call, What.POWER_OFF))
                .asyncMethod("Reboot", call -> end(call, What.REBOOT))
                .asyncMethod("Halt", call -> end(call, What.HALT))
                .asyncMethod("KExec", _ -> notSupported("KExec"))
                .asyncMethod("SoftReboot", _ -> notSupported("SoftReboot"))
                .build();
    }

    private CompletableFuture<JsonObject> describe() {
        Map<String, Variant> properties = ManagerProperties.values(manager);
        return CompletableFuture.completedFuture(
                JsonObject.builder()
                        .put("context", write("ManagerContext", properties))
                        .put("runtime", write("ManagerRuntime", properties))
                        .build());
    }

    private JsonObject write(String struct, Map<String, Variant> properties) {
        return structs.write(struct, "", properties, Map.of());
    }

    /** Has the manager do something to itself, without a result. */
    private CompletableFuture<JsonObject> ofDaemon(
            Call call, Supplier<CompletableFuture<?>> request) {
        return calls.permitted(
                call,
                SystemdCalls.question(call, Permission.RELOAD_DAEMON, Map.of()),
                () -> request.get().thenApply(_ -> JsonObject.EMPTY));
    }

    private CompletableFuture<JsonObject> enqueueMarked(Call call) {
        return calls.permitted(
                call,
                SystemdCalls.question(call, Permission.MANAGE_UNITS, Map.of()),
                () -> {
                    Map<UnitName, CompletableFuture<UnitJob>> jobs = manager.jobs().enqueueMarked();
                    return call.wantsMore() ? each(call, jobs) : together(jobs.values());
                });
    }

    /** Replies when all jobs are queued, or with the refusal of one. */
    private static CompletableFuture<JsonObject> together(
            Collection<CompletableFuture<UnitJob>> jobs) {
        return CompletableFuture.allOf(jobs.toArray(CompletableFuture[]::new))
                .thenApply(_ -> JsonObject.EMPTY);
    }

    /** Replies for each unit. */
    private static CompletableFuture<JsonObject> each(
            Call call, Map<UnitName, CompletableFuture<UnitJob>> jobs) {
        List<CompletableFuture<JsonObject>> replies =
                jobs.entrySet().stream()
                        .map(each ->
                                each.getValue()
                                        .handle((job, failure) ->
                                                describe(each.getKey(), job, failure)))
                        .toList();
        return CompletableFuture.allOf(replies.toArray(CompletableFuture[]::new))
                .thenApply(_ -> {
                    JsonObject last = JsonObject.EMPTY;
                    for (int i = 0; i < replies.size(); i++) {
                        if (i > 0) {
                            call.send(last);
                        }
                        last = replies.get(i).join();
                    }
                    return last;
                });
    }

    private static JsonObject describe(
            UnitName unit, @Nullable UnitJob job, @Nullable Throwable failure) {
        JsonObject.Builder json = JsonObject.builder().put("unitID", unit.text());
        if (job != null) {
            return json.put("jobID", job.id()).build();
        }
        Throwable cause = UnitErrors.cause(Objects.requireNonNull(failure));
        if (UnitErrors.of(cause) instanceof VarlinkException known) {
            json.put("error", known.error());
        }
        return json.put("errorMessage", String.valueOf(cause.getMessage())).build();
    }

    private static CompletableFuture<JsonObject> notSupported(String method) {
        return CompletableFuture.failedFuture(
                new VarlinkException(
                        NAME + ".NotSupported",
                        JsonObject.of("reason", NotOffered.textOf(method))));
    }

    private CompletableFuture<JsonObject> end(Call call, What what) {
        if (!manager.isContainerInit()) {
            throw VarlinkException.methodNotImplemented(call.method());
        }
        return ofOwners.permitted(
                call,
                SystemdCalls.question(call, Permission.MANAGE_UNITS, Map.of()),
                () -> {
                    manager.loop().postEnding(() -> manager.end(what)); // after the reply
                    return CompletableFuture.completedFuture(JsonObject.EMPTY);
                });
    }
}
