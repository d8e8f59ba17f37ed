package io.holdfast.manager.service;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Exit;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.exec.ExecutedUnit;
import io.holdfast.manager.exec.SetupException;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.process.ExitText;
import io.holdfast.manager.run.ControlCommands;
import io.holdfast.manager.run.RunChannels;
import io.holdfast.manager.run.RunPlan;
import io.holdfast.manager.run.RunSetup;
import io.holdfast.manager.run.UnitRun;
import io.holdfast.manager.runtime.BusNameWatcher;
import io.holdfast.manager.runtime.InvocationId;
import io.holdfast.manager.runtime.StartChecks;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.section.ServiceSection;
import io.holdfast.manager.unit.section.ServiceSection.Commands;
import io.holdfast.manager.unit.section.ServiceSection.NotifyAccess;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.ServiceType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Starts a service: checks its conditions, prepares the run, runs the commands before the main
 * process, starts that process as the type requires, and runs the commands after it. Used on the
 * event loop.
 */
final class ServiceStart {
    private final ServiceLife life;
    private final ControlCommands commands;
    private final ServiceLife.Steps steps;
    private final RunSetup setup;
    private final ForkedMain forked;
    private final BusNameWatch name = new BusNameWatch();
    private @Nullable Work<?> preparation; // what is under way before there is a run
    private List<ExecCommand> mainCommands = List.of();
    private @Nullable ExecCommand mainCommand; // the last command run as the main process

    ServiceStart(
            ServiceLife life,
            ControlCommands commands,
            ServiceLife.Steps steps,
            ServiceReload reloading,
            ServiceStop stopping) {
        this.life = life;
        this.commands = commands;
        this.steps = steps;
        this.setup =
                new RunSetup(life, new RunEvents(life, commands, steps, this, reloading, stopping));
        this.forked = new ForkedMain(life);
    }

    private Commands lists() {
        return life.unit().service().commands();
    }

    private ServiceType type() {
        return life.unit().service().type();
    }

    /** Records the progress of a start. */
    void record(Fields fields) {
        fields.put("main-commands-left", mainCommands.size());
    }

    /** Restores the run that an earlier manager began. Blocking. */
    UnitRun restoredRun(Fields fields) {
        return setup.restore(
                plan(),
                fields,
                run -> {
                    if (life.run().filter(run::equals).isPresent()) {
                        life.logIsOf(run);
                        life.changed();
                    }
                });
    }

    /** Returns what its run is made from, according to the present definition. */
    private RunPlan plan() {
        ServiceUnit unit = life.unit();
        ServiceSection service = unit.service();
        return new RunPlan(
                new ExecutedUnit(
                        unit.name(),
                        unit.exec(),
                        service.commands().start(),
                        service.notifyAccess().allowsMain(),
                        service.notifyAccess().allowsOthers(),
                        true,
                        life.watchdogTime(),
                        unit.unit().dependencies().of(Dependency.JOINS_NAMESPACE_OF),
                        unit.diagnostics()),
                unit.cgroup().sliceOf(unit.name(), life.context().scope()),
                unit.cgroup(),
                unit.kill(),
                life.invocationId(),
                main -> service.pidFile().ifPresent(path -> removePidFile(path, main)));
    }

    /** Removes the PID file of a run that has ended. Runs on a worker. */
    private void removePidFile(String path, int main) {
        Optional<String> failure = main > 0 ? PidFile.remove(path, main) : Optional.empty();
        failure.ifPresent(text -> life.context().loop().postEnding(() -> life.warn(text)));
    }

