package io.holdfast.manager.service;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.Members;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.exec.Execution;
import io.holdfast.manager.exec.SetupException;
import io.holdfast.manager.log.OutputPipe;
import io.holdfast.manager.process.UnitCgroups;
import io.holdfast.manager.process.Workload;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.unit.section.ServiceUnit;
import java.util.Optional;

/** What is looked at and made before a run of a service can begin. Blocking; off the loop. */
final class RunSetup {
    private static final int LEFTOVER_LINES = 10;

    private final ServiceLife life;
    private final ServiceRun.Listener listener;

    /**
     * @param listener of the runs that are made
     */
    RunSetup(ServiceLife life, ServiceRun.Listener listener) {
        this.life = life;
        this.listener = listener;
    }

    /**
     * Makes the cgroup, the folders and what else the run needs.
     *
     * @param output owned by the run, if there will be one
     */
    ServiceRun open(ServiceUnit unit, String invocationId, OutputPipe output) throws Exception {
        ManagerContext context = life.context;
        Optional<Cgroup> cgroup = cgroup(unit);
        try {
            cgroup.ifPresent(this::reportLeftovers);
            Execution execution =
                    new Execution(
                            unit,
                            context.scope(),
                            new Execution.Surroundings(
                                    cgroup,
                                    output.writeEnd(),
                                    context.notifySocket().toString(),
                                    invocationId),
                            context.uids(),
                            warning -> context.loop().postEnding(() -> life.warnOnce(warning)));
            execution.prepare();
            Workload workload =
                    new Workload(
                            unit.name(),
                            invocationId,
                            unit.cgroup().sliceOf(unit.name(), context.scope()),
                            cgroup.map(Cgroup::path).orElse(CgroupPath.ROOT));
            return new ServiceRun(life, unit, listener, output, execution, workload, cgroup);
        } catch (Exception e) {
            cgroup.ifPresent(RunSetup::undo);
            throw e;
        }
    }

    /** Says which processes an earlier run left in the cgroup; they stay. */
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
