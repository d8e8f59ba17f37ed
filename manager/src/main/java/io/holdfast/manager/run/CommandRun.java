package io.holdfast.manager.run;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.exec.PassedDescriptors;
import io.holdfast.manager.log.UnitLog;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.process.KillWhom;
import io.holdfast.manager.runtime.InvocationId;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.TimeSpan;
import io.holdfast.manager.view.UnitStatus;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Control commands of a unit without a main process, one at a time, in the unit's cgroup. What a
 * command leaves there stays until {@link #close}. Used on the event loop.
 */
public final class CommandRun implements RunOwner, UnitRun.Listener {
    /** The unit whose commands are run. */
    public interface Owner {
        /** Returns duplicates of the descriptors that each command receives, which it closes. */
        default PassedDescriptors passed() {
            return PassedDescriptors.NONE;
        }

        /** Returns what the run is made from, by the present settings of the unit. */
        RunPlan plan(String invocationId);

        /** Returns how long the clean-up after the commands may take. */
        TimeSpan timeout();

        /** Called when the command runs. */
        default void spawned() {}

        /** Called when the command has ended. */
        void ended(Exit exit);

        /** Called when the command could not be executed. */
        void notRun(String why);

        /** Called when no process is left. */
        void emptied();

        /** Called when all processes have received a signal. */
        void signalSent();
    }

    /** What is done on a worker before the command. */
    public interface Preparation {
        void run() throws Exception;
    }

    private final ManagerContext context;
    private final UnitName name;
    private final Owner owner;
    private final Lane lane;
    private final Lane stopLane;
    private final RunSetup setup;
    private final RemainingProcesses remaining;
    private String invocationId = "";
    private @Nullable UnitRun run;
    private @Nullable Work<?> preparation;
    private @Nullable RunChannels prepared; // of the run that is being prepared

    public CommandRun(ManagerContext context, UnitName name, Owner owner) {
        this.context = context;
        this.name = name;
        this.owner = owner;
        context.logs().loaded(name);
        lane = context.workers().ownLane(name().text());
        stopLane = context.workers().ownLane(name().text());
        setup = new RunSetup(this, this);
        remaining = new RemainingProcesses(this);
    }

    /** Begins a new run, with an id of its own. */
    public void begin() {
        invocationId = InvocationId.next();
    }

    /** Adds the invocation, the cgroup and the last log lines to the status of the unit. */
    public UnitStatus describe(UnitStatus status) {
        UnitStatus described =
                status.withInvocation(invocationId)
                        .withCgroup(
                                open().flatMap(UnitRun::cgroup)
                                        .map(cgroup -> cgroup.path().path()));
        return context.withLog(name, described);
    }

    public void run(Preparation before, ExecCommand command) {
        UnitRun open = run;
        if (open != null) {
            prepare(before, () -> open, command);
            return;
        }
        if (invocationId.isEmpty()) {
            begin();
        }
        RunChannels channels;
        try {
            channels = RunChannels.open(this, false);
        } catch (ErrnoException e) {
            owner.notRun(Work.reason(e));
            return;
        }
        RunPlan plan = owner.plan(invocationId);
        prepared = channels;
        Work<UnitRun> work =
                lane.work(
                                "the preparation of " + command.executable(),
                                () -> {
                                    before.run();
                                    return setup.open(plan, channels);
                                })
                        .releasing(UnitRun::undo);
        preparation = work;
        Work<UnitRun> _ =
                work.begin((opened, failure) -> {
                    preparation = null;
                    prepared = null;
                    if (opened == null) {
                        channels.close();
                        owner.notRun(Work.reason(failure));
                    } else {
                        took(opened);
                        opened.spawn(command, false, Map.of());
                    }
                });
    }

    private void prepare(Preparation before, Supplier<UnitRun> open, ExecCommand command) {
        Work<Boolean> work =
                lane.work(
                        "the preparation of " + command.executable(),
                        () -> {
                            before.run();
                            return true;
                        });
        preparation = work;
        Work<Boolean> _ =
                work.begin((_, failure) -> {
                    preparation = null;
                    if (failure == null) {
                        open.get().spawn(command, false, Map.of());
                    } else {
                        owner.notRun(Work.reason(failure));
                    }
                });
    }

    /** Gives up the preparation of a command, which may hang: the command is not run. */
    public void cancelPreparation() {
        Work<?> pending = preparation;
        preparation = null;
        if (pending != null) {
            pending.cancel();
        }
        RunChannels unused = prepared;
        prepared = null;
        if (unused != null) {
            unused.close();
        }
    }

    private void took(UnitRun opened) {
        run = opened;
        opened.keep();
        remaining.runBegins(opened.workload());
        context.processes()
                .enter(
                        opened.workload(),
                        opened.cgroup().isPresent()
                                ? OptionalLong.of(opened.cgroup().get().id())
                                : OptionalLong.empty());
        changed();
    }

    /** Returns whether a command is about to run, runs, or is being signalled. */
    public boolean isBusy() {
        UnitRun open = run;
        return preparation != null
                || (open != null
                        && (open.controlIsAlive() || open.isSpawning() || open.isSignalling()));
    }

    public Optional<UnitRun> open() {
        return Optional.ofNullable(run);
    }

    /** Returns whether the unit must stay loaded for what it runs, or has left. */
    public boolean isKept() {
        return run != null || preparation != null || !remaining.isEmpty();
    }

    public void signal(Signal signal, boolean all, boolean hangup) {
        open().ifPresent(open -> open.signal(signal, all, hangup));
    }

    public boolean signal(Signal signal, KillWhom whom, OptionalInt value) {
        return run != null && run.signal(signal, whom, value);
    }

    /** Reports once to the owner when no process is left. */
    public void watchEmpty() {
        open().ifPresent(UnitRun::watchEmpty);
    }

    /** Removes the cgroup, once the processes in it have ended. */
    public void close() {
        UnitRun open = run;
        run = null;
        if (open != null) {
            open.close(
                    false,
                    false,
                    owner.timeout(),
                    processes -> remaining.keep(open.workload(), processes),
                    _ -> changed());
        }
    }

    public void unloaded() {
        remaining.close();
        context.logs().release(name());
    }

    public void abandon() {
        cancelPreparation();
        open().ifPresent(UnitRun::abandon);
        run = null;
    }

    public void record(Fields fields) {
        fields.put("invocation", invocationId);
        open().ifPresent(open -> open.record(fields));
    }

    public void restore(Fields fields) {
        invocationId = fields.text("invocation");
        if (fields.is("run")) {
            took(setup.restore(owner.plan(invocationId), fields, _ -> {}));
        }
    }

    // ---- the run

    @Override
    public void controlExited(Exit exit) {
        owner.ended(exit);
    }

    /** Does not occur: the unit has no main process. */
    @Override
    public void mainExited(Exit exit) {}

    @Override
    public void spawnFailed(ExecCommand command, boolean asMain, Exception failure) {
        owner.notRun("cannot run " + command.executable() + ": " + Work.reason(failure));
    }

    @Override
    public void spawned(ExecCommand command, boolean asMain) {
        owner.spawned();
        changed();
    }

    @Override
    public void emptied() {
        owner.emptied();
    }

    @Override
    public void signalled() {
        owner.signalSent();
    }

    @Override
    public PassedDescriptors passedTo(ExecCommand command) {
        return owner.passed();
    }

    // ---- its owner, as the run sees it

    @Override
    public ManagerContext context() {
        return context;
    }

    @Override
    public UnitName name() {
        return name;
    }

    @Override
    public UnitLog log() {
        return context.logs().open(name);
    }

    @Override
    public Lane lane() {
        return lane;
    }

    @Override
    public Lane stopLane() {
        return stopLane;
    }

    @Override
    public boolean isBeingPrepared() {
        return preparation != null;
    }

    @Override
    public void changed() {
        context.events().changed(name());
    }

    @Override
    public void warn(String text) {
        context.warn(name(), text);
    }

    @Override
    public void warnOnce(String text) {
        warn(text);
    }
}