    /** Continues a start that an earlier manager began, or the watches of a running service. */
    void resume(Fields fields) {
        int left = Math.toIntExact(fields.number("commands-left"));
        List<ExecCommand> list = lists().start();
        int mainLeft = Math.toIntExact(fields.number("main-commands-left"));
        mainCommands = list.subList(Math.max(0, list.size() - mainLeft), list.size());
        int current = list.size() - mainLeft - 1;
        mainCommand = current >= 0 && type() != ServiceType.FORKING ? list.get(current) : null;
        switch (life.state()) {
            case CONDITION -> {
                life.deadline.restore(fields.number("deadline"), this::late);
                commands.resume(
                        lists().condition(), left, Map::of, this::startPre, this::conditionFailed);
            }
            case START_PRE -> {
                life.deadline.restore(fields.number("deadline"), this::late);
                commands.resume(
                        lists().startPre(),
                        left,
                        this::startVariables,
                        this::startMain,
                        this::commandFailed);
            }
            case START -> {
                life.deadline.restore(fields.number("deadline"), this::late);
                resumeMain(left);
            }
            case START_POST -> {
                life.deadline.restore(fields.number("deadline"), this::late);
                commands.resume(
                        lists().startPost(), left, Map::of, this::posted, this::commandFailed);
            }
            case RUNNING, RELOAD, RELOAD_SIGNAL, RELOAD_NOTIFY -> {
                life.deadline.restore(fields.number("deadline"), this::runtimeMaxReached);
                if (type() == ServiceType.DBUS) {
                    watchNameOfRunning();
                }
                if (type() == ServiceType.FORKING && life.running().main().isEmpty()) {
                    life.running().watchEmpty();
                }
            }
            default -> {}
        }
    }

    private void resumeMain(int left) {
        UnitRun run = life.running();
        if (type() == ServiceType.FORKING) {
            if (left == 0) {
                forked.find(this::succeeded);
            } else {
                commands.resume(
                        lists().start(),
                        left,
                        this::startVariables,
                        () -> forked.find(this::succeeded),
                        this::commandFailed);
            }
        } else if (run.main().isPresent()) {
            if (type() == ServiceType.DBUS) {
                watchNameOfRunning();
            } else {
                mainSpawned();
            }
        } else if (type() == ServiceType.DBUS) {
            watchName();
        } else if (mainCommand == null) {
            nextMainOrSucceeded();
        } else {
            run.spawn(mainCommand, true, startVariables()); // it was about to be spawned
        }
    }

    /** Returns whether the start is being checked or prepared, and there is no run yet. */
    boolean isPreparing() {
        return preparation != null;
    }

    /**
     * Limits the wait for a preparation when a stop is requested: there is nothing to stop yet, and
     * the result of a late preparation is undone.
     */
    void hurry() {
        Work<?> pending = preparation;
        if (pending != null) {
            pending.limit(life.stopTimeout());
        }
    }

    /** Cancels the watches of the start, which is over or given up. */
    void cancel() {
        forked.cancel();
        name.end();
    }

    /**
     * Begins a new run, if the unit may have one.
     *
     * @param automatic whether it is an automatic restart: its conditions are not checked again
     */
    void begin(boolean automatic) {
        life.disarm();
        life.forgetFailure();
        boolean isNewerUnusable =
                life.files()
                        .newer()
                        .filter(newer ->
                                newer.isRefused()
                                        || StartRefusal.unsupported(newer, life.context())
                                                .isPresent())
                        .isPresent();
        if (automatic && isNewerUnusable) {
            life.warn("its new configuration cannot be used: restarting with the old one");
        } else {
            life.files().takeNewer();
        }
        Optional<String> refusal = StartRefusal.of(life);
        if (refusal.isPresent()) {
            life.fail(refusal.get());
            life.note(ServiceResult.RESOURCES);
            steps.settle(JobResult.INVALID);
        } else if (automatic) {
            prepareUnlessLimited();
        } else {
            checkConditions();
        }
    }

    /** A start that a condition prevents does not count as one. */
    private void prepareUnlessLimited() {
        if (life.startLimit().tryStart(System.nanoTime())) {
            prepare();
        } else {
            life.fail("start limit hit; clear it with: holdfast reset-failed " + life.name());
            life.note(ServiceResult.START_LIMIT_HIT);
            life.context().events().startLimitHit(life.name());
            steps.settle(JobResult.FAILED);
        }
    }

    private void checkConditions() {
        life.enter(
                life.is(ServiceState.FAILED)
                        ? ServiceState.FAILED_CHECKING
                        : ServiceState.DEAD_CHECKING);
        ServiceUnit described = life.unit();
        if (described.unit().conditions().isEmpty() && described.unit().assertions().isEmpty()) {
            life.checked(life.checks().afterNone());
            prepareUnlessLimited();
            return;
        }
        preparation =
                life.lane()
                        .work(
                                "the check of its conditions",
                                () -> StartChecks.of(described, life.context()))
                        .within(described.service().timeouts().start())
                        .begin(this::conditionsChecked);
    }

