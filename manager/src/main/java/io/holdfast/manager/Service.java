package io.holdfast.manager;

import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.EventLoop;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import io.holdfast.core.process.ProcessInfo;
import io.holdfast.manager.unit.ConditionCheck;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.ExecCommand;
import io.holdfast.manager.unit.KillSettings.KillMode;
import io.holdfast.manager.unit.ServiceSection.NotifyAccess;
import io.holdfast.manager.unit.ServiceType;
import io.holdfast.manager.unit.ServiceUnit;
import io.holdfast.manager.unit.TimeSpan;
import io.holdfast.manager.unit.Unit;
import io.holdfast.manager.unit.UnitName;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A service at run time: the state machine of systemd.service(5), each step caused by an event of
 * the loop.
 *
 * <pre>
 *   dead ─▶ condition ─▶ start-pre ─▶ start ─▶ start-post ─▶ running ─▶ stop ─▶ stop-sigterm
 *    ▲                     │            │          │            │                    │
 *    │                     └────────────┴──────────┴────────────┴──▶ stop-sigterm ◀──┘
 *    │                                                                    │ ▶ stop-sigkill
 *   dead, failed ◀── (clean up) ◀── stop-post ◀──────────────────────────────┘
 *    └─▶ auto-restart ─▶ start-pre …
 * </pre>
 *
 * Its processes are known by pidfd and by cgroup; a number is only ever printed.
 */
final class Service implements ManagedUnit, ServiceRun.Listener {
    private static final Set<ServiceType> SUPPORTED =
            Set.of(
                    ServiceType.SIMPLE,
                    ServiceType.EXEC,
                    ServiceType.ONESHOT,
                    ServiceType.NOTIFY,
                    ServiceType.IDLE);
    private static final int CONDITION_FAILED = 255;

    /** The exit status of systemd.exec(5) where a command could not be executed. */
    private static final int NOT_EXECUTED = 203;

    private final ManagerContext context;
    private final List<Consumer<JobResult>> startWaiters = new ArrayList<>();
    private final List<Consumer<JobResult>> stopWaiters = new ArrayList<>();
    private final Set<String> warned = new HashSet<>();
    private final StartLimit startLimit;
    private final UnitLog log;
    private ServiceUnit unit;
    private @Nullable ServiceUnit newer;

    private SubState state = SubState.DEAD;
    private Instant since = Instant.EPOCH;
    private ServiceResult result = ServiceResult.SUCCESS;
    private @Nullable ServiceRun run;
    private @Nullable Exit mainExit;
    private String invocationId = "";
    private String statusText = "";
    private int restarts;
    private boolean preparing;
    private boolean started; // the start has succeeded: stop commands count
    private boolean wanted; // nobody has asked for a stop
    private boolean emptied;
    private boolean startAgain;
    private @Nullable ExecCommand mainCommand; // the last that was run as the main process
    private Deque<ExecCommand> commands = new ArrayDeque<>();
    private Runnable afterCommands = () -> {};
    private EventLoop.@Nullable Timer timer;
    private EventLoop.@Nullable Timer watchdog;

    Service(ManagerContext context, ServiceUnit unit) {
        this.context = context;
        this.unit = unit;
        this.startLimit = new StartLimit(unit.unit().startLimit());
        this.log = new UnitLog(Limits.LOG_LINES, UnitLog.DEFAULT_LINE_BYTES);
        var ignored = log.follow(0, line -> context.listener().output(name(), line));
    }

    private UnitName name() {
        return unit.name();
    }

    @Override
    public Unit unit() {
        return unit;
    }

    @Override
    public ActiveState activeState() {
        return state.active();
    }

    @Override
    public void reloaded(Unit reread) {
        if (reread instanceof ServiceUnit service) {
            newer = service;
            if (state.active() == ActiveState.INACTIVE || state == SubState.FAILED) {
                takeNewer();
            }
        }
    }

