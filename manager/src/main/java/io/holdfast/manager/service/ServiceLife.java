package io.holdfast.manager.service;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.limit.Throttle;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.exec.SetupException;
import io.holdfast.manager.exec.UserAndGroups;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.log.Complaints;
import io.holdfast.manager.log.UnitLog;
import io.holdfast.manager.loop.DualTimestamp;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.loop.TimeLimit;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.process.ExitText;
import io.holdfast.manager.resource.ResourceUsage;
import io.holdfast.manager.run.RemainingProcesses;
import io.holdfast.manager.run.RunOwner;
import io.holdfast.manager.run.UnitRun;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.StartLimit;
import io.holdfast.manager.runtime.UnitDefinition;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.ServiceSection.NotifyAccess;
import io.holdfast.manager.unit.section.ServiceSection.Store;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.TimeSpan;
import io.holdfast.manager.unit.value.WorkingDirectory;
import io.holdfast.manager.view.ReportedErrors;
import io.holdfast.manager.view.ServiceView;
import io.holdfast.manager.view.UnitChecks;
import io.holdfast.manager.view.UnitStatus;
import io.holdfast.manager.view.UnitTimes;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The state that the steps of a service share: its definition, its state, its run, and how it
 * ended. Used on the event loop.
 */
final class ServiceLife implements RunOwner {
    /** The transitions by which one step hands over to others. */
    interface Steps {
        /** Completes a start: the service is up. */
        void up();

        /** Stops it for this reason, beginning with its stop commands. */
        void stop(ServiceResult why);

        /** Stops it for this reason, without its stop commands. */
        void kill(ServiceResult why);

        /**
         * Ends a start that did not begin; the service keeps its former state.
         *
         * @param start the result of the start
         */
        void skip(JobResult start);

        /** Removes what was made for the run, after its processes have exited. */
        void cleanUp();

        /**
         * Ends a run that has no processes left; an automatic restart may follow.
         *
         * @param start the result of a start that was under way
         */
        void becomeInactive(JobResult start);

        /** Ends a run like {@link #becomeInactive}, without an automatic restart. */
        void settle(JobResult start);
    }

    /** The number of remembered warnings: some contain names that the service's user chooses. */
    private static final int WARNED = 64;

    private static final Exit NOT_ENTERED = new Exit.Exited(SetupException.Step.CHDIR.status());

    private final ManagerContext context;
    private final Lane lane;
    private @Nullable Lane stopLane;

    /** The time limit of the present step, or of the whole run. */
    final TimeLimit deadline;

    final TimeLimit watchdog;
    private final FdStore store;
    private final GivenDescriptors given;
    private final RemainingProcesses remaining = new RemainingProcesses(this);
    private Set<String> warned = Set.of();
    private @Nullable Throttle complaints;
    private final UnitDefinition<ServiceUnit> files;
    private ServiceState state = ServiceState.DEAD;
    private Instant since = Instant.EPOCH;
    private ServiceResult result = ServiceResult.SUCCESS;
    private ServiceResult reloadResult = ServiceResult.SUCCESS;
    private @Nullable UnitRun run;
    private @Nullable UnitRun cleaned; // the run being cleaned up
    private @Nullable Exit mainExit;
    private Optional<String> failure = Optional.empty();
    private String invocationId = "";
    private String statusText = "";
    private ReportedErrors reported = ReportedErrors.NONE;

    /** The watchdog timeout of this run or the last one; its files may have another one now. */
    private TimeSpan watchdogTime = TimeSpan.ZERO;

    private Optional<NotifyAccess> ownAccess = Optional.empty();

    private UnitTimes times = UnitTimes.NEVER;
    private DualTimestamp mainStart = DualTimestamp.NEVER;
    private DualTimestamp mainExited = DualTimestamp.NEVER;
    private Optional<ProcessId> lastMain = Optional.empty();
    private UnitChecks checks = UnitChecks.NEVER;
    private ResourceUsage lastUsage = ResourceUsage.UNKNOWN;
    private boolean wanted;