    private void conditionsChecked(@Nullable StartChecks checks, @Nullable Exception failure) {
        preparation = null;
        if (checks != null) {
            life.checked(checks.after(life.checks()));
        }
        if (failure instanceof Work.LateException late && !life.isWanted()) {
            life.warn("its start is cancelled: " + late.getMessage());
            steps.skip(JobResult.CANCELED);
        } else if (failure instanceof Work.LateException late) {
            life.fail("does not start in time: " + late.getMessage());
            life.note(ServiceResult.TIMEOUT);
            steps.settle(JobResult.FAILED);
        } else if (checks == null) {
            life.fail("cannot check its conditions: " + Work.reason(failure));
            life.note(ServiceResult.RESOURCES);
            steps.settle(JobResult.FAILED);
        } else if (!life.isWanted()) {
            steps.skip(JobResult.CANCELED);
        } else if (!checks.conditions().met()) {
            life.because(checks.refusal());
            life.notice(checks.refusal());
            steps.skip(JobResult.DONE);
        } else if (!checks.assertions().met()) {
            life.fail(checks.refusal());
            steps.skip(JobResult.ASSERT);
        } else {
            prepareUnlessLimited();
        }
    }

    // ---- the preparation of the run

    private void prepare() {
        life.begin();
        life.invocationId(InvocationId.next());
        life.enter(ServiceState.CONDITION);
        RunChannels channels;
        try {
            channels =
                    RunChannels.open(
                            life, life.unit().service().notifyAccess() != NotifyAccess.NONE);
        } catch (ErrnoException e) {
            life.fail(Work.reason(e));
            life.note(ServiceResult.RESOURCES);
            steps.becomeInactive(JobResult.FAILED);
            return;
        }
        RunPlan plan = plan();
        preparation =
                life.lane()
                        .work("the preparation of its execution", () -> setup.open(plan, channels))
                        .releasing(UnitRun::undo)
                        .within(life.unit().service().timeouts().start())
                        .begin((opened, failure) -> prepared(channels, opened, failure));
    }

    private void prepared(
            RunChannels channels, @Nullable UnitRun opened, @Nullable Exception failure) {
        preparation = null;
        if (opened == null) {
            channels.close();
            if (failure instanceof Work.LateException late) {
                isLate(late);
            } else {
                notPrepared(failure);
            }
            return;
        }
        life.run(opened);
        if (!life.isWanted()) {
            steps.kill(ServiceResult.SUCCESS);
            return;
        }
        arm();
        commands.run(
                () -> life.enter(ServiceState.CONDITION),
                lists().condition(),
                Map::of,
                this::startPre,
                this::conditionFailed);
    }

    private void startPre() {
        commands.run(
                () -> life.enter(ServiceState.START_PRE),
                lists().startPre(),
                this::startVariables,
                this::startMain,
                this::commandFailed);
    }

    /** Handles a late preparation; its result is undone when it arrives. */
    private void isLate(Work.LateException late) {
        if (life.isWanted()) {
            life.fail("does not start in time: " + late.getMessage());
            life.note(ServiceResult.TIMEOUT);
            steps.becomeInactive(JobResult.FAILED);
        } else {
            life.warn("its start is cancelled: " + late.getMessage());
            steps.becomeInactive(JobResult.CANCELED);
        }
    }

    private void notPrepared(@Nullable Exception failure) {
        Optional<Exit> exit = failure == null ? Optional.empty() : SetupException.exitOf(failure);
        exit.ifPresent(life::mainExit);
        life.note(exit.isPresent() ? ServiceResult.EXIT_CODE : ServiceResult.RESOURCES);
        life.fail(
                "cannot be prepared"
                        + exit.map(how -> " (" + ExitText.of(how) + ")").orElse("")
                        + ": "
                        + Work.reason(failure));
        steps.becomeInactive(JobResult.FAILED);
    }

    private void arm() {
        life.deadline.set(life.unit().service().timeouts().start(), this::late);
    }

    private void late() {
        life.fail("does not start in time");
        steps.kill(ServiceResult.TIMEOUT);
    }

