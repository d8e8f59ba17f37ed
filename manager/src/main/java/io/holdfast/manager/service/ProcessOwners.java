package io.holdfast.manager.service;

import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessInfo;
import io.holdfast.manager.notify.NotifyRouter;
import io.holdfast.manager.process.Orphans;
import io.holdfast.manager.runtime.UnitTable;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Whose a process is: asks the services, each of which knows its own. On the loop. */
public final class ProcessOwners implements NotifyRouter.Recipients, Orphans.Units {
    private final UnitTable units;

    public ProcessOwners(UnitTable units) {
        this.units = units;
    }

    private Stream<Service> services() {
        return units.of(Service.class);
    }

    /** The service whose process it is, by its cgroup or by being held. */
    @Override
    public @Nullable Service ownerOf(PidFd process) {
        ProcessInfo info = process.info();
        return services().filter(service -> service.owns(process, info)).findFirst().orElse(null);
    }

    /** The service that started the process: see {@link ServiceRun#hasStarted}. */
    public @Nullable Service starterOf(PidFd process) {
        return services().filter(service -> service.hasStarted(process)).findFirst().orElse(null);
    }

    @Override
    public boolean isAnySpawning() {
        return services().anyMatch(Service::isSpawning);
    }

    @Override
    public boolean hold(PidFd orphan) {
        return services().anyMatch(service -> service.holds(orphan));
    }

    @Override
    public boolean adopt(PidFd orphan, Optional<String> invocation) {
        return services().anyMatch(service -> service.adopt(orphan, invocation));
    }
}
