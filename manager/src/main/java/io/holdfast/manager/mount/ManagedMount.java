package io.holdfast.manager.mount;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.loop.TimeLimit;
import io.holdfast.manager.process.KillWhom;
import io.holdfast.manager.run.KillSequence;
import io.holdfast.manager.run.KillSequence.Step;
import io.holdfast.manager.run.UnitRun;
import io.holdfast.manager.runtime.CheckedStart;
import io.holdfast.manager.runtime.JobWaiters;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.StartLimit;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.MountTable.Mounted;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.MountUnit;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.settings.KillSettings;
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
import org.jspecify.annotations.Nullable;

/**
 * A mount at run time: the state machine of systemd.mount(5).
 *
 * <pre>
 *   start       dead, failed ─▶ mounting ─▶ mounting-done ─▶ mounted
 *   reload      mounted ─▶ remounting ─▶ mounted
 *   stop        mounted ─▶ unmounting ─▶ dead, failed
 *   late, or stopped while it mounts
 *               mounting ─▶ unmounting-sigterm ─▶ unmounting-sigkill ─▶ dead, failed, mounted
 *   by others   dead, failed ─▶ mounted, and mounted ─▶ dead
 * </pre>
 *
 * <p>Whether it is mounted is what the kernel's table says ({@link MountWatch}), never what a
 * command has returned: after each command the table is read first. So a mount that others made is
 * active, and one that others removed is not. Used on the event loop; mount(8) and umount(8) run as
 * control processes in the unit's cgroup ({@link MountRun}).
 */