    private void takeNewer() {
        if (newer != null) {
            unit = newer;
            newer = null;
        }
    }

    // ---- start

    @Override
    public void start(Consumer<JobResult> done) {
        wanted = true;
        switch (state.active()) {
            case ACTIVE -> done.accept(JobResult.DONE);
            case DEACTIVATING -> {
                startWaiters.add(done);
                startAgain = true;
            }
            case ACTIVATING -> {
                answer(stopWaiters, JobResult.CANCELED); // a stop that has not begun to act
                startWaiters.add(done);
                if (state == SubState.AUTO_RESTART) {
                    restarts = 0;
                    begin();
                }
            }
            case INACTIVE, FAILED -> {
                startWaiters.add(done);
                restarts = 0;
                begin();
            }
        }
    }

    private void begin() {
        disarm();
        takeNewer();
        result = ServiceResult.SUCCESS;
        mainExit = null;
        statusText = "";
        started = false;
        startAgain = false;
        Optional<String> refusal = refusal();
        if (refusal.isPresent()) {
            context.error(name(), refusal.get());
            result = ServiceResult.RESOURCES;
            settle(JobResult.INVALID);
            return;
        }
        if (!startLimit.tryStart(System.nanoTime())) {
            context.error(name(), "started too often; reset with a start by hand after a while");
            result = ServiceResult.START_LIMIT_HIT;
            settle(JobResult.FAILED);
            return;
        }
        invocationId = HexFormat.of().formatHex(random());
        preparing = true;
        enter(SubState.CONDITION);
        context.workers().run(this::checkConditions, this::conditionsChecked);
    }

    private static byte[] random() {
        UUID uuid = UUID.randomUUID();
        return ByteBuffer.allocate(16)
                .putLong(uuid.getMostSignificantBits())
                .putLong(uuid.getLeastSignificantBits())
                .array();
    }

    private Optional<String> refusal() {
        if (!SUPPORTED.contains(unit.service().type())) {
            return Optional.of(
                    "Type="
                            + unit.service().type().name().toLowerCase(Locale.ROOT)
                            + " is not supported yet");
        }
        if (unit.isRefused()) {
            return Optional.of(
                    unit.diagnostics().stream()
                            .filter(d -> d.severity() == Diagnostic.Severity.ERROR)
                            .map(Object::toString)
                            .findFirst()
                            .orElse("it is " + UnitStatus.loadState(unit)));
        }
        return Optional.empty();
    }

    /** The unmet conditions, and the unmet assertions. */
    private record Verdicts(ConditionCheck.Verdict conditions, ConditionCheck.Verdict assertions) {}

    private Verdicts checkConditions() {
        ConditionCheck check =
                new ConditionCheck(context.host(), context.scope(), System.getenv(), Set.of());
        return new Verdicts(
                check.check(unit.unit().conditions()), check.check(unit.unit().assertions()));
    }

    private void conditionsChecked(@Nullable Verdicts verdicts, @Nullable Exception failure) {
        preparing = false;
        if (verdicts == null) {
            context.error(name(), "cannot check its conditions: " + message(failure));
            result = ServiceResult.RESOURCES;
            settle(JobResult.FAILED);
        } else if (!verdicts.assertions().met()) {
            context.error(name(), "an assertion does not hold: " + verdicts.assertions().unmet());
            result = ServiceResult.RESOURCES;
            settle(JobResult.ASSERT);
        } else if (!verdicts.conditions().met()) {
            context.notice(
                    name(),
                    "not started, a condition does not hold: " + verdicts.conditions().unmet());
            settle(JobResult.DONE);
        } else if (!wanted) {
            rest(JobResult.CANCELED);
        } else {
            prepare();
        }
    }

