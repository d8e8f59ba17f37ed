package io.holdfast.manager.run;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.Members;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.exec.Execution;
import io.holdfast.manager.exec.JournalSettingsFiles;
import io.holdfast.manager.exec.SetupException;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.process.UnitCgroups;
import io.holdfast.manager.process.Workload;
import io.holdfast.manager.runtime.ManagerContext;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Prepares a run of a unit: checks and makes what it needs before it can begin. Blocking; called
 * off the event loop.
 */
public final class RunSetup {
    private static final int LEFTOVER_LINES = 10;

    private final RunOwner owner;
    private final UnitRun.Listener listener;

    /**
     * @param listener receives the events of the runs that are made
     */
    public RunSetup(RunOwner owner, UnitRun.Listener listener) {
        this.owner = owner;
        this.listener = listener;
    }

    /**
     * Makes the cgroup, the folders and whatever else the run needs.
     *
     * @param channels closed by the run, if one is made
     */
    public UnitRun open(RunPlan plan, RunChannels channels) throws Exception {
        Optional<Cgroup> cgroup = cgroup(plan);
        try {
            requirePrograms(plan);
            cgroup.ifPresent(this::reportLeftovers);
            Execution execution = execution(plan, channels, cgroup);
            execution.prepare();
            writeJournalSettings(plan, cgroup);
            return new UnitRun(
                    owner,
                    plan,
                    listener,
                    channels,
                    execution,
                    workload(plan, cgroup),
                    cgroup,
                    Optional.empty());
        } catch (Exception e) {
            cgroup.ifPresent(RunSetup::undo);
            throw e;
        }
    }

    /**
     * Restores the run that an earlier manager began. A task queued here finds the resources that
     * were made for it, before anything else is done for the run.
     *
     * @param identified called when the user of the run is known
     */
    public UnitRun restore(RunPlan plan, Fields fields, Consumer<UnitRun> identified) {
        RunChannels channels = RunChannels.restore(owner, fields);
        Optional<Cgroup> cgroup = restoredCgroup(plan, fields);
        Execution execution = execution(plan, channels, cgroup);
        UnitRun run =
                new UnitRun(
                        owner,
                        plan,
                        listener,
                        channels,
                        execution,
                        workload(plan, cgroup),
                        cgroup,
                        Optional.of(fields));
        run.restore(fields);
        List<PidFd> processes = run.processes();
        execution.keep(
                fields.number("uid"),
                fields.find("temporary-folders").orElse(""),
                run.keptFolders(),
                processes);
        Work<Boolean> _ =
                owner.lane()
                        .work(
                                "the search for its directories and user",
                                () -> {
                                    execution.takeUp(fields.number("uid"), processes);
                                    return true;
                                })
                        .begin((_, failure) -> {
                            if (failure != null) {
                                owner.warn(
                                        "cannot find its directories and user again: "
                                                + Work.reason(failure));
                            } else {
                                identified.accept(run);
                            }
                        });
        return run;
    }

    /** Returns the cgroup of the restored run, and warns if it is not the recorded one. */
    private Optional<Cgroup> restoredCgroup(RunPlan plan, Fields fields) {
        long id = fields.number("cgroup");
        Optional<Cgroup> cgroup;
        try {
            cgroup = cgroup(plan);
        } catch (SetupException e) {
            owner.warn("its cgroup is lost: " + e.getMessage());
            return Optional.empty();
        }
        boolean isAnother = id != 0 && cgroup.isPresent() && cgroup.get().id() != id;
        if (isAnother && fields.find("main").isPresent()) { // otherwise it was already empty
            owner.warn("its cgroup was removed meanwhile");
        }
        return cgroup;
    }

    private Execution execution(RunPlan plan, RunChannels channels, Optional<Cgroup> cgroup) {
        ManagerContext context = owner.context();
        return new Execution(
                plan.executed(),
                context.scope(),
                new Execution.Surroundings(
                        cgroup,
                        plan.cgroup(),
                        channels.output().writeEnd(),
                        context.logs().receiver(owner.name()),
                        context.runtimeFolder(),
                        channels.notifySocket(),
                        plan.invocationId(),
                        context.configuration().get(),
                        context.survival().isOn()),
                context.uids(),
                context.sandboxes(),
                this::warnOnce);
    }

    private Workload workload(RunPlan plan, Optional<Cgroup> cgroup) {
        return new Workload(
                owner.name(),
                plan.invocationId(),
                plan.slice(),
                cgroup.map(Cgroup::path).orElse(CgroupPath.ROOT));
    }

    /** Refuses a start whose devices or addresses are not restricted, if the manager is strict. */
    private void requirePrograms(RunPlan plan) throws SetupException {
        Optional<String> refusal =
                owner.context()
                        .programs()
                        .refusalOf(plan.cgroup().resources())
                        .filter(_ -> owner.context().sandboxes().isStrict());
        if (refusal.isPresent()) {
            throw new SetupException(
                    SetupException.Step.CGROUP,
                    refusal.get() + "; without --strict the unit starts without that");
        }
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

    /** Passes the log settings on; a receiver that does not get them stores all it can. */
    private void writeJournalSettings(RunPlan plan, Optional<Cgroup> cgroup) {
        try {
            new JournalSettingsFiles(
                            owner.context().journalSettings(), owner.name(), plan.invocationId())
                    .write(plan.executed().settings().journal(), cgroup);
        } catch (IOException | ErrnoException e) {
            warnOnce("its log settings are not applied: " + e.getMessage());
        }
    }

    private void report(String text) {
        owner.context().loop().postEnding(() -> owner.warn(text));
    }

    private void warnOnce(String text) {
        owner.context().loop().postEnding(() -> owner.warnOnce(text));
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

    private Optional<Cgroup> cgroup(RunPlan plan) throws SetupException {
        try {
            return owner.context()
                    .cgroups()
                    .map(cgroups ->
                            cgroups.create(
                                    owner.name(), plan.slice(), plan.cgroup(), this::warnOnce));
        } catch (ErrnoException e) {
            throw new SetupException(SetupException.Step.CGROUP, e);
        }
    }
}
