package io.holdfast.manager.systemd1;

import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.ObjectTree;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.systemd1.caller.Operations;
import io.holdfast.manager.systemd1.format.Names;
import io.holdfast.manager.systemd1.property.PropertyTable;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The D-Bus objects of the queued and running jobs. */
final class JobObjects implements ObjectTree {
    private static final PropertyTable<UnitJob> TABLE =
            new PropertyTable<UnitJob>()
                    .fixed("Id", "u", UnitJob::id)
                    .fixed(
                            "Unit",
                            "(so)",
                            job ->
                                    List.of(
                                            job.unit().text(),
                                            new ObjectPath(Names.path(job.unit()))))
                    .fixed("JobType", "s", job -> job.type().word())
                    .changing("State", "s", UnitJob::state);

    private final ManagerView manager;
    private final Operations operations;

    JobObjects(ManagerView manager, Operations operations) {
        this.manager = manager;
        this.operations = operations;
    }

    @Override
    public CompletionStage<List<BusInterface>> interfaces(String path) {
        OptionalLong id = Names.jobAt(path);
        Optional<UnitJob> job =
                id.isPresent() ? manager.jobs().find(id.getAsLong()) : Optional.empty();
        return CompletableFuture.completedStage(job.map(this::describe).orElse(List.of()));
    }

    private List<BusInterface> describe(UnitJob job) {
        BusInterface.Builder builder = BusInterface.named(Names.JOB);
        TABLE.describe(builder, job);
        builder.asyncMethod(
                        "Cancel", "", "", (call, reply) -> operations.cancel(call, job.id(), reply))
                .method(
                        "GetAfter",
                        "",
                        "a(usssoo)",
                        _ -> List.of(UnitRows.jobs(manager.jobs().after(job.id()))),
                        "jobs")
                .method(
                        "GetBefore",
                        "",
                        "a(usssoo)",
                        _ -> List.of(UnitRows.jobs(manager.jobs().before(job.id()))),
                        "jobs");
        return List.of(builder.build());
    }

    @Override
    public Collection<String> paths() {
        return manager.jobs().all().stream().map(job -> Names.jobPath(job.id())).toList();
    }
}
