package io.holdfast.manager.scope;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.exec.JournalSettingsFiles;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.loop.TimeLimit;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.process.Adoption;
import io.holdfast.manager.process.CgroupProcesses;
import io.holdfast.manager.process.HeldProcesses;
import io.holdfast.manager.process.KillWhom;
import io.holdfast.manager.process.RunProcesses;
import io.holdfast.manager.process.RunProcesses.RunSignal;
import io.holdfast.manager.process.UnitCgroups;
import io.holdfast.manager.process.Workload;
import io.holdfast.manager.resource.ResourceUsage;
import io.holdfast.manager.run.KillSequence;
import io.holdfast.manager.run.KillSequence.Step;
import io.holdfast.manager.run.RunResources;
import io.holdfast.manager.runtime.InvocationId;
import io.holdfast.manager.runtime.JobWaiters;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.TransientResources;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.ScopeUnit;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.settings.CgroupSettings;
import io.holdfast.manager.unit.settings.CgroupSettings.OomPolicy;
import io.holdfast.manager.unit.settings.JournalSettings;
import io.holdfast.manager.unit.settings.KillSettings;
import io.holdfast.manager.unit.value.TimeSpan;
import io.holdfast.manager.view.UnitStatus;
import io.holdfast.manager.view.UnitTimes;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A scope at run time: the state machine of systemd.scope(5).
 *
 * <pre>
 *   start       dead ─▶ start-chown ─▶ running
 *   abandon     running ─▶ abandoned
 *   stop        running, abandoned, start-chown ─▶ stop-sigterm ─▶ stop-sigkill
 *   end         running, abandoned, stop-sigterm, stop-sigkill ─▶ dead, failed
 *   reset       failed ─▶ dead
 * </pre>
 *
 * <p>Its processes are passed to it by descriptor before its only start ({@link #take}); the start
 * moves them to the scope's own cgroup. The scope ends when that cgroup is empty, whatever the
 * reason. If units have no cgroups, it ends when the passed processes have ended. Used on the event
 * loop; blocking work runs on workers, in a lane that all scopes of the same name share, so that
 * the cgroup of the previous scope is gone before the next one is made.
 */
public final class ManagedScope implements ManagedUnit, KillSequence.Owner {
    private final ManagerContext context;
    private final Lane lane;
    private final Lane stopLane;
    private final TimeLimit deadline;
    private final KillSequence stopping;
    private final JobWaiters starts = new JobWaiters();
    private final JobWaiters stops = new JobWaiters();
    private final List<PidFd> given = new ArrayList<>();
    private ScopeUnit unit;
    private ScopeState state = ScopeState.DEAD;
    private UnitTimes times = UnitTimes.NEVER;
    private Instant since = Instant.EPOCH;
    private ScopeResult result = ScopeResult.SUCCESS;
    private String invocationId = "";
    private @Nullable RunProcesses processes;
    private @Nullable RunResources resources;
    private @Nullable Workload run; // its entry in the index of processes
    private boolean stopWanted;
    private boolean closing; // its processes are gone, and its cgroup is being removed

    public ManagedScope(ManagerContext context, Unit unit) {
        this.context = context;
        this.unit = (ScopeUnit) unit;
        lane = context.workers().lane("scope " + unit.name());
        stopLane = context.workers().ownLane("stop of " + unit.name());
        deadline = new TimeLimit(context.loop());
        stopping = new KillSequence(this, deadline);
    }

    @Override
    public void take(TransientResources resources) {
        given.addAll(resources.processes());
        resources.passed().close(context.closer(), name().text());
    }

    @Override
    public ScopeUnit unit() {
        return unit;
    }

    @Override
    public ScopeUnit newest() {
        return unit;
    }

    /** Applies changed drop-ins at once. The unit file itself exists for as long as the scope. */
    @Override
    public void reloaded(Unit newer) {
        if (newer instanceof ScopeUnit scope && scope.source().state() == UnitSource.State.LOADED) {
            unit = scope;
            if (resources != null) {
                resources.change(scope.cgroup());
            }
        }
    }

    private UnitName name() {
        return unit.name();
    }

    @Override
    public ActiveState activeState() {
        return state.active();
    }

    /** Only the passed processes keep it loaded between the request for it and its job. */
    @Override
    public boolean isKept() {
        return !given.isEmpty();
    }

    private void enter(ScopeState next) {
        if (state != next) {
            ScopeState.TABLE.check(state, next, text -> context.error(name(), text));
            times = times.withTransition(state.active(), next.active());
            state = next;
            since = Instant.now();
            context.events().changed(name());
        }
    }

    // ---- start

    @Override
    public void start(Consumer<JobResult> done) {
        switch (state) {
            case RUNNING, ABANDONED -> done.accept(JobResult.DONE);
            case START_CHOWN -> {
                stopWanted = false;
                stops.answer(JobResult.CANCELED);
                starts.add(done);
            }
            case STOP_SIGTERM, STOP_SIGKILL ->
                    throw new IllegalStateException(name() + " is started while it stops");
            case DEAD, FAILED -> {
                if (given.isEmpty()) { // it was started before, or has no processes
                    done.accept(JobResult.ONCE);
                } else {
                    starts.add(done);
                    adopt();
                }
            }
        }
    }

    private void adopt() {
        List<PidFd> adopted = List.copyOf(given);
        given.clear();
        stopWanted = false;
        invocationId = InvocationId.next();
        enter(ScopeState.START_CHOWN);
        if (context.cgroups().isEmpty()) {
            Workload held = workload(CgroupPath.ROOT);
            run(held, new HeldProcesses(context.loop(), context.processes(), held, adopted));
            return;
        }
        Supplier<Cgroup> made = maker(context.cgroups().get());
        JournalSettingsFiles settings = journalSettings();
        Work<Adoption> _ =
                lane.work(
                                "the adoption of its processes",
                                () -> {
                                    Adoption adoption = Adoption.of(made, adopted);
                                    publish(settings);
                                    return adoption;
                                })
                        .releasing(Adoption::undo)
                        .ifNeverBegun(() -> adopted.forEach(PidFd::close))
                        .within(ManagerLimits.READ_TIMEOUT.duration())
                        .begin((adoption, failure) -> {
                            if (adoption != null) {
                                Cgroup cgroup = adoption.keep();
                                run(
                                        workload(cgroup.path()),
                                        new CgroupProcesses(
                                                context.loop(),
                                                lane,
                                                stopLane,
                                                text -> context.warn(name(), text),
                                                cgroup));
                            } else {
                                context.error(
                                        name(),
                                        "cannot adopt its processes: " + Work.reason(failure));
                                end(ScopeResult.RESOURCES);
                            }
                        });
    }

    private Supplier<Cgroup> maker(UnitCgroups cgroups) {
        UnitName name = name();
        UnitName slice = slice();
        CgroupSettings settings = unit.cgroup();
        return () -> cgroups.create(name, slice, settings, this::warnLater);
    }

    private JournalSettingsFiles journalSettings() {
        return new JournalSettingsFiles(context.journalSettings(), name(), invocationId);
    }

    /** Lets the receiver of log messages know the invocation id. Runs on a worker. */
    private void publish(JournalSettingsFiles settings) {
        try {
            settings.write(JournalSettings.NONE, Optional.empty());
        } catch (IOException e) {
            warnLater("log messages lack its invocation id: " + e.getMessage());
        }
    }

    private boolean clean(RunProcesses ended, JournalSettingsFiles settings)
            throws InterruptedException {
        try {
            settings.remove();
        } catch (IOException e) {
            warnLater("its log settings are left: " + e.getMessage());
        }
        return ended.clean(false);
    }

    private void warnLater(String text) {
        context.loop().postEnding(() -> context.warn(name(), text));
    }

    private UnitName slice() {
        return unit.cgroup().sliceOf(name(), context.scope());
    }

    private Workload workload(CgroupPath path) {
        return new Workload(name(), invocationId, slice(), path);
    }

    private void run(Workload workload, RunProcesses adopted) {
        processes = adopted;
        run = workload;
        watchResources(workload, -1);
        context.processes()
                .enter(
                        workload,
                        adopted.cgroup()
                                .map(cgroup -> OptionalLong.of(cgroup.id()))
                                .orElse(OptionalLong.empty()));
        if (stopWanted) {
            stop(ScopeResult.SUCCESS);
        } else {
            context.info(name(), "started");
            enter(ScopeState.RUNNING);
            deadline.set(runtime(), this::ranTooLong);
            starts.answer(JobResult.DONE);
        }
        if (!closing && !stopping.isUnderWay()) {
            watchEmpty();
        }
    }

    private void watchResources(Workload workload, long kills) {
        Optional<Cgroup> cgroup = Optional.ofNullable(processes).flatMap(RunProcesses::cgroup);
        resources =
                new RunResources(
                        context, workload, lane, unit.cgroup(), cgroup, kills, this::killedByOom);
        resources.begin();
    }

    /** Ends the scope as {@code OOMPolicy=} says. */
    private void killedByOom() {
        String text = "the kernel's OOM killer has killed a process of it";
        OomPolicy policy = unit.cgroup().oomPolicy();
        context.warn(name(), text);
        if (policy == OomPolicy.CONTINUE || closing) {
            return;
        }
        if (state.isUp()) {
            stop(ScopeResult.OOM_KILL);
        } else {
            note(ScopeResult.OOM_KILL);
        }
    }

    private TimeSpan runtime() {
        TimeSpan run = unit.limits().run();
        long extra = unit.limits().runExtra().micros();
        return run.isInfinite() || extra == 0 || extra == Long.MAX_VALUE
                ? run
                : new TimeSpan(
                        Math.min(Long.MAX_VALUE - 1 - extra, run.micros())
                                + ThreadLocalRandom.current().nextLong(extra + 1));
    }

    private void ranTooLong() {
        context.warn(name(), "RuntimeMaxSec= reached: stopping");
        stop(ScopeResult.TIMEOUT);
    }

    /** Cancels its start: closes the descriptors of the processes that it was to adopt. */
    @Override
    public void withdrawStart() {
        given.forEach(PidFd::close);
        given.clear();
    }

    // ---- when the manager is killed

    @Override
    public Optional<Fields> record() {
        if (state == ScopeState.DEAD) {
            return Optional.empty();
        }
        Fields fields = new Fields();
        if (resources != null) {
            resources.record(fields);
        }
        return Optional.of(
                fields.put("state", state.name())
                        .put("since", since.toEpochMilli())
                        .put("result", result.name())
                        .put("times", times.toString())
                        .put("invocation", invocationId)
                        .put("deadline", deadline.at())
                        .put(
                                "cgroup",
                                Optional.ofNullable(processes)
                                        .flatMap(RunProcesses::cgroup)
                                        .map(Cgroup::id)
                                        .orElse(0L)));
    }

    /** Its processes are found by its cgroup; without a cgroup they are lost. */
    @Override
    public Runnable restore(Fields record) {
        state = record.word("state", ScopeState.class);
        since = Instant.ofEpochMilli(record.number("since"));
        result = record.word("result", ScopeResult.class);
        times = UnitTimes.parse(record.text("times"));
        invocationId = record.text("invocation");
        Cgroup cgroup = state == ScopeState.FAILED ? null : cgroup(record.number("cgroup"));
        if (state == ScopeState.FAILED) {
            return () -> {};
        }
        if (cgroup == null) {
            return () -> end(ScopeResult.RESOURCES);
        }
        Workload workload = workload(cgroup.path());
        processes =
                new CgroupProcesses(
                        context.loop(), lane, stopLane, text -> context.warn(name(), text), cgroup);
        run = workload;
        watchResources(workload, record.number("oom-kills"));
        context.processes().enter(workload, OptionalLong.of(cgroup.id()));
        return () -> resume(record.number("deadline"));
    }

    private @Nullable Cgroup cgroup(long id) {
        if (context.cgroups().isEmpty()) {
            return null;
        }
        Cgroup cgroup = maker(context.cgroups().get()).get();
        if (cgroup.id() == id) {
            return cgroup;
        }
        try (cgroup) {
            boolean _ = UnitCgroups.remove(cgroup);
        }
        return null;
    }

    private void resume(long at) {
        switch (state) {
            case STOP_SIGTERM -> stopping.resume(Step.TERMINATE, at);
            case STOP_SIGKILL -> stopping.resume(Step.KILL, at);
            default -> {
                if (state == ScopeState.START_CHOWN) {
                    enter(ScopeState.RUNNING);
                } else if (state == ScopeState.RUNNING) {
                    deadline.restore(at, this::ranTooLong);
                }
                watchEmpty();
            }
        }
    }

    // ---- stop

    @Override
    public boolean release() {
        if (!state.isUp() || closing) {
            return false;
        }
        deadline.lift();
        enter(ScopeState.ABANDONED);
        return true;
    }

    @Override
    public void stop(Consumer<JobResult> done) {
        switch (state) {
            case DEAD, FAILED -> done.accept(JobResult.DONE);
            case START_CHOWN -> {
                stopWanted = true; // run() checks this
                stops.add(done);
            }
            case STOP_SIGTERM, STOP_SIGKILL -> stops.add(done);
            case RUNNING, ABANDONED -> {
                stops.add(done);
                if (!closing) {
                    stop(ScopeResult.SUCCESS);
                }
            }
        }
    }

    private void stop(ScopeResult why) {
        note(why);
        stopping.begin();
    }

    @Override
    public KillSettings kill() {
        return unit.kill();
    }

    @Override
    public TimeSpan limit(Step step) {
        return unit.limits().stop();
    }

    @Override
    public void enter(Step step) {
        enter(step == Step.KILL ? ScopeState.STOP_SIGKILL : ScopeState.STOP_SIGTERM);
    }

    /** A scope has no main process: without a signal to all, none is signalled. */
    @Override
    public void signal(Signal signal, boolean all, boolean hangup) {
        if (all) {
            running().signal(new RunSignal(signal, hangup), List.of(), () -> {});
        }
    }

    @Override
    public boolean isAwaited() {
        return false;
    }

    @Override
    public void watchEmpty() {
        running().watchEmpty(this::emptied);
    }

    private void emptied() {
        if (resources != null) {
            resources.check();
        }
        if (stopping.isUnderWay()) {
            stopping.emptied();
        } else {
            end(ScopeResult.SUCCESS);
        }
    }

    @Override
    public void late(String text) {
        note(ScopeResult.TIMEOUT);
        context.warn(name(), text);
    }

    @Override
    public void signalled() {
        end(ScopeResult.SUCCESS);
    }

    private RunProcesses running() {
        RunProcesses own = processes;
        if (own == null) {
            throw new IllegalStateException(name() + " does not run");
        }
        return own;
    }

    private void note(ScopeResult why) {
        if (result == ScopeResult.SUCCESS) {
            result = why;
        }
    }

    // ---- end

    /** Releases its processes: remaining processes stay in the cgroup. */
    private void end(ScopeResult why) {
        if (closing) {
            return;
        }
        note(why);
        closing = true;
        deadline.lift();
        RunProcesses ended = processes;
        processes = null;
        if (ended == null) {
            ended();
            return;
        }
        ended.forget();
        JournalSettingsFiles settings = journalSettings();
        Work<Boolean> _ =
                lane.work("the removal of its cgroup", () -> clean(ended, settings))
                        .releasing(empty -> {
                            if (!empty) {
                                ended.release();
                            }
                        })
                        .evenIfLate()
                        .within(ManagerLimits.READ_TIMEOUT.duration())
                        .begin((empty, failure) -> {
                            if (failure != null) {
                                context.warn(
                                        name(),
                                        "cannot remove its cgroup: " + Work.reason(failure));
                            } else if (Boolean.FALSE.equals(empty)) {
                                context.notice(name(), "leaves processes behind");
                                ended.release();
                            }
                            ended();
                        });
    }

    private void ended() {
        closing = false;
        leave();
        JobWaiters started = starts.take();
        JobWaiters stopped = stops.take();
        enter(result == ScopeResult.SUCCESS ? ScopeState.DEAD : ScopeState.FAILED);
        if (result == ScopeResult.SUCCESS) {
            context.info(name(), "stopped");
        } else {
            context.error(name(), "failed: " + result);
        }
        started.answer(
                result == ScopeResult.SUCCESS && stopWanted
                        ? JobResult.CANCELED
                        : JobResult.FAILED);
        stopped.answer(JobResult.DONE);
        context.events().settled(name(), state.active());
    }

    private void leave() {
        Workload over = run;
        run = null;
        if (resources != null) {
            resources.close();
            resources = null;
        }
        if (over != null) {
            context.processes().leave(over);
        }
    }

    @Override
    public void resetFailed() {
        if (state == ScopeState.FAILED) {
            result = ScopeResult.SUCCESS;
            enter(ScopeState.DEAD);
        }
    }

    @Override
    public boolean isReadyFor(JobType type) {
        return !closing && ManagedUnit.super.isReadyFor(type);
    }

    /** A scope has neither a main nor a control process, and a signal to all carries no value. */
    @Override
    public boolean kill(Signal signal, KillWhom whom, OptionalInt value) {
        RunProcesses own = processes;
        if (own == null || whom != KillWhom.ALL || value.isPresent()) {
            return false;
        }
        own.signal(new RunSignal(signal, false), List.of(), () -> {});
        return true;
    }

    @Override
    public void abandon() {
        withdrawStart();
        deadline.lift();
        RunProcesses left = processes;
        processes = null;
        leave();
        if (left != null) {
            left.forget();
            try {
                boolean _ = left.clean(true);
                left.release();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    // ---- status

    @Override
    public ResourceUsage usage() {
        return resources == null ? ResourceUsage.UNKNOWN : resources.usage();
    }

    @Override
    public UnitTimes times() {
        return times;
    }

    @Override
    public Optional<Cgroup> cgroup() {
        RunProcesses own = processes;
        return own == null ? Optional.empty() : own.cgroup();
    }

    @Override
    public UnitStatus status() {
        return UnitStatus.of(unit, state.active(), state.word(), since, result.toString())
                .withInvocation(invocationId)
                .withCgroup(cgroup().map(cgroup -> cgroup.path().path()));
    }
}