    private void prepare() {
        OutputPipe output;
        try {
            output = new OutputPipe(context.loop(), log);
        } catch (ErrnoException e) {
            context.error(name(), message(e));
            result = ServiceResult.RESOURCES;
            rest(JobResult.FAILED);
            return;
        }
        preparing = true;
        ServiceUnit described = unit;
        String id = invocationId;
        context.workers()
                .<ServiceRun>run(
                        () -> open(described, id, output),
                        (opened, failure) -> prepared(output, opened, failure));
    }

    private ServiceRun open(ServiceUnit described, String id, OutputPipe output) throws Exception {
        Optional<Cgroup> cgroup =
                context.cgroups()
                        .map(cgroups ->
                                cgroups.create(
                                        described.name(),
                                        described
                                                .cgroup()
                                                .sliceOf(described.name(), context.scope())));
        try {
            Execution execution =
                    new Execution(
                            described,
                            context.scope(),
                            new Execution.Surroundings(
                                    cgroup,
                                    output.writeEnd(),
                                    context.notifySocket().toString(),
                                    id),
                            warning -> context.loop().post(() -> warnOnce(warning)));
            execution.prepare();
            return new ServiceRun(context, described, this, output, execution, cgroup);
        } catch (Exception e) {
            cgroup.ifPresent(UnitCgroups::remove);
            throw e;
        }
    }

    /** What is said at every run is said once. */
    private void warnOnce(String warning) {
        if (warned.add(warning)) {
            context.warn(name(), warning);
        }
    }

    private void prepared(
            OutputPipe output, @Nullable ServiceRun opened, @Nullable Exception failure) {
        preparing = false;
        if (opened == null) {
            output.close();
            context.error(name(), "cannot be prepared: " + message(failure));
            result = ServiceResult.RESOURCES;
            rest(JobResult.FAILED);
            return;
        }
        run = opened;
        if (!wanted) {
            enterStop(ServiceResult.SUCCESS);
            return;
        }
        armStart();
        runCommands(
                SubState.CONDITION,
                unit.service().commands().condition(),
                () ->
                        runCommands(
                                SubState.START_PRE,
                                unit.service().commands().startPre(),
                                this::startMain));
    }

    private void startMain() {
        armStart();
        if (unit.service().commands().start().isEmpty()) {
            enter(SubState.START);
            hasStarted();
            return;
        }
        commands = new ArrayDeque<>(unit.service().commands().start());
        enter(SubState.START);
        nextMain();
    }

    private void nextMain() {
        ExecCommand command = commands.removeFirst();
        mainCommand = command;
        running().spawn(command, true, Map.of());
    }

    private void hasStarted() {
        started = true;
        runCommands(SubState.START_POST, unit.service().commands().startPost(), this::enterRunning);
    }

    private void enterRunning() {
        disarm();
        if (result != ServiceResult.SUCCESS) { // it has failed beside the commands after the start
            enterStop(result);
            return;
        }
        if (running().mainIsAlive()) {
            enter(SubState.RUNNING);
            armRuntime();
            armWatchdog();
        } else if (unit.service().remainAfterExit()) {
            enter(SubState.EXITED);
        } else {
            answer(startWaiters, JobResult.DONE);
            enterStop(ServiceResult.SUCCESS);
            return;
        }
        answer(startWaiters, JobResult.DONE);
    }

    // ---- commands beside the main process

    private void runCommands(SubState phase, List<ExecCommand> list, Runnable after) {
        commands = new ArrayDeque<>(list);
        afterCommands = after;
        if (!list.isEmpty()) {
            enter(phase);
        }
        nextCommand();
    }

    private void nextCommand() {
        if (commands.isEmpty()) {
            afterCommands.run();
        } else {
            running().spawn(commands.getFirst(), false, exitVariables());
        }
    }

