package io.holdfast.manager.mount;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.ProcessId;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.loop.TableWatch;
import io.holdfast.manager.loop.TimeLimit;
import io.holdfast.manager.process.KillWhom;
import io.holdfast.manager.run.CommandRun;
import io.holdfast.manager.run.KillSequence;
import io.holdfast.manager.run.KillSequence.Step;
import io.holdfast.manager.run.RunPlan;
import io.holdfast.manager.run.UnitRun;
import io.holdfast.manager.runtime.CheckedStart;
import io.holdfast.manager.runtime.JobWaiters;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitDefinition;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.AttachmentUnit;
import io.holdfast.manager.unit.section.MountUnit;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.settings.KillSettings;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.TimeSpan;
import io.holdfast.manager.view.MountStatus;
import io.holdfast.manager.view.UnitChecks;
import io.holdfast.manager.view.UnitStatus;
import io.holdfast.manager.view.UnitTimes;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * A mount or a swap at run time: the state machine of systemd.mount(5), and of systemd.swap(5) with
 * the words in brackets.
 *
 * <pre>
 *   start       dead, failed ─▶ mounting ─▶ mounting-done ─▶ mounted    [activating … active]
 *   reload      mounted ─▶ remounting ─▶ mounted                        [none]
 *   stop        mounted ─▶ unmounting ─▶ dead, failed                   [deactivating]
 *   late, or stopped while it mounts
 *               mounting ─▶ unmounting-sigterm ─▶ unmounting-sigkill ─▶ dead, failed, mounted
 *   by others   dead, failed ─▶ mounted, and mounted ─▶ dead
 * </pre>
 *
 * <p>Whether it is attached is what the kernel's table says ({@link TableWatch}), never what a
 * command has returned: after each command the table is read first. So a mount that others made is
 * active, and one that others removed is not. Used on the event loop; the commands, such as
 * mount(8) and swapoff(8), run as control processes in the unit's cgroup ({@link CommandRun}).
 *
 * @param <U> the definition
 */