    private void conditionFailed(ExecCommand command, Optional<Exit> exit) {
        Optional<ServiceResult> how = exit.map(ServiceResult::ofCondition);
        if (how.equals(Optional.of(ServiceResult.EXEC_CONDITION))) {
            life.notice("ExecCondition=" + command.executable() + " not met: " + exit.get());
            steps.kill(how.get());
        } else {
            commandFailed(command, exit);
        }
    }

    private void commandFailed(ExecCommand command, Optional<Exit> exit) {
        steps.kill(life.commandFailed("", command, exit));
    }

    // ---- the main process

    private void startMain() {
        arm();
        if (type() == ServiceType.FORKING) {
            commands.run(
                    () -> life.enter(ServiceState.START),
                    lists().start(),
                    this::startVariables,
                    () -> forked.find(this::succeeded),
                    this::commandFailed);
            return;
        }
        life.enter(ServiceState.START);
        mainCommands = lists().start();
        if (type() == ServiceType.DBUS) {
            watchName();
        } else {
            nextMainOrSucceeded();
        }
    }

    private void nextMainOrSucceeded() {
        if (mainCommands.isEmpty()) {
            succeeded();
            return;
        }
        mainCommand = mainCommands.getFirst();
        mainCommands = mainCommands.subList(1, mainCommands.size());
        life.running().spawn(mainCommand, true, startVariables());
    }

    /**
     * Continues the commands of a oneshot service as its reloaded files say: with the command that
     * follows the running one there, or with none if the running one is not there any more.
     */
    void reloaded() {
        ExecCommand running = mainCommand;
        if (type() != ServiceType.ONESHOT || !life.is(ServiceState.START) || running == null) {
            return;
        }
        List<ExecCommand> list = life.newest().service().commands().start();
        int at = 0;
        while (at < list.size() && !list.get(at).isSameAs(running)) {
            at++;
        }
        if (at == list.size() && !mainCommands.isEmpty()) {
            life.warn("the running command is not in its files any more: no other follows it");
        }
        mainCommands = list.subList(Math.min(at + 1, list.size()), list.size());
    }

    /**
     * Returns the variables of this start: they describe the unit because of whose end the service
     * is started, and the place for descriptors.
     */
    private Map<String, String> startVariables() {
        Map<String, String> variables =
                new HashMap<>(life.context().events().monitorVariables(life.name()));
        int most = life.unit().service().store().most();
        if (most > 0) {
            variables.put("FDSTORE", Integer.toString(most));
        }
        return variables;
    }

    /** Handles that a main process was spawned. */
    void mainSpawned() {
        switch (type()) {
            case SIMPLE, EXEC, IDLE -> succeeded();
            case DBUS -> {
                if (name.isTaken()) {
                    succeeded();
                }
            }
            default -> {} // waits for the exit, or for READY=1
        }
    }

    /**
     * Handles that a main process could not be spawned.
     *
     * @param exit the exit status that stands for the failure; empty if no process would have been
     *     started
     */
    void mainNotSpawned(ExecCommand command, Optional<Exit> exit) {
        exit.ifPresent(life::mainExit);
        if (exit.isEmpty()) {
            steps.kill(ServiceResult.RESOURCES);
        } else if (!command.has(ExecCommand.Flag.IGNORE_FAILURE)) {
            steps.kill(ServiceResult.EXIT_CODE);
        } else if (type() == ServiceType.ONESHOT) {
            nextMainOrSucceeded();
        } else {
            steps.kill(ServiceResult.SUCCESS);
        }
    }

    /** Handles that the main process has exited before the start was over. */
    void mainExited(Exit exit, ServiceResult how) {
        if (type() == ServiceType.ONESHOT && how == ServiceResult.SUCCESS) {
            nextMainOrSucceeded();
        } else if (awaitsReady() && how == ServiceResult.SUCCESS) {
            life.fail("its main process " + exit + " without READY=1");
            steps.kill(ServiceResult.PROTOCOL);
        } else {
            logExit(exit, how);
            if (how == ServiceResult.SUCCESS) {
                steps.stop(how);
            } else {
                steps.kill(how);
            }
        }
    }

    /** Handles that no process is left during the start. */
    void emptied() {
        if (forked.isAwaited()) {
            life.fail("all its processes have ended, and none has written the PID file");
            steps.kill(ServiceResult.PROTOCOL);
        }
    }