    /** What stop commands are told of the end. */
    private Map<String, String> exitVariables() {
        if (state != SubState.STOP && state != SubState.STOP_POST) {
            return Map.of();
        }
        return switch (mainExit) {
            case Exit.Exited(int status) ->
                    Map.of(
                            "SERVICE_RESULT",
                            result.toString(),
                            "EXIT_CODE",
                            "exited",
                            "EXIT_STATUS",
                            Integer.toString(status));
            case Exit.Killed(var signal, boolean dumped) ->
                    Map.of(
                            "SERVICE_RESULT",
                            result.toString(),
                            "EXIT_CODE",
                            dumped ? "dumped" : "killed",
                            "EXIT_STATUS",
                            signal.name());
            case null, default -> Map.of("SERVICE_RESULT", result.toString());
        };
    }

    @Override
    public void controlExited(Exit exit) {
        if (isSignalled()) {
            maybeGone();
            return;
        }
        ExecCommand command = commands.isEmpty() ? null : commands.removeFirst();
        if (command == null) {
            return;
        }
        ServiceResult how = ServiceResult.ofCommand(exit, unit.service().successExitStatus());
        boolean ignored = command.has(ExecCommand.Flag.IGNORE_FAILURE);
        if (how == ServiceResult.SUCCESS || ignored) {
            nextCommand();
            return;
        }
        if (state == SubState.CONDITION
                && exit instanceof Exit.Exited(int status)
                && status < CONDITION_FAILED) {
            context.notice(name(), command.executable() + " says no: " + exit);
            result = ServiceResult.EXEC_CONDITION;
            enterStop(ServiceResult.EXEC_CONDITION);
            return;
        }
        context.warn(name(), command.executable() + " " + exit);
        commandFailed(how);
    }

    private void commandFailed(ServiceResult how) {
        switch (state) {
            case STOP -> {
                note(how);
                enterSignal();
            }
            case STOP_POST -> {
                note(how);
                commands.clear();
                cleanUp();
            }
            default -> enterStop(how);
        }
    }

    @Override
    public void spawned(ExecCommand command) {
        if (isSignalled() || (state == SubState.STOP_POST && commands.isEmpty())) {
            sendStopSignal(state == SubState.STOP_SIGKILL); // it came too late to be asked nicely
            return;
        }
        if (state != SubState.START) {
            return;
        }
        context.info(name(), "started " + running().main().map(Object::toString).orElse(""));
        switch (unit.service().type()) {
            case SIMPLE, EXEC, IDLE -> hasStarted();
            default -> {} // waits for the exit, or for READY=1
        }
    }

    @Override
    public void spawnFailed(ExecCommand command, Exception failure) {
        context.error(name(), "cannot run " + command.executable() + ": " + message(failure));
        if (isSignalled()) {
            maybeGone();
        } else if (state == SubState.START) {
            mainExit = new Exit.Exited(NOT_EXECUTED);
            if (!command.has(ExecCommand.Flag.IGNORE_FAILURE)) {
                enterStop(ServiceResult.EXIT_CODE);
            } else if (unit.service().type() == ServiceType.ONESHOT) {
                nextMainOrStarted();
            } else {
                enterStop(ServiceResult.SUCCESS);
            }
        } else if (command.has(ExecCommand.Flag.IGNORE_FAILURE)) {
            if (!commands.isEmpty()) {
                var ignored = commands.removeFirst();
            }
            nextCommand();
        } else {
            commandFailed(ServiceResult.EXIT_CODE);
        }
    }

    private static String message(@Nullable Exception failure) {
        if (failure == null) {
            return "no reason known";
        }
        String message = failure.getMessage();
        return message == null ? failure.toString() : message;
    }

    // ---- the main process

