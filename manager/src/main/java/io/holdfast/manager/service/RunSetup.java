package io.holdfast.manager.service;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.Members;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.exec.ExecutedUnit;
import io.holdfast.manager.exec.Execution;
import io.holdfast.manager.exec.SetupException;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.process.UnitCgroups;
import io.holdfast.manager.process.Workload;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.unit.section.ServiceUnit;
import java.util.Optional;

/**
 * Prepares a run of a service: checks and makes what it needs before it can begin. Blocking; called
 * off the event loop.
 */
final class RunSetup {
    private static final int LEFTOVER_LINES = 10;

    private final ServiceLife life;
    private final ServiceRun.Listener listener;

    /**
     * @param listener receives the events of the runs that are made
     */
    RunSetup(ServiceLife life, ServiceRun.Listener listener) {
        this.life = life;
        this.listener = listener;
    }

    /**
     * Makes the cgroup, the folders and whatever else the run needs.
     *
     * @param channels closed by the run, if one is made
     */
    ServiceRun open(ServiceUnit unit, String invocationId, RunChannels channels) throws Exception {
        Optional<Cgroup> cgroup = cgroup(unit);
        try {
            cgroup.ifPresent(this::reportLeftovers);
            Execution execution = execution(unit, invocationId, channels, cgroup);
            execution.prepare();
            return new ServiceRun(
                    life,
                    unit,
                    listener,
                    channels,
                    execution,
                    workload(unit, invocationId, cgroup),
                    cgroup);
        } catch (Exception e) {
            cgroup.ifPresent(RunSetup::undo);
            throw e;
        }
    }

    /**
     * Restores the run that an earlier manager began. A task queued here finds the resources that
     * were made for it, before anything else is done for the run.
     */
    ServiceRun restore(Fields fields) {
        ServiceUnit unit = life.unit();
        RunChannels channels = RunChannels.restore(life, fields);
        Optional<Cgroup> cgroup = restoredCgroup(unit, fields);
        Execution execution = execution(unit, life.invocationId(), channels, cgroup);
        ServiceRun run =
                new ServiceRun(
                        life,
                        unit,
                        listener,
                        channels,
                        execution,
                        workload(unit, life.invocationId(), cgroup),
                        cgroup);
        run.restore(fields);
        Work<Boolean> _ =
                life.lane
                        .work(
                                "the search for its directories and user",
                                () -> {
                                    execution.takeUp(fields.number("uid"));
                                    return true;
                                })
                        .begin((_, failure) -> {
                            if (failure != null) {
                                life.warn(
                                        "cannot find its directories and user again: "
                                                + Work.reason(failure));
                            } else if (life.run().filter(run::equals).isPresent()) {
                                life.logIsOf(run); // its user is known now
                                life.changed();
                            }
                        });
        return run;
    }

    /** Returns the cgroup of the restored run, and warns if it is not the recorded one. */
    private Optional<Cgroup> restoredCgroup(ServiceUnit unit, Fields fields) {
        long id = fields.number("cgroup");
        Optional<Cgroup> cgroup;
        try {
            cgroup = cgroup(unit);
        } catch (SetupException e) {
            life.warn("its cgroup is lost: " + e.getMessage());
            return Optional.empty();
        }
        boolean isAnother = id != 0 && cgroup.isPresent() && cgroup.get().id() != id;
        if (isAnother && fields.find("main").isPresent()) { // otherwise it was already empty
            life.warn("its cgroup was removed meanwhile");
        }
        return cgroup;
    }

    private Execution execution(
            ServiceUnit unit, String invocationId, RunChannels channels, Optional<Cgroup> cgroup) {
        ManagerContext context = life.context;
        return new Execution(
                executed(unit),
                context.scope(),
                new Execution.Surroundings(
                        cgroup,
                        channels.output().writeEnd(),
                        context.runtimeFolder(),
                        channels.notifySocket(),
                        invocationId,
                        context.configuration().get(),
                        context.survival().isOn()),
                context.uids(),
                context.sandboxes(),
                warning -> context.loop().postEnding(() -> life.warnOnce(warning)));
    }

    /** Returns a service as its execution sees it. */
    private static ExecutedUnit executed(ServiceUnit unit) {
        return new ExecutedUnit(
                unit.name(),
                unit.exec(),
                unit.service().commands().start(),
                unit.service().notifyAccess().allowsMain(),
                unit.service().notifyAccess().allowsOthers(),
                unit.service().timeouts().watchdog(),
                unit.diagnostics());
    }

    private Workload workload(ServiceUnit unit, String invocationId, Optional<Cgroup> cgroup) {
        return new Workload(
                unit.name(),
                invocationId,
                unit.cgroup().sliceOf(unit.name(), life.context.scope()),
                cgroup.map(Cgroup::path).orElse(CgroupPath.ROOT));
    }

    /** Logs which processes an earlier run left in the cgroup; they stay. */
    private void reportLeftovers(Cgroup cgroup) {
        int count = 0;
        try (Members members = cgroup.membersBelow()) {
            for (PidFd member : members) {
                if (++count <= LEFTOVER_LINES) {
                    report(
                            "left-over %s (%s) in its cgroup; ignoring it"
                                    .formatted(member, nameOf(member)));
                }
            }
        }
        if (count > LEFTOVER_LINES) {
            report("%d more left-over processes".formatted(count - LEFTOVER_LINES));
        }
    }

    private void report(String text) {
        life.context.loop().postEnding(() -> life.warn(text));
    }

    private static String nameOf(PidFd process) {
        try {
            return process.proc().name();
        } catch (ErrnoException e) {
            return "gone meanwhile";
        }
    }

    private static void undo(Cgroup cgroup) {
        try (cgroup) {
            boolean _ = UnitCgroups.remove(cgroup);
        }
    }

    private Optional<Cgroup> cgroup(ServiceUnit unit) throws SetupException {
        ManagerContext context = life.context;
        try {
            return context.cgroups()
                    .map(cgroups ->
                            cgroups.create(
                                    unit.name(),
                                    unit.cgroup().sliceOf(unit.name(), context.scope())));
        } catch (ErrnoException e) {
            throw new SetupException(SetupException.Step.CGROUP, e);
        }
    }
}