    ServiceLife(ManagerContext context, ServiceUnit unit) {
        this.context = context;
        this.files = new UnitDefinition<>(unit);
        context.logs().loaded(unit.name());
        this.lane = context.workers().ownLane(unit.name().text());
        this.deadline = new TimeLimit(context.loop());
        this.watchdog = new TimeLimit(context.loop());
        this.store =
                new FdStore(
                        context.loop(),
                        context.survival(),
                        unit.name(),
                        this::close,
                        this::complaints);
        this.given = new GivenDescriptors(context.survival(), unit.name(), this::close);
    }

    @Override
    public ManagerContext context() {
        return context;
    }

    @Override
    public UnitLog log() {
        return context.logs().open(name());
    }

    @Override
    public Lane lane() {
        return lane;
    }

    @Override
    public Lane stopLane() {
        Lane made = stopLane;
        if (made == null) {
            made = context.workers().ownLane(name().text());
            stopLane = made;
        }
        return made;
    }

    // ---- its files

    ServiceUnit unit() {
        return files.unit();
    }

    ServiceUnit newest() {
        return files.newest();
    }

    @Override
    public UnitName name() {
        return unit().name();
    }

    /** Takes a new definition. Its limits take effect at once, the rest with the next start. */
    void reloaded(ServiceUnit reread) {
        files.reloaded(reread);
        if (state.isDown()) {
            files.takeNewer();
        } else if (reread.source().state() == UnitSource.State.LOADED) {
            run().ifPresent(running -> running.resources().change(reread.cgroup()));
        }
    }

    UnitDefinition<ServiceUnit> files() {
        return files;
    }

    StartLimit startLimit() {
        return files.startLimit();
    }

    // ---- its state

    ServiceState state() {
        return state;
    }

    boolean is(ServiceState one) {
        return state == one;
    }

    boolean isReloading() {
        return state.active() == ActiveState.RELOADING;
    }

    void enter(ServiceState next) {
        if (state != next) {
            ServiceState.TABLE.check(state, next, this::error);
            context.debug(name(), "state " + state.word() + " → " + next.word());
            times = times.withTransition(state.active(), next.active());
            state = next;
            since = Instant.now();
            remaining.resume();
            changed();
        }
    }

    @Override
    public boolean isBeingPrepared() {
        return state == ServiceState.CONDITION && run == null;
    }

    UnitTimes times() {
        return times;
    }

    @Override
    public void changed() {
        context.events().changed(name());
    }

    /** Clears all time limits. */
    void disarm() {
        deadline.lift();
        watchdog.lift();
    }

    /** Returns how long a stop waits for a worker that only has to return. */
    Duration stopTimeout() {
        return unit().service()
                .timeouts()
                .stop()
                .duration()
                .filter(stop -> stop.compareTo(ManagerLimits.KILL_TIMEOUT.duration()) < 0)
                .orElse(ManagerLimits.KILL_TIMEOUT.duration());
    }

    /** Returns whether no stop was requested since the last start. */
    boolean isWanted() {
        return wanted;
    }

    void setWanted(boolean now) {
        wanted = now;
    }

    // ---- its run

    /** Begins a new run, of which nothing is known yet. */
    void begin() {
        disarm();
        result = ServiceResult.SUCCESS;
        mainExit = null;
        failure = Optional.empty();
        mainStart = DualTimestamp.NEVER;
        mainExited = DualTimestamp.NEVER;
        lastMain = Optional.empty();
        statusText = "";
        reported = ReportedErrors.NONE;
        watchdogTime = unit().service().timeouts().watchdog();
        ownAccess = Optional.empty();
        lastUsage = ResourceUsage.UNKNOWN;
        reloadResult = ServiceResult.SUCCESS;
    }

    Optional<UnitRun> run() {
        return Optional.ofNullable(run);
    }

    /** Returns the run, which must exist in the present state. */
    UnitRun running() {
        UnitRun now = run;
        if (now == null) {
            throw new IllegalStateException(name() + " has no run in state " + state);
        }
        return now;
    }

    /** Returns its run, or the run being cleaned up: the next manager must know of it. */
    Optional<UnitRun> unfinished() {
        return Optional.ofNullable(run == null ? cleaned : run);
    }

    /** Records that the clean-up of a run begins, or, with null, that it has ended. */
    void cleaned(@Nullable UnitRun now) {
        cleaned = now;
    }