    @Override
    public void mainExited(Exit exit) {
        mainExit = exit;
        boolean oneshot = unit.service().type() == ServiceType.ONESHOT;
        ExecCommand command = mainCommand;
        ServiceResult how =
                command != null && command.has(ExecCommand.Flag.IGNORE_FAILURE)
                        ? ServiceResult.SUCCESS
                        : ServiceResult.of(
                                exit, unit.service().successExitStatus(), unit.service().type());
        switch (state) {
            case START -> {
                if (oneshot && how == ServiceResult.SUCCESS) {
                    nextMainOrStarted();
                } else if (unit.service().type() == ServiceType.NOTIFY
                        && how == ServiceResult.SUCCESS) {
                    context.error(name(), "its main process " + exit + " without READY=1");
                    enterStop(ServiceResult.PROTOCOL);
                } else {
                    tellExit(exit, how);
                    enterStop(how);
                }
            }
            case START_POST -> { // those commands come to their end first
                tellExit(exit, how);
                note(how);
            }
            case RUNNING -> {
                tellExit(exit, how);
                if (how == ServiceResult.SUCCESS && unit.service().remainAfterExit()) {
                    disarm();
                    enter(SubState.EXITED);
                } else {
                    enterStop(how);
                }
            }
            case STOP -> note(how);
            default -> {
                if (isSignalled()) {
                    note(how);
                    maybeGone();
                }
            }
        }
    }

    private void nextMainOrStarted() {
        if (commands.isEmpty()) {
            hasStarted();
        } else {
            nextMain();
        }
    }

    private void tellExit(Exit exit, ServiceResult how) {
        String text = "its main process " + exit;
        if (how == ServiceResult.SUCCESS) {
            context.info(name(), text);
        } else {
            context.warn(name(), text);
        }
    }

    /** Keeps the first thing that went wrong. */
    private void note(ServiceResult how) {
        if (result == ServiceResult.SUCCESS) {
            result = how;
        }
    }

    // ---- stop

    @Override
    public void stop(Consumer<JobResult> done) {
        wanted = false;
        startAgain = false;
        switch (state.active()) {
            case INACTIVE, FAILED -> done.accept(JobResult.DONE);
            case DEACTIVATING -> stopWaiters.add(done);
            case ACTIVATING -> {
                stopWaiters.add(done);
                if (state == SubState.AUTO_RESTART) {
                    disarm();
                    comeToRest(SubState.DEAD, JobResult.CANCELED);
                } else if (!preparing) { // else the answer finds that it is not wanted
                    enterStop(ServiceResult.SUCCESS);
                }
            }
            case ACTIVE -> {
                stopWaiters.add(done);
                enterStop(ServiceResult.SUCCESS);
            }
        }
    }

    private void enterStop(ServiceResult how) {
        note(how);
        disarm();
        if (started && !unit.service().commands().stop().isEmpty()) {
            armStop(this::stopCommandIsLate);
            runCommands(SubState.STOP, unit.service().commands().stop(), this::enterSignal);
        } else {
            enterSignal();
        }
    }

    private void stopCommandIsLate() {
        context.warn(name(), "its stop command does not end in time");
        note(ServiceResult.TIMEOUT);
        enterSignal();
    }

    private void enterSignal() {
        disarm();
        commands.clear();
        enter(SubState.STOP_SIGTERM);
        emptied = false;
        if (unit.kill().mode() == KillMode.NONE) {
            gone();
            return;
        }
        sendStopSignal(false);
        armStop(this::enterSigkill);
        running().watchEmpty();
    }

    private void enterSigkill() {
        note(ServiceResult.TIMEOUT);
        if (!unit.kill().sendFinal()) {
            context.warn(name(), "does not stop, and SendSIGKILL=no");
            gone();
            return;
        }
        context.warn(name(), "does not stop in time: " + unit.kill().finalSignal());
        enter(SubState.STOP_SIGKILL);
        emptied = false;
        sendStopSignal(true);
        timer =
                context.loop()
                        .after(
                                Limits.KILL_PATIENCE,
                                () -> {
                                    context.error(name(), "is still there after the last signal");
                                    gone();
                                });
        running().watchEmpty();
    }

    private void sendStopSignal(boolean last) {
        var kill = unit.kill();
        boolean all =
                kill.mode() == KillMode.CONTROL_GROUP || (last && kill.mode() == KillMode.MIXED);
        running()
                .signal(
                        last
                                ? kill.finalSignal()
                                : startAgain ? kill.restartSignal() : kill.signal(),
                        all,
                        !last && kill.sendHangup());
    }