    /** Returns how an exit of the main process counts. */
    ServiceResult resultOf(Exit exit) {
        ExecCommand command = mainCommand;
        return command != null && command.has(ExecCommand.Flag.IGNORE_FAILURE)
                ? ServiceResult.SUCCESS
                : ServiceResult.of(exit, life.unit().service().successExitStatus(), type());
    }

    void logExit(Exit exit, ServiceResult how) {
        String text = "its main process " + life.described(exit);
        if (how == ServiceResult.SUCCESS) {
            life.info(text);
        } else {
            life.warn(text);
        }
    }

    private boolean awaitsReady() {
        return type() == ServiceType.NOTIFY || type() == ServiceType.NOTIFY_RELOAD;
    }

    // ---- the name of Type=dbus

    /**
     * Watches the name; the process is spawned when the present owner of the name is known. After a
     * crash the bus may not be known yet: then the watch begins later, if the start is still under
     * way.
     */
    private void watchName() {
        String wanted = life.unit().service().busName().orElseThrow();
        life.context()
                .events()
                .whenBusIsKnown(names -> {
                    if (life.is(ServiceState.START)) {
                        watchName(names, wanted);
                    }
                });
    }

    private void watchName(BusNameWatcher names, String wanted) {
        name.begin(
                names,
                wanted,
                before -> {
                    before.ifPresent(owner -> life.warn(wanted + " is owned already, by " + owner));
                    nextMainOrSucceeded();
                },
                owner -> nameChanged(wanted, owner));
    }

    /** Watches the name for a main process that already runs. */
    private void watchNameOfRunning() {
        String wanted = life.unit().service().busName().orElseThrow();
        life.context()
                .events()
                .whenBusIsKnown(
                        names -> name.resume(names, wanted, owner -> nameChanged(wanted, owner)));
    }

    private void nameChanged(String wanted, Optional<String> owner) {
        if (owner.isPresent()) {
            if (life.is(ServiceState.START) && life.running().mainIsAlive()) {
                succeeded();
            }
        } else if (life.is(ServiceState.RUNNING) || life.isReloading()) {
            life.info("its name " + wanted + " has no owner any more");
            steps.stop(ServiceResult.SUCCESS);
        }
    }

    private boolean isWithoutName() {
        return type() == ServiceType.DBUS && !name.isTaken();
    }

    /** Handles READY=1. */
    void ready() {
        if (life.is(ServiceState.START) && awaitsReady()) {
            succeeded();
        }
    }

    private void succeeded() {
        commands.run(
                () -> life.enter(ServiceState.START_POST),
                lists().startPost(),
                Map::of,
                lists().startPost().isEmpty() ? this::enterRunning : this::posted,
                this::commandFailed);
    }

    /** Looks for another main process, and then passes on whether there is one. */
    void findAnotherMain(Consumer<Boolean> then) {
        forked.findAnother(then);
    }

    /** Ends the start after ExecStartPost=, which may have replaced the main process. */
    private void posted() {
        findAnotherMain(_ -> {
            if (life.is(ServiceState.START_POST)) {
                enterRunning();
            }
        });
    }

    private void enterRunning() {
        life.disarm();
        UnitRun run = life.running();
        if (life.result() != ServiceResult.SUCCESS) { // failed while ExecStartPost= ran
            steps.kill(life.result());
        } else if (run.mainIsAlive() && !isWithoutName()) {
            life.enter(ServiceState.RUNNING);
            armRuntime();
            steps.up();
        } else if (life.unit().service().remainAfterExit()) {
            life.enter(ServiceState.EXITED);
            steps.up();
        } else if (type() == ServiceType.FORKING && run.main().isEmpty()) {
            life.enter(ServiceState.RUNNING); // until all its processes have exited
            armRuntime();
            steps.up();
            run.watchEmpty();
        } else {
            steps.stop(ServiceResult.SUCCESS); // its start ends when it is inactive again
        }
    }

    private void armRuntime() {
        life.deadline.set(life.unit().service().timeouts().runtimeMax(), this::runtimeMaxReached);
    }

    private void runtimeMaxReached() {
        life.fail("RuntimeMaxSec= reached");
        steps.stop(ServiceResult.TIMEOUT);
    }
}