    void run(@Nullable UnitRun now) {
        run = now;
        if (now != null) {
            now.keep();
            logIsOf(now);
            remaining.runBegins(now.workload());
            context.processes()
                    .enter(
                            now.workload(),
                            now.cgroup().isPresent()
                                    ? OptionalLong.of(now.cgroup().get().id())
                                    : OptionalLong.empty());
        }
        changed();
    }

    /**
     * Attributes new log lines to this run. The uid of a dynamic user is left out: another service
     * may get it later.
     */
    void logIsOf(UnitRun writer) {
        OptionalLong user =
                unit().exec().dynamicUser()
                        ? OptionalLong.empty()
                        : number(writer.identity().map(UserAndGroups::uid));
        log().writer(user);
    }

    /** Notes what a run has used that has ended. */
    void used(ResourceUsage total) {
        lastUsage = total;
    }

    /** Returns what it uses now, or has used in its last run. */
    ResourceUsage usage() {
        return run().map(UnitRun::usage).orElse(lastUsage);
    }

    /** Records that it has a new main process. */
    void mainStarted() {
        lastMain = run().flatMap(UnitRun::main).flatMap(ServiceLife::idOf);
        mainStart = DualTimestamp.now();
        mainExited = DualTimestamp.NEVER;
        changed();
    }

    /**
     * Returns what is known beyond its status.
     *
     * @param nextPause the delay before its next automatic restart
     */
    ServiceView view(TimeSpan nextPause) {
        return new ServiceView(
                run().flatMap(UnitRun::control).flatMap(ServiceLife::idOf),
                lastMain,
                mainStart,
                mainExited,
                number(run().flatMap(UnitRun::identity).map(UserAndGroups::uid)),
                number(run().flatMap(UnitRun::identity).map(UserAndGroups::gid)),
                reloadResult.toString(),
                nextPause,
                watchdogTime(),
                notifyAccess(),
                given.names(),
                reported);
    }

    private static OptionalLong number(Optional<OptionalLong> value) {
        return value.orElse(OptionalLong.empty());
    }

    String invocationId() {
        return invocationId;
    }

    void invocationId(String id) {
        invocationId = id;
        changed();
    }

    void statusText(String text) {
        statusText = text;
        changed();
    }

    /** Returns which processes may send notify messages: the service may have changed it. */
    NotifyAccess notifyAccess() {
        return run().flatMap(_ -> ownAccess).orElse(unit().service().notifyAccess());
    }

    void notifyAccess(NotifyAccess own) {
        ownAccess = Optional.of(own);
        changed();
    }

    ReportedErrors reported() {
        return reported;
    }

    void reported(ReportedErrors now) {
        reported = now;
        changed();
    }

    /** Returns the watchdog timeout in effect. */
    TimeSpan watchdogTime() {
        return watchdogTime;
    }

    /** Sets the watchdog timeout for the rest of this run. */
    void watchdogTime(TimeSpan own) {
        watchdogTime = own;
        changed();
    }

    /** Records the results of its conditions and assertions. */
    void checked(UnitChecks now) {
        checks = now;
        changed();
    }

    UnitChecks checks() {
        return checks;
    }

    /** Returns the processes that earlier runs have left in its cgroup. */
    RemainingProcesses remaining() {
        return remaining;
    }

    /** Closes a descriptor of other processes, which may block for long. */
    private void close(Fd fd) {
        context.closer().close(name().text(), fd);
    }

    /** Returns its descriptor store. */
    FdStore store() {
        return store;
    }

    /** Returns the descriptors that its maker has passed to it. */
    GivenDescriptors given() {
        return given;
    }

    /** Releases everything, because the unit is unloaded. */
    void unloaded() {
        disarm();
        store.close();
        given.close();
        remaining.close();
        context.logs().release(name());
    }

    /**
     * Closes the descriptor store as configured, and unless another run follows the descriptors
     * that the maker has passed. Called when a run has ended, or its next run will not come.
     *
     * @param another whether another run follows
     */
    void releaseStore(boolean another) {
        boolean kept =
                switch (unit().service().store().preserve()) {
                    case NO -> false;
                    case RESTART -> another;
                    case YES -> true;
                };
        if (!kept) {
            store.close();
        }
        if (!another) {
            given.close();
        }
    }