    private boolean isSignalled() {
        return state == SubState.STOP_SIGTERM
                || state == SubState.STOP_SIGKILL
                || state == SubState.STOP_WATCHDOG;
    }

    @Override
    public void emptied() {
        emptied = true;
        maybeGone();
    }

    /** Whether everything has gone that is waited for. */
    private void maybeGone() {
        ServiceRun now = running();
        if (!isSignalled() || now.mainIsAlive() || now.controlIsAlive() || now.isSpawning()) {
            return;
        }
        switch (unit.kill().mode()) {
            case CONTROL_GROUP -> {
                if (emptied) {
                    gone();
                }
            }
            case MIXED -> {
                if (emptied) {
                    gone();
                } else if (state != SubState.STOP_SIGKILL) {
                    enter(SubState.STOP_SIGKILL);
                    sendStopSignal(true);
                }
            }
            case PROCESS, NONE -> gone();
        }
    }

    private void gone() {
        disarm();
        armStop(() -> {
            context.warn(name(), "its command after the stop does not end in time");
            note(ServiceResult.TIMEOUT);
            commands.clear();
            running().signal(Signal.KILL, false, false);
            cleanUp();
        });
        runCommands(SubState.STOP_POST, unit.service().commands().stopPost(), this::cleanUp);
    }

    private void cleanUp() {
        disarm();
        ServiceRun ended = running();
        run = null;
        enter(SubState.FINAL_SIGKILL);
        KillMode mode = unit.kill().mode();
        boolean kill = mode == KillMode.CONTROL_GROUP || mode == KillMode.MIXED;
        ended.close(
                kill && unit.kill().sendFinal(),
                () -> rest(result == ServiceResult.SUCCESS ? JobResult.DONE : JobResult.FAILED));
    }

    /** When nobody runs the loop any more: kills what runs, and lets go of it. */
    void abandon() {
        ServiceRun left = run;
        if (left != null) {
            run = null;
            left.signal(Signal.KILL, true, false);
            left.close(true, () -> {});
        }
    }

    /**
     * A run has ended: comes to rest, or waits for the next start.
     *
     * @param start how a start that is under way has ended by this
     */
    private void rest(JobResult start) {
        disarm();
        if (startAgain && wanted) {
            enter(SubState.DEAD);
            answer(stopWaiters, JobResult.DONE);
            begin();
            return;
        }
        boolean again =
                wanted
                        && RestartDecision.restarts(
                                unit.service().restart(),
                                result,
                                Optional.ofNullable(mainExit),
                                false);
        if (again) {
            TimeSpan delay = RestartDecision.delay(unit.service().restart(), restarts);
            restarts++;
            enter(SubState.AUTO_RESTART);
            answer(startWaiters, started(start));
            answer(stopWaiters, JobResult.DONE);
            delay.duration().ifPresent(pause -> timer = context.loop().after(pause, this::begin));
            return;
        }
        settle(start);
    }

    /** How a start that is under way has ended by this. */
    private JobResult started(JobResult start) {
        if (!wanted) {
            return JobResult.CANCELED;
        }
        return switch (result) {
            case TIMEOUT -> JobResult.TIMEOUT;
            case EXEC_CONDITION -> JobResult.DONE;
            default -> start;
        };
    }

    /** Comes to rest, without another start. */
    private void settle(JobResult start) {
        disarm();
        boolean failed = result != ServiceResult.SUCCESS && result != ServiceResult.EXEC_CONDITION;
        comeToRest(failed ? SubState.FAILED : SubState.DEAD, started(start));
    }

    private void comeToRest(SubState end, JobResult start) {
        if (end == SubState.FAILED) {
            context.error(name(), "failed: " + result);
        } else {
            context.info(name(), "stopped");
        }
        enter(end);
        takeNewer();
        answer(startWaiters, start);
        answer(stopWaiters, JobResult.DONE);
        context.stateChange().settled(name(), state.active());
    }

