package io.holdfast.manager.varlink;

import io.holdfast.manager.ManagerView;
import io.holdfast.manager.access.Permission;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.server.Call;
import io.holdfast.varlink.server.Service;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;

/** {@code io.systemd.Job}: the queued jobs. */
final class JobService {
    static final String NAME = "io.systemd.Job";

    private final SystemdCalls calls;
    private final ManagerView manager;

    JobService(SystemdCalls calls) {
        this.calls = calls;
        this.manager = calls.manager();
    }

    Service service() {
        return Service.of(SystemdCalls.definition(NAME))
                .method("List", this::list)
                .asyncMethod("Cancel", this::cancel)
                .asyncMethod("ClearAll", this::cancelAll)
                .build();
    }

    /** May wait: called on a thread of its own. */
    private JsonObject list(Call call) throws Exception {
        OptionalLong id = call.parameters().optionalInteger("id");
        Optional<String> unit = call.parameters().optionalString("unit");
        Collection<UnitJob> all =
                SystemdCalls.await(
                        calls.onLoop(
                                () -> CompletableFuture.completedFuture(manager.jobs().all())));
        List<JsonObject> jobs =
                all.stream()
                        .filter(job -> id.isEmpty() || job.id() == id.getAsLong())
                        .filter(job -> unit.isEmpty() || job.unit().text().equals(unit.get()))
                        .map(JobService::json)
                        .toList();
        if (id.isEmpty() && unit.isEmpty() && !call.wantsMore()) {
            throw VarlinkException.expectedMore();
        }
        if (jobs.isEmpty()) {
            throw noSuchJob(
                    id.isPresent()
                            ? JsonObject.of("parameter", "id")
                            : unit.isPresent()
                                    ? JsonObject.of("parameter", "unit")
                                    : JsonObject.EMPTY);
        }
        for (JsonObject job : jobs.subList(0, jobs.size() - 1)) { // a unit has one job at most
            if (!call.send(job)) {
                break; // the caller is gone
            }
        }
        return jobs.getLast();
    }

    private static VarlinkException noSuchJob(JsonObject parameters) {
        return new VarlinkException(NAME + ".NoSuchJob", parameters);
    }

    private static JsonObject json(UnitJob job) {
        return JsonObject.builder()
                .put(
                        "context",
                        JsonObject.builder()
                                .put("Unit", job.unit().text())
                                .put("JobType", job.type().word().replace('-', '_'))
                                .build())
                .put(
                        "runtime",
                        JsonObject.builder().put("Id", job.id()).put("State", job.state()).build())
                .build();
    }

    private CompletableFuture<JsonObject> cancel(Call call) {
        long id = call.parameters().integer("id");
        return changed(
                call,
                () -> {
                    if (!manager.jobs().cancel(id)) {
                        throw noSuchJob(JsonObject.of("parameter", "id"));
                    }
                });
    }

    private CompletableFuture<JsonObject> cancelAll(Call call) {
        return changed(call, manager.jobs()::cancelAll);
    }

    private CompletableFuture<JsonObject> changed(Call call, Runnable change) {
        return calls.permitted(
                call,
                SystemdCalls.question(call, Permission.MANAGE_UNITS, Map.of()),
                () -> {
                    change.run();
                    return CompletableFuture.completedFuture(JsonObject.EMPTY);
                });
    }
}