    // ---- how it ended

    ServiceResult result() {
        return result;
    }

    /** Keeps the first failure as the result. */
    void note(ServiceResult how) {
        if (result == ServiceResult.SUCCESS) {
            result = how;
            changed();
        }
    }

    /** Returns whether its run is over and has failed. */
    boolean hasFailed() {
        return result != ServiceResult.SUCCESS && result != ServiceResult.EXEC_CONDITION;
    }

    /** Returns the state in which it is inactive. */
    ServiceState deadState() {
        boolean pinned =
                store.size() > 0 && unit().service().store().preserve() == Store.Preserve.YES;
        return pinned ? ServiceState.DEAD_RESOURCES_PINNED : ServiceState.DEAD;
    }

    /** Records how its last reload ended. */
    void reloadResult(ServiceResult how) {
        reloadResult = how;
        changed();
    }

    void forgetResult() {
        result = ServiceResult.SUCCESS;
        reloadResult = ServiceResult.SUCCESS;
        failure = Optional.empty();
        changed();
    }

    Optional<Exit> mainExit() {
        return Optional.ofNullable(mainExit);
    }

    void mainExit(Exit exit) {
        mainExit = exit;
        mainExited = DualTimestamp.now();
        changed();
    }

    // ---- its log

    void info(String text) {
        context.info(name(), text);
    }

    void notice(String text) {
        context.notice(name(), text);
    }

    @Override
    public void warn(String text) {
        context.warn(name(), text);
    }

    /** {@inheritDoc} Old warnings are forgotten. */
    @Override
    public void warnOnce(String text) {
        if (warned.isEmpty()) { // as for most of thousands of services
            warned = new LinkedHashSet<>();
        }
        if (warned.add(text)) {
            if (warned.size() > WARNED) {
                warned.remove(warned.iterator().next());
            }
            warn(text);
        }
    }

    /** Returns the throttle of warnings that the service's user can cause any number of. */
    Throttle complaints() {
        Throttle made = complaints;
        if (made == null) {
            made = Complaints.on(context.loop(), this::warn);
            complaints = made;
        }
        return made;
    }

    /**
     * Describes how a process has ended. Only a process of the unit's user can tell whether the
     * user may enter the working directory, and it tells by its exit status.
     */
    String described(Exit exit) {
        Optional<WorkingDirectory> directory = unit().exec().workingDirectory();
        return exit.equals(NOT_ENTERED) && directory.isPresent()
                ? ExitText.of(exit) + " (WorkingDirectory=" + directory.get() + ")"
                : ExitText.of(exit);
    }

    /**
     * Logs that a command could not be executed.
     *
     * @param exit the exit status that stands for the failure; empty if no process would have been
     *     started
     */
    void notRun(ExecCommand command, Optional<Exit> exit, Exception why) {
        String how = exit.map(each -> " (" + ExitText.of(each) + ")").orElse("");
        String text = "cannot run " + command.executable() + how + ": " + Work.reason(why);
        boolean forgiven = exit.isPresent() && command.has(ExecCommand.Flag.IGNORE_FAILURE);
        if (!forgiven) {
            because(text);
        }
        error(text);
    }

    /**
     * Logs that a control command has failed.
     *
     * @param exit empty if no process was started, which was logged already
     * @return the result of the run
     */
    ServiceResult commandFailed(String before, ExecCommand command, Optional<Exit> exit) {
        exit.ifPresent(how -> {
            String text = before + command.executable() + " " + described(how);
            because(text);
            warn(text);
        });
        return exit.map(this::resultOfCommand).orElse(ServiceResult.RESOURCES);
    }

    /** Returns how the exit of a control command counts. */
    ServiceResult resultOfCommand(Exit exit) {
        return ServiceResult.ofCommand(exit, unit().service().successExitStatus());
    }

    /** Forgets why an earlier start failed, because a new start begins. */
    void forgetFailure() {
        failure = Optional.empty();
    }