    // ---- time

    private void armStart() {
        arm(unit.service().timeouts().start(), this::startIsLate);
    }

    private void armStop(Runnable late) {
        arm(unit.service().timeouts().stop(), late);
    }

    private void armRuntime() {
        arm(
                unit.service().timeouts().runtimeMax(),
                () -> {
                    context.error(name(), "has run for as long as it may");
                    enterStop(ServiceResult.TIMEOUT);
                });
    }

    private void arm(TimeSpan span, Runnable late) {
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
        span.duration()
                .filter(duration -> !duration.isZero())
                .ifPresent(duration -> timer = context.loop().after(duration, late));
    }

    private void armWatchdog() {
        if (watchdog != null) {
            watchdog.cancel();
            watchdog = null;
        }
        unit.service()
                .timeouts()
                .watchdog()
                .duration()
                .filter(duration -> !duration.isZero())
                .ifPresent(duration ->
                        watchdog = context.loop().after(duration, this::watchdogExpired));
    }

    private void watchdogExpired() {
        if (state != SubState.RUNNING) {
            return;
        }
        context.error(name(), "its watchdog was not fed");
        note(ServiceResult.WATCHDOG);
        enter(SubState.STOP_WATCHDOG);
        emptied = false;
        running().signal(unit.kill().watchdogSignal(), false, false);
        arm(unit.service().timeouts().abort(), this::enterSigkill);
        running().watchEmpty();
    }

    private void disarm() {
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
        if (watchdog != null) {
            watchdog.cancel();
            watchdog = null;
        }
    }

    // ---- messages

    /** Whether the process belongs to this service, by its cgroup or by being one that is held. */
    boolean owns(PidFd process, ProcessInfo info) {
        ServiceRun now = run;
        if (now == null) {
            return false;
        }
        if (knows(process)) {
            return true;
        }
        OptionalLong in = info.cgroupId();
        return now.cgroup().isPresent()
                && in.isPresent()
                && isWithin(now.cgroup().get(), in.getAsLong());
    }

    /** Whether it is the main process, or the one that runs a command beside it. */
    boolean knows(PidFd process) {
        ServiceRun now = run;
        return now != null && (now.isMain(process) || now.isControl(process));
    }

    /** Whether a process is being spawned, which is not known yet and may speak already. */
    boolean isSpawning() {
        ServiceRun now = run;
        return now != null && now.isSpawning();
    }

    private static boolean isWithin(Cgroup cgroup, long id) {
        if (cgroup.id() == id) {
            return true;
        }
        try (Cgroup inner = Cgroup.ofId(id)) {
            return inner.path().path().startsWith(cgroup.path().path() + "/");
        } catch (ErrnoException e) {
            return false;
        }
    }

    /** A notify message of a process that this service owns. */
    void message(PidFd sender, NotifyMessage message, List<Fd> descriptors) {
        ServiceRun now = run;
        if (now == null || !mayNotify(now, sender)) {
            context.warn(name(), "a notify message of " + sender + " does not count here");
            return;
        }
        message.status().ifPresent(text -> statusText = text);
        if (message.mainPid().isPresent() || message.mainPidfd()) {
            moveMain(now, message, descriptors);
        }
        message.watchdog().ifPresent(this::fed);
        if (message.extendTimeoutMicros().isPresent() && timer != null) {
            extend(new TimeSpan(message.extendTimeoutMicros().getAsLong()));
        }
        if (!message.unsupported().isEmpty()) {
            context.notice(name(), "not supported in a notify message: " + message.unsupported());
        }
        if (message.ready()
                && state == SubState.START
                && unit.service().type() == ServiceType.NOTIFY) {
            hasStarted();
        }
    }

