package io.holdfast.manager.service;

import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessInfo;
import io.holdfast.manager.exec.PassedDescriptors;
import io.holdfast.manager.exec.SetupException;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.notify.NotifyRouter;
import io.holdfast.manager.notify.NotifySender;
import io.holdfast.manager.process.KillWhom;
import io.holdfast.manager.runtime.JobWaiters;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.ServiceView;
import io.holdfast.manager.runtime.SubState;
import io.holdfast.manager.runtime.UnitStatus;
import io.holdfast.manager.runtime.UnitTimes;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.TimeSpan;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * A service at run time: the state machine of systemd.service(5), each step caused by an event of
 * the loop.
 *
 * <pre>
 *   dead ─▶ condition ─▶ start-pre ─▶ start ─▶ start-post ─▶ running ─▶ stop ─▶ stop-sigterm
 *    ▲                     │            │          │         │  ▲               │
 *    │                     │            │          │         ▼  │               │
 *    │                     │            │          │        reload…             │
 *    │                     └────────────┴──────────┴─────────┴──▶ stop-sigterm ◀┘
 *    │                                                                 │ ▶ stop-sigkill
 *   dead, failed ◀── (clean up) ◀── stop-post ◀───────────────────────────┘
 *    └─▶ auto-restart ─▶ start-pre …
 * </pre>
 *
 * The steps are of {@link ServiceStart}, {@link ServiceReload} and {@link ServiceStop}; this is
 * what jobs ask of them, what becomes of the events of the run, and whether another run follows.
 */