    /** Keeps the first reason why this start or run fails, for the status. */
    void because(String why) {
        if (failure.isEmpty()) {
            failure = Optional.of(why);
            changed();
        }
    }

    /** Logs and keeps the reason why this start or run fails. */
    void fail(String why) {
        because(why);
        error(why);
    }

    void error(String text) {
        context.error(name(), text);
    }

    /** Records everything but its run. */
    void record(Fields fields) {
        fields.put("state", state.name())
                .put("since", since.toEpochMilli())
                .put("wanted", wanted)
                .put("invocation", invocationId)
                .put("result", result.name())
                .put("reload-result", reloadResult.name())
                .put("failure", failure.orElse(""))
                .put("status", statusText)
                .put("errno", reported.errno())
                .put("bus-error", reported.bus())
                .put("varlink-error", reported.varlink())
                .put("own-watchdog", Long.toString(watchdogTime.micros()))
                .put("own-access", ownAccess.map(NotifyAccess::name).orElse(""))
                .put("main-exit", mainExit())
                .put("main-start", mainStart.toString())
                .put("main-exited", mainExited.toString())
                .put("last-main", lastMain.map(ProcessId::toString).orElse(""))
                .put("times", times.toString())
                .put("deadline", deadline.at());
        startLimit().record(fields);
        checks.record(fields);
    }

    /**
     * Restores what was recorded.
     *
     * @param at the state, which may differ from the recorded one
     */
    void restore(Fields fields, ServiceState at) {
        state = at;
        since = Instant.ofEpochMilli(fields.number("since"));
        wanted = fields.is("wanted");
        invocationId = fields.text("invocation");
        result = fields.word("result", ServiceResult.class);
        reloadResult = fields.word("reload-result", ServiceResult.class);
        failure = fields.find("failure");
        statusText = fields.text("status");
        reported =
                new ReportedErrors(
                        Math.toIntExact(fields.number("errno")),
                        fields.text("bus-error"),
                        fields.text("varlink-error"));
        watchdogTime =
                fields.find("own-watchdog")
                        .map(_ -> new TimeSpan(fields.number("own-watchdog")))
                        .orElse(unit().service().timeouts().watchdog()); // of an older version
        ownAccess = fields.find("own-access").map(NotifyAccess::valueOf);
        mainExit = fields.exit("main-exit").orElse(null);
        mainStart = DualTimestamp.parse(fields.text("main-start"));
        mainExited = DualTimestamp.parse(fields.text("main-exited"));
        lastMain = fields.find("last-main").map(ProcessId::parse);
        times = UnitTimes.parse(fields.text("times"));
        startLimit().restore(fields);
        checks = UnitChecks.of(fields);
    }

    UnitStatus status(int restarts) {
        Optional<ProcessId> main =
                run().filter(UnitRun::mainIsAlive)
                        .flatMap(UnitRun::main)
                        .flatMap(ServiceLife::idOf);
        UnitStatus status =
                new UnitStatus(
                        name().text(),
                        described().unit().description(),
                        UnitStatus.loadState(newest()),
                        state.active(),
                        state.word(),
                        since,
                        result.toString(),
                        main,
                        mainExit(),
                        failure,
                        invocationId,
                        run().flatMap(UnitRun::cgroup)
                                .or(remaining::cgroup)
                                .map(cgroup -> cgroup.path().path()),
                        List.of(),
                        statusText,
                        restarts,
                        newest().source().fragment(),
                        newest().source().dropIns(),
                        diagnostics(),
                        List.of(),
                        OptionalLong.empty());
        return context.withLog(name(), status);
    }

    private ServiceUnit described() {
        ServiceUnit newest = newest();
        return newest.source().state() == UnitSource.State.LOADED ? newest : unit();
    }

    private List<Diagnostic> diagnostics() {
        return Stream.of(
                        newest().diagnostics(),
                        context.sandboxes().unapplied(unit().source(), unit().exec()),
                        context.unapplied(unit().source(), unit().cgroup().resources()))
                .flatMap(List::stream)
                .toList();
    }

    private static Optional<ProcessId> idOf(PidFd process) {
        try {
            return Optional.of(process.processId());
        } catch (ErrnoException e) {
            return Optional.empty(); // it has just exited
        }
    }
}