    private void fed(NotifyMessage.Watchdog watchdogMessage) {
        if (state == SubState.RUNNING) {
            switch (watchdogMessage) {
                case PING -> armWatchdog();
                case TRIGGER -> watchdogExpired();
            }
        }
    }

    private void extend(TimeSpan span) {
        switch (state) {
            case START -> arm(span, this::startIsLate);
            case STOP -> arm(span, this::stopCommandIsLate);
            case STOP_SIGTERM -> arm(span, this::enterSigkill);
            default -> {}
        }
    }

    private void startIsLate() {
        context.error(name(), "does not start in time");
        enterStop(ServiceResult.TIMEOUT);
    }

    private boolean mayNotify(ServiceRun now, PidFd sender) {
        return switch (unit.service().notifyAccess()) {
            case NotifyAccess.NONE -> false;
            case NotifyAccess.MAIN -> now.isMain(sender);
            case NotifyAccess.EXEC -> now.isMain(sender) || now.isControl(sender);
            case NotifyAccess.ALL -> true;
        };
    }

    /** MAINPID=: only a process of the unit's own, and only if it is held beyond doubt. */
    private void moveMain(ServiceRun now, NotifyMessage message, List<Fd> descriptors) {
        try (PidFd process = open(message, descriptors)) {
            if (now.isMain(process)) {
                return;
            }
            if (!owns(process, process.info()) || now.isControl(process)) {
                context.warn(name(), "MAINPID names a process that is not of this unit");
                return;
            }
            now.replaceMain(process.duplicate());
            context.info(name(), "its main process is now " + process);
        } catch (ErrnoException | IllegalArgumentException | UnsupportedOperationException e) {
            context.warn(name(), "MAINPID was refused: " + e.getMessage());
        }
    }

    private static PidFd open(NotifyMessage message, List<Fd> descriptors) {
        if (message.mainPidfd()) {
            if (descriptors.size() != 1) {
                throw new IllegalArgumentException(
                        "MAINPIDFD with " + descriptors.size() + " descriptors");
            }
            return PidFd.adopt(descriptors.getFirst());
        }
        int pid = message.mainPid().getAsInt();
        return message.mainPidfdId().isPresent()
                ? PidFd.open(pid, message.mainPidfdId().getAsLong())
                : PidFd.open(pid);
    }

    // ---- state

    private void enter(SubState next) {
        if (state != next) {
            state = next;
            since = Instant.now();
        }
    }

    private ServiceRun running() {
        ServiceRun now = run;
        if (now == null) {
            throw new IllegalStateException(name() + " has no run in state " + state);
        }
        return now;
    }

    private static void answer(Collection<Consumer<JobResult>> waiters, JobResult how) {
        List<Consumer<JobResult>> now = List.copyOf(waiters);
        waiters.clear();
        now.forEach(waiter -> waiter.accept(how));
    }

    /** Signals its processes because somebody asked for it. */
    boolean kill(Signal signal, boolean all) {
        ServiceRun now = run;
        if (now == null) {
            return false;
        }
        now.signal(signal, all, false);
        return true;
    }

    Optional<Cgroup> cgroup() {
        return run == null ? Optional.empty() : run.cgroup();
    }

    @Override
    public UnitStatus status() {
        ServiceRun now = run;
        Optional<ProcessId> main = Optional.empty();
        if (now != null && now.mainIsAlive()) {
            try {
                main = now.main().map(PidFd::processId);
            } catch (ErrnoException e) {
                // it has gone this moment
            }
        }
        return new UnitStatus(
                name().text(),
                unit.unit().description(),
                UnitStatus.loadState(unit),
                state.active(),
                state.word(),
                since,
                result.toString(),
                main,
                Optional.ofNullable(mainExit),
                invocationId,
                cgroup().map(cgroup -> cgroup.path().path()),
                List.of(),
                statusText,
                restarts,
                unit.source().fragment(),
                unit.source().dropIns(),
                unit.diagnostics(),
                log.last(Limits.LOG_LINES));
    }
}