abstract class Attachment<U extends AttachmentUnit>
        implements ManagedUnit, TableWatch.Listener, CommandRun.Owner, KillSequence.Owner {
    /** How often the command of a stop is run: mounts may lie above each other. */
    private static final int UNMOUNTS = 32;

    private final ManagerContext context;
    private final TableWatch<?> watch;
    private final Class<U> type;
    private final UnitDefinition<U> definition;
    private final CommandRun run;
    private final CheckedStart checking;
    private final TimeLimit deadline;
    private final KillSequence killing;
    private final JobWaiters starts = new JobWaiters();
    private final JobWaiters stops = new JobWaiters();
    private final JobWaiters reloads = new JobWaiters();
    private AttachmentState state = AttachmentState.DEAD;
    private AttachmentResult result = AttachmentResult.SUCCESS;
    private AttachmentResult reloadResult = AttachmentResult.SUCCESS;
    private Optional<String> failure = Optional.empty();
    private UnitTimes times = UnitTimes.NEVER;
    private Instant since = Instant.EPOCH;
    private int unmounts;
    private boolean stopWanted;
    private boolean settling; // a command has ended, and the table is being read

    /**
     * @param watch shared by all units of the type
     */
    Attachment(ManagerContext context, Unit unit, Class<U> type, TableWatch<?> watch) {
        this.context = context;
        this.watch = watch;
        this.type = type;
        definition = new UnitDefinition<>(type.cast(unit));
        deadline = new TimeLimit(context.loop());
        run = new CommandRun(context, unit.name(), this);
        checking =
                new CheckedStart(context, run.lane(), () -> context.events().changed(this.name()));
        killing = new KillSequence(this, deadline);
    }

    // ---- what the types differ in

    /** Returns whether the kernel's table shows it. */
    abstract boolean isAttached();

    /** Returns the state of being attached: {@code mounted on /srv}. */
    abstract String attached();

    /** Does what the attaching command needs. Blocking; called on a worker. */
    abstract void prepare(U definition) throws Exception;

    abstract ExecCommand attachCommand();

    abstract ExecCommand detachCommand();

    /** Returns the command that changes the options of what is attached; empty if none can. */
    abstract Optional<ExecCommand> changeCommand();

    /** Returns the name that systemd uses for a state. */
    abstract String word(AttachmentState of);

    // ----

    @Override
    public U unit() {
        return definition.unit();
    }

    @Override
    public U newest() {
        return definition.newest();
    }

    private UnitName name() {
        return unit().name();
    }

    /** Returns the command that runs. */
    final Optional<ProcessId> control() {
        return run.open().flatMap(UnitRun::control).flatMap(MountStatus::idOf);
    }

    @Override
    public ActiveState activeState() {
        return state.active();
    }

    @Override
    public void reloaded(Unit reread) {
        if (type.isInstance(reread)) {
            definition.reloaded(type.cast(reread));
            if (state.isDown()) {
                definition.takeNewer();
            }
        }
    }

    private void enter(AttachmentState next) {
        if (state != next) {
            AttachmentState.TABLE.check(state, next, text -> context.error(name(), text));
            times = times.withTransition(state.active(), next.active());
            state = next;
            since = Instant.now();
            context.events().changed(name());
        }
    }

    // ---- the kernel's table

    @Override
    public void tableRead() {
        if (settling) {
            return; // what a command has changed is handled with its exit
        }
        switch (state) {
            case DEAD, FAILED -> {
                if (isAttached()) {
                    result = AttachmentResult.SUCCESS;
                    failure = Optional.empty();
                    context.info(name(), attached() + " by others");
                    enter(AttachmentState.MOUNTED);
                }
            }
            case MOUNTED -> {
                if (!isAttached()) {
                    context.info(name(), "no longer " + attached() + ", by others");
                    down(AttachmentResult.SUCCESS);
                }
            }
            case MOUNTING -> {
                if (isAttached() && run.isBusy()) {
                    enter(AttachmentState.MOUNTING_DONE);
                }
            }
            case MOUNTING_DONE -> {
                if (!isAttached()) {
                    enter(AttachmentState.MOUNTING);
                }
            }
            default -> {}
        }
    }

    // ---- start

    @Override
    public void start(Consumer<JobResult> done) {
        stopWanted = false;
        switch (state) {
            case MOUNTED, REMOUNTING, REMOUNTING_SIGTERM, REMOUNTING_SIGKILL ->
                    done.accept(JobResult.DONE);
            case MOUNTING, MOUNTING_DONE -> starts.add(done);
            case UNMOUNTING, UNMOUNTING_SIGTERM, UNMOUNTING_SIGKILL ->
                    throw new IllegalStateException(name() + " is started while it stops");
            case DEAD, FAILED ->
                    checking.begin(
                            unit(),
                            done,
                            started -> {
                                starts.add(started);
                                begin();
                            });
        }
    }

    private void begin() {
        definition.takeNewer();
        result = AttachmentResult.SUCCESS;
        failure = Optional.empty();
        if (!definition.startLimit().tryStart(System.nanoTime())) {
            because("start limit hit; clear it with: holdfast reset-failed " + name());
            context.events().startLimitHit(name());
            down(AttachmentResult.START_LIMIT_HIT);
            return;
        }
        run.begin();
        enter(AttachmentState.MOUNTING);
        limit();
        settle(this::attachUnlessAttached);
    }

    private void attachUnlessAttached() {
        if (state != AttachmentState.MOUNTING) {
            return; // it was late meanwhile
        }
        if (stopWanted) {
            down(AttachmentResult.SUCCESS);
        } else if (isAttached()) {
            up();
        } else {
            U wanted = unit();
            run.run(() -> prepare(wanted), attachCommand());
        }
    }

    /** Reads the table, and then continues. */
    private void settle(Runnable then) {
        settling = true;
        watch.refresh(() -> {
            settling = false;
            then.run();
        });
    }

    private void up() {
        deadline.lift();
        enter(AttachmentState.MOUNTED);
        context.info(name(), attached());
        starts.answer(JobResult.DONE);
    }

    /** Limits the present command; after that it is killed. */
    private void limit() {
        deadline.set(
                unit().timeout(),
                () -> {
                    note(AttachmentResult.TIMEOUT);
                    because(
                            "its command does not end within "
                                    + unit().timeout()
                                    + " (TimeoutSec=)");
                    killing.begin();
                });
    }

    // ---- stop and reload

    @Override
    public void stop(Consumer<JobResult> done) {
        checking.cancel();
        switch (state) {
            case DEAD, FAILED -> done.accept(JobResult.DONE);
            case MOUNTED -> {
                stops.add(done);
                stopWanted = true;
                result = AttachmentResult.SUCCESS; // that of an earlier stop is not this one's
                unmounts = 0;
                detach();
            }
            case MOUNTING, MOUNTING_DONE -> {
                stops.add(done);
                stopWanted = true;
                unmounts = 0;
                if (run.isBusy()) {
                    killing.begin();
                } // otherwise the table is being read, and no command follows
            }
            case REMOUNTING, REMOUNTING_SIGTERM, REMOUNTING_SIGKILL -> {
                stops.add(done);
                unmounts = 0;
                stopWanted = true; // unmounted once the command has ended
            }
            case UNMOUNTING, UNMOUNTING_SIGTERM, UNMOUNTING_SIGKILL -> stops.add(done);
        }
    }

    private void detach() {
        unmounts++;
        enter(AttachmentState.UNMOUNTING);
        limit();
        run.run(() -> {}, detachCommand());
    }

    @Override
    public void reload(Consumer<JobResult> done) {
        switch (state) {
            case MOUNTED -> {
                if (changeCommand().isEmpty()) {
                    done.accept(JobResult.INVALID);
                    return;
                }
                reloads.add(done);
                reloadResult = AttachmentResult.SUCCESS;
                if (newest().source().state() == UnitSource.State.LOADED) {
                    definition.takeNewer();
                }
                enter(AttachmentState.REMOUNTING);
                limit();
                run.run(() -> {}, changeCommand().orElseThrow());
            }
            case REMOUNTING, REMOUNTING_SIGTERM, REMOUNTING_SIGKILL -> reloads.add(done);
            default -> done.accept(JobResult.INVALID);
        }
    }

    // ---- what the commands report

    @Override
    public void ended(Exit exit) {
        if (killing.isUnderWay()) {
            killing.check();
            return;
        }
        if (state == AttachmentState.REMOUNTING) {
            reloadResult = AttachmentResult.of(exit);
        }
        settle(() -> ended(AttachmentResult.of(exit)));
    }

    @Override
    public void notRun(String why) {
        because(why);
        if (killing.isUnderWay()) {
            killing.check();
            return;
        }
        if (state == AttachmentState.REMOUNTING) {
            reloadResult = AttachmentResult.RESOURCES;
        }
        settle(() -> ended(AttachmentResult.RESOURCES));
    }

    private void ended(AttachmentResult how) {
        if (killing.isUnderWay()) {
            return; // it was late meanwhile
        }
        switch (state) {
            case MOUNTING, MOUNTING_DONE -> {
                if (how != AttachmentResult.SUCCESS) {
                    note(how);
                } else if (!isAttached()) {
                    because(
                            attachCommand().executable()
                                    + " has succeeded, and it is not "
                                    + attached());
                    note(AttachmentResult.PROTOCOL);
                }
                rest();
            }
            case UNMOUNTING -> {
                boolean attachedBelow = how == AttachmentResult.SUCCESS && isAttached();
                if (attachedBelow && unmounts < UNMOUNTS) {
                    detach();
                    return;
                }
                note(attachedBelow ? AttachmentResult.PROTOCOL : how);
                rest();
            }
            default -> rest();
        }
    }

    /** Enters the state that the table shows, after a command has ended. */
    private void rest() {
        deadline.lift();
        if (!isAttached()) {
            boolean stopped = stopWanted && result != AttachmentResult.TIMEOUT;
            down(stopped ? AttachmentResult.SUCCESS : result); // whatever the commands have said
            return;
        }
        boolean remounted = state.active() == ActiveState.RELOADING;
        boolean stopped =
                state == AttachmentState.UNMOUNTING
                        || (stopWanted && unmounts > 0); // the command was late, and was killed
        JobWaiters started = starts.take();
        JobWaiters reloaded = reloads.take();
        enter(AttachmentState.MOUNTED);
        if (remounted) {
            reloaded.answer(
                    reloadResult == AttachmentResult.SUCCESS ? JobResult.DONE : JobResult.FAILED);
        }
        started.answer(result == AttachmentResult.SUCCESS ? JobResult.DONE : JobResult.FAILED);
        if (stopped) {
            context.error(name(), "is still " + attached() + ": " + result);
            stopWanted = false;
            stops.answer(JobResult.FAILED);
        } else if (stopWanted) {
            unmounts = 0;
            detach();
        }
    }

    private void note(AttachmentResult why) {
        if (result == AttachmentResult.SUCCESS) {
            result = why;
        }
    }

    private void because(String why) {
        context.error(name(), why);
        notStarted(why);
    }

    @Override
    public void notStarted(String why) {
        failure = Optional.of(why);
        context.events().changed(name());
    }

    /** Ends the unit: nothing is attached. Waiters are taken first, as a next job may begin. */
    private void down(AttachmentResult why) {
        deadline.lift();
        result = why;
        run.close();
        boolean cancelled = stopWanted && why == AttachmentResult.SUCCESS;
        JobWaiters started = starts.take();
        JobWaiters reloaded = reloads.take();
        JobWaiters stopped = stops.take();
        stopWanted = false;
        definition.takeNewer();
        enter(why == AttachmentResult.SUCCESS ? AttachmentState.DEAD : AttachmentState.FAILED);
        if (why != AttachmentResult.SUCCESS) {
            context.error(name(), "failed: " + why);
        }
        started.answer(cancelled ? JobResult.CANCELED : JobResult.FAILED);
        reloaded.answer(JobResult.FAILED);
        stopped.answer(JobResult.DONE);
        context.events().settled(name(), state.active());
    }

    // ---- the end of a command that hangs

    @Override
    public RunPlan plan(String invocationId) {
        return RunPlan.ofCommands(
                unit(),
                context.scope(),
                unit().exec(),
                unit().kill(),
                type != MountUnit.class, // an automount point must not wait for mount(8)
                invocationId);
    }

    @Override
    public TimeSpan timeout() {
        return unit().timeout();
    }

    @Override
    public KillSettings kill() {
        return unit().kill();
    }

    @Override
    public TimeSpan limit(Step step) {
        return unit().timeout();
    }

    @Override
    public void enter(Step step) {
        boolean remounts = state.active() == ActiveState.RELOADING;
        enter(
                step == Step.KILL
                        ? remounts
                                ? AttachmentState.REMOUNTING_SIGKILL
                                : AttachmentState.UNMOUNTING_SIGKILL
                        : remounts
                                ? AttachmentState.REMOUNTING_SIGTERM
                                : AttachmentState.UNMOUNTING_SIGTERM);
        run.cancelPreparation();
        run.open().ifPresent(open -> open.limitSpawns(Duration.ZERO));
    }

    @Override
    public void signal(Signal signal, boolean all, boolean hangup) {
        run.signal(signal, all, hangup);
    }

    @Override
    public boolean isAwaited() {
        return run.isBusy();
    }

    @Override
    public void watchEmpty() {
        if (run.open().isEmpty()) { // its preparation was given up, and no process will report
            killing.emptied();
        } else {
            run.watchEmpty();
        }
    }

    @Override
    public void emptied() {
        if (killing.isUnderWay()) {
            killing.emptied();
        }
    }

    @Override
    public void late(String text) {
        note(AttachmentResult.TIMEOUT);
        context.warn(name(), text);
    }

    @Override
    public void signalSent() {
        killing.check();
    }

    @Override
    public void signalled() {
        if (state.active() == ActiveState.RELOADING) {
            reloadResult = AttachmentResult.TIMEOUT;
        }
        settle(this::rest);
    }

    // ---- others

    @Override
    public void resetFailed() {
        definition.startLimit().reset();
        if (state == AttachmentState.FAILED) {
            result = AttachmentResult.SUCCESS;
            enter(AttachmentState.DEAD);
        }
    }

    @Override
    public Optional<Duration> mayStartIn() {
        return definition.startLimit().hitFor(System.nanoTime());
    }

    @Override
    public boolean kill(Signal signal, KillWhom whom, OptionalInt value) {
        return run.signal(signal, whom, value);
    }

    @Override
    public boolean isKept() {
        return checking.isUnderWay() || run.isKept() || settling;
    }

    @Override
    public void unloaded() {
        watch.remove(this);
        deadline.lift();
        run.unloaded();
    }

    @Override
    public void abandon() {
        watch.remove(this);
        deadline.lift();
        run.abandon();
    }

    @Override
    public UnitChecks checks() {
        return checking.checks();
    }

    @Override
    public UnitTimes times() {
        return times;
    }

    @Override
    public UnitStatus status() {
        return run.describe(
                UnitStatus.of(unit(), state.active(), word(state), since, result.toString())
                        .withFailure(failure.or(checking::failure)));
    }

    // ---- when the manager is killed

    @Override
    public Optional<Fields> record() {
        if (state.isDown() && result == AttachmentResult.SUCCESS && run.open().isEmpty()) {
            return Optional.empty();
        }
        Fields fields =
                new Fields()
                        .put("state", state.name())
                        .put("times", times.toString())
                        .put("result", result.name())
                        .put("stop-wanted", stopWanted);
        run.record(fields);
        return Optional.of(fields);
    }

    @Override
    public Runnable restore(Fields record) {
        state = record.word("state", AttachmentState.class);
        times = UnitTimes.parse(record.text("times"));
        result = record.word("result", AttachmentResult.class);
        stopWanted = record.is("stop-wanted");
        run.restore(record);
        return this::resume;
    }

    /** A command that still runs is awaited anew; without one, the table shows what it has done. */
    private void resume() {
        switch (state) {
            case DEAD, FAILED, MOUNTED -> {}
            case MOUNTING -> resume(this::attachUnlessAttached);
            case UNMOUNTING ->
                    resume(() -> {
                        if (isAttached()) {
                            detach();
                        } else {
                            rest();
                        }
                    });
            case MOUNTING_DONE, REMOUNTING -> resume(this::rest);
            case REMOUNTING_SIGTERM, REMOUNTING_SIGKILL, UNMOUNTING_SIGTERM, UNMOUNTING_SIGKILL ->
                    killing.begin();
        }
    }

    /** Waits for a command that still runs; without one, continues as the table says. */
    private void resume(Runnable without) {
        limit();
        if (!run.isBusy()) {
            settle(without);
        }
    }
}