public final class ManagedMount
        implements ManagedUnit, MountWatch.Listener, MountRun.Owner, KillSequence.Owner {
    /** How often umount(8) is run: mounts may lie above each other. */
    private static final int UNMOUNTS = 32;

    private final ManagerContext context;
    private final MountWatch watch;
    private final MountRun run;
    private final CheckedStart checking;
    private final TimeLimit deadline;
    private final KillSequence killing;
    private final JobWaiters starts = new JobWaiters();
    private final JobWaiters stops = new JobWaiters();
    private final JobWaiters reloads = new JobWaiters();
    private MountUnit unit;
    private @Nullable MountUnit newer;
    private StartLimit startLimit;
    private MountState state = MountState.DEAD;
    private MountResult result = MountResult.SUCCESS;
    private MountResult reloadResult = MountResult.SUCCESS;
    private Optional<String> failure = Optional.empty();
    private UnitTimes times = UnitTimes.NEVER;
    private Instant since = Instant.EPOCH;
    private int unmounts;
    private boolean stopWanted;
    private boolean settling; // a command has ended, and the table is being read

    /**
     * @param watch shared by all mounts of the manager
     */
    public ManagedMount(ManagerContext context, Unit unit, MountWatch watch) {
        this.context = context;
        this.watch = watch;
        this.unit = (MountUnit) unit;
        startLimit = new StartLimit(this.unit.unit().startLimit());
        deadline = new TimeLimit(context.loop());
        run = new MountRun(context, () -> this.unit, this);
        checking =
                new CheckedStart(context, run.lane(), () -> context.events().changed(this.name()));
        killing = new KillSequence(this, deadline);
        watch.add(this);
    }

    @Override
    public MountUnit unit() {
        return unit;
    }

    @Override
    public MountUnit newest() {
        return newer == null ? unit : newer;
    }

    private UnitName name() {
        return unit.name();
    }

    private MountUnit.Section mount() {
        return unit.mount();
    }

    @Override
    public ActiveState activeState() {
        return state.active();
    }

    @Override
    public void reloaded(Unit reread) {
        if (reread instanceof MountUnit mount) {
            newer = mount;
            if (state.isDown()) {
                takeNewer();
            }
        }
    }

    private void takeNewer() {
        if (newer != null && newer.source().state() != UnitSource.State.NOT_FOUND) {
            if (!newer.unit().startLimit().equals(unit.unit().startLimit())) {
                startLimit = new StartLimit(newer.unit().startLimit());
            }
            unit = newer;
            newer = null;
        }
    }

    private void enter(MountState next) {
        if (state != next) {
            MountState.TABLE.check(state, next, text -> context.error(name(), text));
            times = times.withTransition(state.active(), next.active());
            state = next;
            since = Instant.now();
            context.events().changed(name());
        }
    }

    // ---- the kernel's table

    private boolean isMounted() {
        return mounted().isPresent();
    }

    private Optional<Mounted> mounted() {
        return watch.table().at(mount().where());
    }

    @Override
    public void mountsRead() {
        if (settling) {
            return; // what a command has changed is handled with its exit
        }
        switch (state) {
            case DEAD, FAILED -> {
                if (isMounted()) {
                    result = MountResult.SUCCESS;
                    failure = Optional.empty();
                    context.info(name(), "was mounted on " + mount().where());
                    enter(MountState.MOUNTED);
                }
            }
            case MOUNTED -> {
                if (!isMounted()) {
                    context.info(name(), "was unmounted from " + mount().where());
                    down(MountResult.SUCCESS);
                }
            }
            case MOUNTING -> {
                if (isMounted() && run.isBusy()) {
                    enter(MountState.MOUNTING_DONE);
                }
            }
            case MOUNTING_DONE -> {
                if (!isMounted()) {
                    enter(MountState.MOUNTING);
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
                            unit,
                            done,
                            started -> {
                                starts.add(started);
                                begin();
                            });
        }
    }

    private void begin() {
        takeNewer();
        result = MountResult.SUCCESS;
        failure = Optional.empty();
        if (!startLimit.tryStart(System.nanoTime())) {
            because("start limit hit; clear it with: holdfast reset-failed " + name());
            context.events().startLimitHit(name());
            down(MountResult.START_LIMIT_HIT);
            return;
        }
        run.begin();
        enter(MountState.MOUNTING);
        limit();
        settle(this::mountUnlessMounted);
    }

    private void mountUnlessMounted() {
        if (state != MountState.MOUNTING) {
            return; // it was late meanwhile
        }
        if (stopWanted) {
            down(MountResult.SUCCESS);
        } else if (isMounted()) {
            up();
        } else {
            MountUnit.Section mount = mount();
            run.run(() -> MountCommands.makeFolders(mount), MountCommands.mount(mount));
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
        enter(MountState.MOUNTED);
        context.info(name(), "mounted on " + mount().where());
        starts.answer(JobResult.DONE);
    }

    /** Limits the present command; after that it is killed. */
    private void limit() {
        deadline.set(
                mount().timeout(),
                () -> {
                    note(MountResult.TIMEOUT);
                    because(
                            "its command does not end within "
                                    + mount().timeout()
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
                unmounts = 0;
                unmount();
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

    private void unmount() {
        unmounts++;
        enter(MountState.UNMOUNTING);
        limit();
        run.run(() -> {}, MountCommands.unmount(mount()));
    }

    @Override
    public void reload(Consumer<JobResult> done) {
        switch (state) {
            case MOUNTED -> {
                reloads.add(done);
                reloadResult = MountResult.SUCCESS;
                if (newer != null && newer.source().state() == UnitSource.State.LOADED) {
                    takeNewer();
                }
                enter(MountState.REMOUNTING);
                limit();
                run.run(() -> {}, MountCommands.remount(mount()));
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
        if (state == MountState.REMOUNTING) {
            reloadResult = MountResult.of(exit);
        }
        settle(() -> ended(MountResult.of(exit)));
    }

    @Override
    public void notRun(String why) {
        because(why);
        if (killing.isUnderWay()) {
            killing.check();
            return;
        }
        if (state == MountState.REMOUNTING) {
            reloadResult = MountResult.RESOURCES;
        }
        settle(() -> ended(MountResult.RESOURCES));
    }

    private void ended(MountResult how) {
        if (killing.isUnderWay()) {
            return; // it was late meanwhile
        }
        switch (state) {
            case MOUNTING, MOUNTING_DONE -> {
                if (how != MountResult.SUCCESS) {
                    note(how);
                } else if (!isMounted()) {
                    because("mount(8) has succeeded, and nothing is mounted");
                    note(MountResult.PROTOCOL);
                }
                rest();
            }
            case UNMOUNTING -> {
                boolean mountedBelow = how == MountResult.SUCCESS && isMounted();
                if (mountedBelow && unmounts < UNMOUNTS) {
                    unmount();
                    return;
                }
                note(mountedBelow ? MountResult.PROTOCOL : how);
                rest();
            }
            default -> rest();
        }
    }

    /** Enters the state that the table shows, after a command has ended. */
    private void rest() {
        deadline.lift();
        if (!isMounted()) {
            boolean stopped = stopWanted && result != MountResult.TIMEOUT;
            down(stopped ? MountResult.SUCCESS : result); // whatever the commands have said
            return;
        }
        boolean remounted = state.active() == ActiveState.RELOADING;
        boolean stopped =
                state == MountState.UNMOUNTING
                        || (stopWanted && unmounts > 0); // umount(8) was late, and was killed
        JobWaiters started = starts.take();
        JobWaiters reloaded = reloads.take();
        enter(MountState.MOUNTED);
        if (remounted) {
            reloaded.answer(
                    reloadResult == MountResult.SUCCESS ? JobResult.DONE : JobResult.FAILED);
        }
        started.answer(result == MountResult.SUCCESS ? JobResult.DONE : JobResult.FAILED);
        if (stopped) {
            context.error(name(), "is still mounted on " + mount().where() + ": " + result);
            stopWanted = false;
            stops.answer(JobResult.FAILED);
        } else if (stopWanted) {
            unmounts = 0;
            unmount();
        }
    }

    private void note(MountResult why) {
        if (result == MountResult.SUCCESS) {
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

    /** Ends the unit: nothing is mounted. Waiters are taken first, as a next job may begin. */
    private void down(MountResult why) {
        deadline.lift();
        result = why;
        run.close();
        boolean cancelled = stopWanted && why == MountResult.SUCCESS;
        JobWaiters started = starts.take();
        JobWaiters reloaded = reloads.take();
        JobWaiters stopped = stops.take();
        stopWanted = false;
        takeNewer();
        enter(why == MountResult.SUCCESS ? MountState.DEAD : MountState.FAILED);
        if (why != MountResult.SUCCESS) {
            context.error(name(), "failed: " + why);
        }
        started.answer(cancelled ? JobResult.CANCELED : JobResult.FAILED);
        reloaded.answer(JobResult.FAILED);
        stopped.answer(JobResult.DONE);
        context.events().settled(name(), state.active());
    }

    // ---- the end of a command that hangs

    @Override
    public KillSettings kill() {
        return unit.kill();
    }

    @Override
    public TimeSpan limit(Step step) {
        return mount().timeout();
    }

    @Override
    public void enter(Step step) {
        boolean remounts = state.active() == ActiveState.RELOADING;
        enter(
                step == Step.KILL
                        ? remounts ? MountState.REMOUNTING_SIGKILL : MountState.UNMOUNTING_SIGKILL
                        : remounts ? MountState.REMOUNTING_SIGTERM : MountState.UNMOUNTING_SIGTERM);
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
        note(MountResult.TIMEOUT);
        context.warn(name(), text);
    }

    @Override
    public void signalSent() {
        killing.check();
    }

    @Override
    public void signalled() {
        if (state.active() == ActiveState.RELOADING) {
            reloadResult = MountResult.TIMEOUT;
        }
        settle(this::rest);
    }

    // ---- others

    @Override
    public void resetFailed() {
        startLimit.reset();
        if (state == MountState.FAILED) {
            result = MountResult.SUCCESS;
            enter(MountState.DEAD);
        }
    }

    @Override
    public Optional<Duration> mayStartIn() {
        return startLimit.hitFor(System.nanoTime());
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
        return UnitStatus.of(unit, state.active(), state.word(), since, result.toString())
                .withInvocation(run.invocationId())
                .withFailure(failure.or(checking::failure))
                .withCgroup(run.open().flatMap(UnitRun::cgroup).map(cgroup -> cgroup.path().path()))
                .withLog(
                        run.log().last(ManagerLimits.LOG_LINES.intValue()), run.log().onlyWriter());
    }

    @Override
    public Optional<MountStatus> details() {
        return Optional.of(
                new MountStatus(
                        run.open().flatMap(UnitRun::control).flatMap(MountStatus::idOf),
                        mounted().map(Mounted::source).orElse(mount().what()),
                        mounted().map(Mounted::type).or(mount()::type).orElse(""),
                        mounted().map(Mounted::options).orElse(mount().options().toString())));
    }

    // ---- when the manager is killed

    @Override
    public Optional<Fields> record() {
        if (state.isDown() && result == MountResult.SUCCESS && run.open().isEmpty()) {
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
        state = record.word("state", MountState.class);
        times = UnitTimes.parse(record.text("times"));
        result = record.word("result", MountResult.class);
        stopWanted = record.is("stop-wanted");
        run.restore(record);
        return this::resume;
    }

    /** A command that still runs is awaited anew; without one, the table shows what it has done. */
    private void resume() {
        switch (state) {
            case DEAD, FAILED, MOUNTED -> {}
            case MOUNTING -> resume(this::mountUnlessMounted);
            case UNMOUNTING ->
                    resume(() -> {
                        if (isMounted()) {
                            unmount();
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
