package io.holdfast.manager.service;

import io.holdfast.core.Fd;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.notify.NotifyRouter;
import io.holdfast.manager.notify.NotifySender;
import io.holdfast.manager.process.KillWhom;
import io.holdfast.manager.resource.ResourceUsage;
import io.holdfast.manager.run.ControlCommands;
import io.holdfast.manager.run.PreservedRun;
import io.holdfast.manager.run.UnitRun;
import io.holdfast.manager.runtime.JobWaiters;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.RunPhase;
import io.holdfast.manager.runtime.TransientResources;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.ServiceSection.RestartMode;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.value.TimeSpan;
import io.holdfast.manager.view.ServiceView;
import io.holdfast.manager.view.UnitChecks;
import io.holdfast.manager.view.UnitStatus;
import io.holdfast.manager.view.UnitTimes;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * A service at run time: the state machine of systemd.service(5), driven by events of the loop.
 *
 * <pre>
 *   start       dead ─▶ dead-checking ─▶ condition ─▶ start-pre ─▶ start ─▶ start-post ─▶ running
 *               failed ─▶ failed-checking ─▶ condition
 *   reload      running ─▶ reload ─▶ reload-signal ─▶ reload-notify ─▶ running
 *   exit        running ─▶ exited ─▶ stop
 *   stop        running ─▶ stop ─▶ stop-sigterm ─▶ stop-sigkill ─▶ stop-post
 *               stop-post ─▶ final-sigterm ─▶ final-sigkill ─▶ cleaning
 *   failure     condition, start-pre, start, start-post, running ─▶ stop-sigterm ─▶ cleaning
 *   watchdog    running ─▶ stop-watchdog ─▶ stop-sigkill
 *   end         cleaning ─▶ dead, dead-resources-pinned, failed
 *   restart     cleaning ─▶ dead-before-auto-restart, failed-before-auto-restart ─▶ auto-restart
 *               auto-restart ─▶ auto-restart-queued ─▶ condition
 * </pre>
 *
 * <p>The lines show the usual transitions; {@link ServiceState#TABLE} has all of them. The steps
 * are in {@link ServiceStart}, {@link ServiceReload} and {@link ServiceStop}; {@link RunEvents}
 * handles the exits of processes. This class carries out the jobs, and decides whether an automatic
 * restart follows.
 */
public final class ManagedService
        implements ManagedUnit, ServiceLife.Steps, NotifyRouter.Recipient {
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

    public ManagedService(ManagerContext context, Unit unit) {
        this.context = context;
        life = new ServiceLife(context, (ServiceUnit) unit);
        commands =
                new ControlCommands(
                        life::running, exit -> life.resultOfCommand(exit) == ServiceResult.SUCCESS);
        reloading = new ServiceReload(life, commands);
        stopping = new ServiceStop(life, commands, this);
        starting = new ServiceStart(life, commands, this, reloading, stopping);
        watchdog = new Watchdog(life, reloading, stopping);
        messages = new ServiceMessages(life, starting, reloading, stopping, watchdog);
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
    public boolean keepsRunningOnStart() {
        return activeState().isUp() && !life.is(ServiceState.AUTO_RESTART);
    }

    @Override
    public RunPhase phase() {
        return life.state().phase();
    }

    @Override
    public Optional<String> unsupported(Unit next) {
        return next instanceof ServiceUnit service
                ? StartRefusal.unsupported(service, context)
                : Optional.empty();
    }

    @Override
    public void reloaded(Unit reread) {
        if (reread instanceof ServiceUnit service) {
            life.reloaded(service);
            starting.reloaded();
        }
    }

    @Override
    public void take(TransientResources resources) {
        life.given().take(resources.passed());
    }

    // ---- jobs

    @Override
    public boolean isReadyFor(JobType type) {
        boolean passing =
                life.is(ServiceState.DEAD_BEFORE_AUTO_RESTART)
                        || life.is(ServiceState.FAILED_BEFORE_AUTO_RESTART);
        return ManagedUnit.super.isReadyFor(type) && !(type == JobType.START && passing);
    }

    @Override
    public void start(Consumer<JobResult> done) {
        life.setWanted(true);
        switch (life.state()) {
            case RUNNING, EXITED, RELOAD, RELOAD_SIGNAL, RELOAD_NOTIFY ->
                    done.accept(JobResult.DONE);
            case DEAD, DEAD_RESOURCES_PINNED, FAILED -> {
                starts.add(done);
                restarts = 0;
                starting.begin(false);
            }
            case DEAD_CHECKING, FAILED_CHECKING, CONDITION, START_PRE, START, START_POST -> {
                stops.answer(JobResult.CANCELED); // cancels a stop that has not begun to act
                starts.add(done);
            }
            case AUTO_RESTART -> {
                starts.add(done);
                queueRestart();
            }
            case AUTO_RESTART_QUEUED -> {
                starts.add(done);
                starting.begin(true);
            }
            default ->
                    throw new IllegalStateException(
                            name() + " is started in state " + life.state());
        }
    }

    @Override
    public void withdrawStart() {
        context.loop()
                .postEnding(() -> {
                    if (follows()) {
                        return;
                    }
                    if (life.is(ServiceState.AUTO_RESTART_QUEUED)) {
                        settle(JobResult.CANCELED);
                    } else if (life.state().isDown()) {
                        life.releaseStore(false);
                        preserved.discard(() -> {});
                    }
                });
    }

    @Override
    public void stop(Consumer<JobResult> done) {
        life.setWanted(false);
        switch (life.state()) {
            case DEAD, DEAD_RESOURCES_PINNED, FAILED -> {
                if (follows()) {
                    done.accept(JobResult.DONE);
                } else {
                    life.releaseStore(false);
                    preserved.discard(() -> done.accept(JobResult.DONE));
                }
            }
            case AUTO_RESTART, AUTO_RESTART_QUEUED -> {
                stops.add(done);
                life.disarm();
                discardUnlessFollowed(() -> end(life.deadState(), JobResult.CANCELED));
            }
            case RUNNING, EXITED -> {
                stops.add(done);
                stop(ServiceResult.SUCCESS);
            }
            case DEAD_CHECKING,
                    FAILED_CHECKING,
                    CONDITION,
                    START_PRE,
                    START,
                    START_POST,
                    RELOAD,
                    RELOAD_SIGNAL,
                    RELOAD_NOTIFY -> {
                stops.add(done);
                if (starting.isPreparing()) { // checked when the preparation is over
                    starting.hurry();
                } else {
                    kill(ServiceResult.SUCCESS);
                }
            }
            default -> stops.add(done); // it is being stopped already
        }
    }

    @Override
    public void reload(Consumer<JobResult> done) {
        if (!life.unit().canReload()) {
            life.error("cannot be reloaded: it has no ExecReload=");
            done.accept(JobResult.INVALID);
        } else if (life.isReloading()) {
            reloading.waiters().add(done);
        } else if (life.is(ServiceState.RUNNING)) {
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
        if (activeState() == ActiveState.FAILED) {
            life.forgetResult();
            life.enter(life.state().isChecking() ? ServiceState.DEAD_CHECKING : life.deadState());
        }
    }

    @Override
    public void releaseDescriptors() {
        life.store().close();
        if (life.is(ServiceState.DEAD_RESOURCES_PINNED)) {
            life.enter(ServiceState.DEAD);
        }
    }

    @Override
    public Optional<Duration> mayStartIn() {
        return life.startLimit().hitFor(System.nanoTime());
    }

    // ---- from one step to the next

    @Override
    public void up() {
        watchdog.feed();
        starts.answer(JobResult.DONE);
    }

    @Override
    public void stop(ServiceResult why) {
        stopBegins();
        stopping.begin(why);
    }

    @Override
    public void kill(ServiceResult why) {
        stopBegins();
        stopping.signal(why);
    }

    private void stopBegins() {
        starting.cancel();
        reloading.cancel(life.isWanted() ? JobResult.FAILED : JobResult.CANCELED);
    }

    @Override
    public void cleanUp() {
        boolean another = restartsAutomatically() || follows();
        UnitRun ended = life.running();
        life.releaseStore(another);
        stopping.cleanUp(
                another,
                () -> {
                    preserved.keep(another ? Optional.of(ended) : Optional.empty());
                    becomeInactive(
                            life.result() == ServiceResult.SUCCESS
                                    ? JobResult.DONE
                                    : JobResult.FAILED);
                });
    }

    /** Returns whether a queued job starts the service after this run. */
    private boolean follows() {
        return context.events()
                .jobOf(name())
                .filter(job ->
                        job.type() == JobType.RESTART
                                || (job.type() == JobType.START && !job.isRunning()))
                .isPresent();
    }

    private boolean restartsAutomatically() {
        return life.isWanted()
                && RestartDecision.restarts(
                        life.unit().service().restart(), life.result(), life.mainExit());
    }

    @Override
    public void notStarted(String why) {
        life.forgetFailure();
        life.because(why);
    }

    @Override
    public boolean restartsDirectly() {
        return life.unit().service().restart().mode() == RestartMode.DIRECT
                && restartsAutomatically();
    }

    @Override
    public void becomeInactive(JobResult start) {
        life.disarm();
        if (restartsAutomatically()) {
            awaitRestart(start);
        } else {
            settle(start);
        }
    }

    // ---- the automatic restart

    /** Ends the job of the failed start now, unless RestartMode=direct hides the failure. */
    private void awaitRestart(JobResult start) {
        if (life.unit().service().restart().mode() != RestartMode.DIRECT) {
            JobWaiters started = starts.take();
            JobWaiters stopped = stops.take();
            life.enter(
                    life.hasFailed()
                            ? ServiceState.FAILED_BEFORE_AUTO_RESTART
                            : ServiceState.DEAD_BEFORE_AUTO_RESTART);
            started.answer(started(start));
            stopped.answer(JobResult.DONE);
        }
        RestartDecision.delay(life.unit().service().restart(), restarts)
                .duration()
                .ifPresent(pause -> life.deadline.set(pause, this::restart));
        life.enter(ServiceState.AUTO_RESTART);
    }

    /**
     * Returns the delay before the next automatic restart, as systemd reports it: while a restart
     * is pending, its delay; otherwise the delay before the last restart, which is already counted.
     */
    private TimeSpan nextPause() {
        boolean waits =
                switch (life.state()) {
                    case DEAD_BEFORE_AUTO_RESTART, FAILED_BEFORE_AUTO_RESTART, AUTO_RESTART -> true;
                    default -> false;
                };
        return RestartDecision.delay(
                life.unit().service().restart(), waits ? restarts : restarts - 1);
    }

    /** Restarts the service when the delay is over. */
    private void restart() {
        Unit now = life.newest();
        if (now.source().state() != UnitSource.State.LOADED) {
            life.warn("is not started again: it is " + UnitStatus.loadState(now));
            settle(JobResult.FAILED);
            return;
        }
        queueRestart();
    }

    /** Queues the job that starts the service again, and restarts the units that depend on it. */
    private void queueRestart() {
        restarts++;
        context.counters().restarted();
        life.disarm();
        life.enter(ServiceState.AUTO_RESTART_QUEUED);
        boolean alone = life.unit().service().restart().mode() == RestartMode.DIRECT;
        Optional<String> refusal = context.events().restart(name(), alone);
        if (refusal.isPresent()) {
            life.fail("cannot be restarted: " + refusal.get());
            life.note(ServiceResult.RESOURCES);
            settle(JobResult.FAILED);
        }
    }

    // ---- the end

    @Override
    public void settle(JobResult start) {
        life.disarm();
        discardUnlessFollowed(
                () -> end(life.hasFailed() ? ServiceState.FAILED : life.deadState(), start));
    }

    @Override
    public void skip(JobResult start) {
        boolean failed = life.is(ServiceState.FAILED_CHECKING);
        preserved.discard(() -> {});
        JobWaiters started = starts.take();
        JobWaiters stopped = stops.take();
        life.files().takeNewer();
        life.enter(failed ? ServiceState.FAILED : life.deadState());
        started.answer(start);
        stopped.answer(JobResult.DONE);
        context.events().settled(name(), activeState());
    }

    /** Waiters are taken first: the job of a next start may begin as soon as this state is left. */
    private void end(ServiceState end, JobResult start) {
        JobResult how = started(start);
        JobWaiters started = starts.take();
        JobWaiters stopped = stops.take();
        if (end == ServiceState.FAILED) {
            if (!life.is(end) && !life.is(ServiceState.FAILED_CHECKING)) {
                life.error("failed: " + life.result());
            }
        } else {
            life.info("stopped");
        }
        life.releaseStore(follows());
        life.files().takeNewer();
        life.enter(end);
        started.answer(how);
        stopped.answer(JobResult.DONE); // also completes the stop of a restart
        context.events().settled(name(), end.active());
    }

    /** Removes what was preserved for a next run, unless a next run follows. */
    private void discardUnlessFollowed(Runnable then) {
        if (preserved.isEmpty() || follows()) {
            then.run();
        } else {
            life.enter(ServiceState.CLEANING);
            preserved.discard(then);
        }
    }

    /** Returns the result of a start that was under way. */
    private JobResult started(JobResult start) {
        if (!life.isWanted()) {
            return JobResult.CANCELED;
        }
        return life.result() == ServiceResult.EXEC_CONDITION ? JobResult.DONE : start;
    }

    @Override
    public Map<String, String> monitorVariables() {
        Map<String, String> variables =
                ExitVariables.of("MONITOR_", life.result(), life.mainExit());
        variables.put("MONITOR_UNIT", name().text());
        if (!life.invocationId().isEmpty()) {
            variables.put("MONITOR_INVOCATION_ID", life.invocationId());
        }
        return variables;
    }

    // ---- when the manager is killed

    @Override
    public Optional<Fields> record() {
        if (life.invocationId().isEmpty()
                && activeState() == ActiveState.INACTIVE
                && life.given().isEmpty()) {
            return Optional.empty();
        }
        Fields fields = new Fields();
        life.record(fields);
        fields.put("restarts", restarts).put("commands-left", commands.left());
        starting.record(fields);
        reloading.record(fields);
        life.unfinished().ifPresent(run -> run.record(fields));
        return Optional.of(fields);
    }

    @Override
    public Runnable restore(Fields fields) {
        ServiceState was = fields.word("state", ServiceState.class);
        boolean hasRun = fields.is("run");
        ServiceState at = was.afterCrash(hasRun);
        life.restore(fields, at);
        life.store().restore();
        life.given().restore();
        restarts = Math.toIntExact(fields.number("restarts"));
        if (hasRun) {
            life.run(starting.restoredRun(fields));
        }
        return () -> resume(fields);
    }

    private void resume(Fields fields) {
        switch (life.state()) {
            case AUTO_RESTART -> life.deadline.restore(fields.number("deadline"), this::restart);
            case AUTO_RESTART_QUEUED -> {
                if (!follows()) {
                    restart();
                }
            }
            case CONDITION, START_PRE, START, START_POST -> starting.resume(fields);
            case RUNNING -> {
                starting.resume(fields);
                watchdog.feed(); // it was not recorded when it was fed last
            }
            case RELOAD, RELOAD_SIGNAL, RELOAD_NOTIFY -> {
                starting.resume(fields);
                watchdog.feed(); // it was not recorded when it was fed last
                reloading.resume(fields);
            }
            case STOP,
                    STOP_WATCHDOG,
                    STOP_SIGTERM,
                    STOP_SIGKILL,
                    STOP_POST,
                    FINAL_SIGTERM,
                    FINAL_SIGKILL ->
                    stopping.resume(fields);
            case CLEANING -> {
                if (life.run().isPresent()) {
                    cleanUp();
                } else {
                    becomeInactive(JobResult.DONE);
                }
            }
            default -> {}
        }
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

    @Override
    public boolean isSpawning() {
        return life.run().map(UnitRun::isSpawning).orElse(false);
    }

    @Override
    public Optional<NotifyRouter.Recipient> recipient() {
        return Optional.of(this);
    }

    @Override
    public boolean adopt(PidFd orphan, String invocation) {
        return life.run()
                .filter(run -> run.workload().invocationId().equals(invocation))
                .map(run -> run.adopt(orphan))
                .orElse(false);
    }

    @Override
    public boolean kill(Signal signal, KillWhom whom, OptionalInt value) {
        return life.run()
                .map(run -> run.signal(signal, whom, value))
                .orElseGet(() -> whom == KillWhom.ALL && life.remaining().signal(signal));
    }

    @Override
    public void abandon() {
        life.disarm();
        life.run()
                .ifPresent(left -> {
                    starting.cancel();
                    life.run(null);
                    left.abandon();
                });
        life.store().close();
        life.given().close();
        life.remaining().close();
        preserved.discard(() -> {});
    }

    @Override
    public boolean isKept() {
        return life.state().isChecking() || !life.remaining().isEmpty();
    }

    @Override
    public void unloaded() {
        life.unloaded();
    }

    @Override
    public UnitChecks checks() {
        return life.checks();
    }

    @Override
    public UnitTimes times() {
        return life.times();
    }

    @Override
    public Optional<ServiceView> details() {
        return Optional.of(life.view(nextPause()));
    }

    @Override
    public Optional<Cgroup> cgroup() {
        return life.run().flatMap(UnitRun::cgroup);
    }

    @Override
    public ResourceUsage usage() {
        return life.usage();
    }

    @Override
    public UnitStatus status() {
        return life.status(restarts);
    }
}