public final class Service
        implements ManagedUnit, ServiceRun.Listener, ServiceLife.Steps, NotifyRouter.Recipient {
    private final ManagerContext context;
    private final ServiceLife life;
    private final ControlCommands commands;
    private final ServiceStart starting;
    private final ServiceReload reloading;
    private final ServiceStop stopping;
    private final Watchdog watchdog;
    private final ServiceMessages messages;
    private final JobWaiters starts = new JobWaiters();
    private final JobWaiters stops = new JobWaiters();
    private final PreservedRun preserved = new PreservedRun();
    private int restarts;
    private boolean startAgain; // somebody asked for a start while it stops

    Service(ManagerContext context, ServiceUnit unit) {
        this.context = context;
        life = new ServiceLife(context, unit);
        commands = new ControlCommands(life);
        starting = new ServiceStart(life, commands, this, this);
        reloading = new ServiceReload(life, commands);
        stopping = new ServiceStop(life, commands, this);
        watchdog = new Watchdog(life, reloading, stopping);
        messages = new ServiceMessages(life, starting, reloading, watchdog);
    }

    private UnitName name() {
        return life.name();
    }

    @Override
    public Unit unit() {
        return life.unit();
    }

    @Override
    public Unit newest() {
        return life.newest();
    }

    @Override
    public ActiveState activeState() {
        return life.state().active();
    }

    @Override
    public boolean goesOn() {
        return activeState().isUp() && !life.is(SubState.AUTO_RESTART);
    }

    public SubState state() {
        return life.state();
    }

    @Override
    public Optional<String> unsupported(Unit next) {
        return next instanceof ServiceUnit service
                ? ServiceStart.unsupported(service, context)
                : Optional.empty();
    }

    @Override
    public void reloaded(Unit reread) {
        if (reread instanceof ServiceUnit service) {
            life.reloaded(service);
        }
    }

    // ---- jobs

    @Override
    public void start(Consumer<JobResult> done) {
        life.wanted(true);
        switch (life.state().active()) {
            case ACTIVE, RELOADING -> done.accept(JobResult.DONE);
            case DEACTIVATING -> {
                starts.add(done);
                startAgain = true;
            }
            case ACTIVATING -> {
                stops.answer(JobResult.CANCELED); // a stop that has not begun to act
                starts.add(done);
                if (life.is(SubState.AUTO_RESTART)) {
                    beginByHand();
                }
            }
            case INACTIVE, FAILED -> {
                starts.add(done);
                beginByHand();
            }
        }
    }

    private void beginByHand() {
        restarts = 0;
        begin(false);
    }

    private void beginByItself() {
        Unit now = life.newest();
        if (now.source().state() != UnitSource.State.LOADED) {
            life.warn("is not started again: it is " + UnitStatus.loadState(now));
            settle(JobResult.FAILED);
        } else {
            begin(true);
        }
    }

    private void begin(boolean byItself) {
        startAgain = false;
        stopping.forRestart(false);
        starting.begin(byItself);
    }

    @Override
    public void announceStop() {
        startAgain = false;
    }

    @Override
    public void stop(boolean restarting, Consumer<JobResult> done) {
        life.wanted(false);
        startAgain = false;
        stopping.forRestart(restarting);
        switch (life.state().active()) {
            case INACTIVE, FAILED -> {
                life.releaseStore(restarting);
                preserved.discard(() -> done.accept(JobResult.DONE));
            }
            case DEACTIVATING -> stops.add(done);
            case ACTIVATING -> {
                stops.add(done);
                if (life.is(SubState.AUTO_RESTART)) {
                    life.disarm();
                    discardUnlessRestarting(() -> comeToRest(SubState.DEAD, JobResult.CANCELED));
                } else if (starting.isPreparing()) { // the answer finds that it is not wanted
                    starting.hurry();
                } else {
                    stop(ServiceResult.SUCCESS);
                }
            }
            case ACTIVE, RELOADING -> {
                stops.add(done);
                stop(ServiceResult.SUCCESS);
            }
        }
    }

    @Override
    public void reload(Consumer<JobResult> done) {
        if (!life.unit().canReload()) {
            life.error("cannot be reloaded: it has no ExecReload=");
            done.accept(JobResult.INVALID);
        } else if (life.isReloading()) {
            reloading.waiters().add(done);
        } else if (life.is(SubState.RUNNING)) {
            reloading.waiters().add(done);
            reloading.begin();
        } else {
            life.error("cannot be reloaded: it is " + life.state().word());
            done.accept(JobResult.INVALID);
        }
    }

    @Override
    public void resetFailed() {
        life.startLimit().reset();
        restarts = 0;
        if (life.is(SubState.FAILED)) {
            life.forgetResult();
            life.enter(SubState.DEAD);
        }
    }

    @Override
    public Optional<Duration> mayStartIn() {
        return life.mayStartIn();
    }

    // ---- from one step to the next

    @Override
    public void up() {
        watchdog.feed();
        starts.answer(JobResult.DONE);
    }

    @Override
    public void stop(ServiceResult why) {
        starting.cancel();
        reloading.cancel(life.isWanted() ? JobResult.FAILED : JobResult.CANCELED);
        stopping.begin(why);
    }

    @Override
    public void cleanUp() {
        boolean another = anotherFollows();
        ServiceRun ended = life.running();
        life.releaseStore(another);
        stopping.cleanUp(
                another,
                () -> {
                    preserved.keep(another ? Optional.of(ended) : Optional.empty());
                    rest(
                            life.result() == ServiceResult.SUCCESS
                                    ? JobResult.DONE
                                    : JobResult.FAILED);
                });
    }

    private boolean anotherFollows() {
        return (startAgain && life.isWanted()) || restartsByItself() || stopping.isForRestart();
    }

    private boolean restartsByItself() {
        return life.isWanted()
                && RestartDecision.restarts(
                        life.unit().service().restart(), life.result(), life.mainExit(), false);
    }

    @Override
    public void rest(JobResult start) {
        life.disarm();
        if (startAgain && life.isWanted()) {
            life.enter(SubState.DEAD);
            stops.answer(JobResult.DONE);
            begin(false);
        } else if (restartsByItself()) {
            TimeSpan delay = RestartDecision.delay(life.unit().service().restart(), restarts);
            restarts++;
            life.enter(SubState.AUTO_RESTART);
            starts.answer(started(start));
            stops.answer(JobResult.DONE);
            delay.duration().ifPresent(pause -> life.deadline.set(pause, this::beginByItself));
        } else {
            settle(start);
        }
    }

    @Override
    public void settle(JobResult start) {
        life.disarm();
        discardUnlessRestarting(() -> {
            ServiceResult result = life.result();
            boolean failed =
                    result != ServiceResult.SUCCESS && result != ServiceResult.EXEC_CONDITION;
            comeToRest(failed ? SubState.FAILED : SubState.DEAD, start);
        });
    }

    private void comeToRest(SubState end, JobResult start) {
        if (end == SubState.FAILED) {
            life.error("failed: " + life.result());
        } else {
            life.info("stopped");
        }
        life.enter(end);
        life.releaseStore(stopping.isForRestart());
        life.takeNewer();
        starts.answer(started(start));
        stops.answer(JobResult.DONE); // a restart starts it again
        context.events().settled(name(), end.active());
    }

    /** Removes what was preserved for a next run, unless that is to follow. */
    private void discardUnlessRestarting(Runnable then) {
        if (preserved.isEmpty() || stopping.isForRestart()) {
            then.run();
            return;
        }
        life.enter(SubState.FINAL_SIGKILL);
        preserved.discard(() -> {
            if (startAgain && life.isWanted()) { // asked for meanwhile
                rest(JobResult.DONE);
            } else {
                then.run();
            }
        });
    }

    /** How a start that is under way has ended by this. */
    private JobResult started(JobResult start) {
        if (!life.isWanted()) {
            return JobResult.CANCELED;
        }
        return switch (life.result()) {
            case TIMEOUT -> JobResult.TIMEOUT;
            case EXEC_CONDITION -> JobResult.DONE;
            default -> start;
        };
    }

    // ---- events of the run

    @Override
    public void spawned(ExecCommand command, boolean asMain) {
        if (asMain) {
            life.mainStarted();
        } else {
            life.changed();
        }
        reloading.spawned();
        if (!stopping.spawned() && asMain && life.is(SubState.START)) {
            starting.mainSpawned();
        }
    }

    @Override
    public void spawnFailed(ExecCommand command, boolean asMain, Exception failure) {
        Optional<Exit> exit = SetupException.exitOf(failure);
        life.notRun(command, exit, failure);
        if (stopping.isSignalled()) {
            stopping.maybeGone();
        } else if (asMain) {
            starting.mainNotSpawned(command, exit);
        } else {
            commands.notExecuted(exit);
        }
    }

    @Override
    public void controlExited(Exit exit) {
        if (stopping.isSignalled()) {
            stopping.maybeGone();
        } else {
            commands.exited(exit);
        }
    }

    @Override
    public void mainExited(Exit exit) {
        life.mainExit(exit);
        ServiceResult how = starting.resultOf(exit);
        switch (life.state()) {
            case START -> starting.mainExited(exit, how);
            case START_POST -> { // those commands come to their end first
                starting.tellExit(exit, how);
                life.note(how);
            }
            case RUNNING, RELOAD, RELOAD_SIGNAL, RELOAD_NOTIFY -> {
                starting.tellExit(exit, how);
                if (how == ServiceResult.SUCCESS && life.unit().service().remainAfterExit()) {
                    life.disarm();
                    reloading.cancel(JobResult.FAILED);
                    commands.cancel();
                    life.enter(SubState.EXITED);
                } else {
                    stop(how);
                }
            }
            case STOP -> life.note(how);
            default -> {
                if (stopping.isSignalled()) {
                    life.note(how);
                    stopping.maybeGone();
                }
            }
        }
    }

    @Override
    public void emptied() {
        if (life.is(SubState.RUNNING) || life.isReloading()) {
            life.info("all its processes have ended");
            stop(ServiceResult.SUCCESS);
        } else {
            stopping.emptied();
        }
    }

    @Override
    public void signalled() {
        if (stopping.isSignalled()) {
            stopping.maybeGone();
        }
    }

    @Override
    public PassedDescriptors stored() {
        return life.store().passed();
    }

    // ---- its processes

    @Override
    public void take(NotifySender sender, byte[] datagram, List<Fd> descriptors) {
        messages.take(sender, datagram, descriptors);
    }

    @Override
    public boolean knows(PidFd process) {
        return life.run().map(run -> run.isMain(process) || run.isControl(process)).orElse(false);
    }

    /** Whether a process of this service may be meant by it. */
    boolean owns(PidFd process, ProcessInfo info) {
        return life.run().map(run -> run.contains(process, info)).orElse(false);
    }

    /** Whether the running process of this service, or a command beside it, started the process. */
    boolean hasStarted(PidFd process) {
        return life.run().map(run -> run.hasStarted(process)).orElse(false);
    }

    @Override
    public boolean isSpawning() {
        return life.run().map(ServiceRun::isSpawning).orElse(false);
    }

    /** Whether its run holds a process itself. */
    boolean holds(PidFd process) {
        return life.run().map(run -> run.holds(process)).orElse(false);
    }

    /** Takes an orphan over if it is of the present run; else it stays the giver's. */
    boolean adopt(PidFd orphan, Optional<String> invocation) {
        return life.run().map(run -> run.adopt(orphan, invocation)).orElse(false);
    }

    /** Signals its processes because somebody asked for it. */
    public boolean kill(Signal signal, boolean all) {
        life.run().ifPresent(run -> run.signal(signal, all, false));
        return life.run().isPresent();
    }

    /**
     * The same of some of them.
     *
     * @return whether there were such
     */
    public boolean kill(Signal signal, KillWhom whom, OptionalInt value) {
        return life.run().map(run -> run.signal(signal, whom, value)).orElse(false);
    }

    /** When nobody runs the loop any more: kills what runs, and lets go of it. */
    public void abandon() {
        life.disarm();
        life.run()
                .ifPresent(left -> {
                    starting.cancel();
                    life.run(null);
                    left.abandon();
                });
        life.store().close();
        preserved.discard(() -> {});
    }

    @Override
    public UnitTimes times() {
        return life.times();
    }

    @Override
    public Optional<ServiceView> service() {
        return Optional.of(life.view());
    }

    @Override
    public UnitStatus status() {
        return life.status(restarts);
    }
}
