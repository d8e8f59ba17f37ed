package io.holdfast.manager.service;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.run.ControlCommands;
import io.holdfast.manager.run.KillSequence;
import io.holdfast.manager.run.KillSequence.Step;
import io.holdfast.manager.run.UnitRun;
import io.holdfast.manager.unit.settings.KillSettings;
import io.holdfast.manager.unit.settings.KillSettings.KillMode;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Stops a service: runs its stop commands, sends the signals, runs the commands after the stop,
 * sends the signals to what these have left, and removes what was made for the run. Used on the
 * event loop.
 */
final class ServiceStop implements KillSequence.Owner {
    private final ServiceLife life;
    private final ControlCommands commands;
    private final ServiceLife.Steps steps;
    private final KillSequence sequence;
    private boolean afterCommands; // of ExecStopPost=

    ServiceStop(ServiceLife life, ControlCommands commands, ServiceLife.Steps steps) {
        this.life = life;
        this.commands = commands;
        this.steps = steps;
        this.sequence = new KillSequence(this, life.deadline);
    }

    /**
     * Begins with the stop commands, unless another command is running that would have to be ended
     * first.
     */
    void begin(ServiceResult why) {
        List<ExecCommand> list = life.unit().service().commands().stop();
        if (list.isEmpty() || commands.areRunning()) {
            signal(why);
            return;
        }
        life.note(why);
        life.disarm();
        life.running().stopBegun();
        arm(this::stopCommandIsLate);
        commands.run(
                () -> life.enter(ServiceState.STOP),
                list,
                this::exitVariables,
                this::signal,
                this::commandFailed);
    }

    /** Continues a stop that an earlier manager began. Signals are not sent again. */
    void resume(Fields fields) {
        long deadline = fields.number("deadline");
        int left = Math.toIntExact(fields.number("commands-left"));
        life.running().stopBegun();
        switch (life.state()) {
            case STOP -> {
                life.deadline.restore(deadline, this::stopCommandIsLate);
                commands.resume(
                        life.unit().service().commands().stop(),
                        left,
                        this::exitVariables,
                        this::signal,
                        this::commandFailed);
            }
            case STOP_POST -> {
                life.deadline.restore(deadline, this::stopPostIsLate);
                commands.resume(
                        life.unit().service().commands().stopPost(),
                        left,
                        this::exitVariables,
                        this::end,
                        this::stopPostFailed);
            }
            case STOP_WATCHDOG -> resume(Step.ABORT, false, deadline);
            case STOP_SIGTERM -> resume(Step.TERMINATE, false, deadline);
            case STOP_SIGKILL -> resume(Step.KILL, false, deadline);
            case FINAL_SIGTERM -> resume(Step.TERMINATE, true, deadline);
            case FINAL_SIGKILL -> resume(Step.KILL, true, deadline);
            default -> {}
        }
    }

    private void resume(Step step, boolean isAfterCommands, long deadline) {
        afterCommands = isAfterCommands;
        sequence.resume(step, deadline);
    }

    private void arm(Runnable late) {
        life.deadline.set(life.unit().service().timeouts().stop(), late);
    }

    private Map<String, String> exitVariables() {
        return ExitVariables.of("", life.result(), life.mainExit());
    }

    private void commandFailed(ExecCommand command, Optional<Exit> exit) {
        noteFailed(command, exit);
        signal();
    }

    private void noteFailed(ExecCommand command, Optional<Exit> exit) {
        life.note(life.commandFailed("", command, exit));
    }

    private void stopCommandIsLate() {
        life.because("its ExecStop= command does not end in time");
        life.warn("its ExecStop= command does not end in time");
        life.note(ServiceResult.TIMEOUT);
        signal();
    }

    // ---- signals

    /** Begins with the signals, whatever step the service is in. */
    void signal(ServiceResult why) {
        life.note(why);
        life.running().stopBegun();
        signal();
    }

    private void signal() {
        afterCommands = false;
        commands.cancel();
        sequence.begin();
    }

    /** Waits for the exit of a service that has announced it ({@code STOPPING=1}): no signal. */
    void announced() {
        life.running().stopBegun();
        afterCommands = false;
        sequence.await();
    }

    /** Ends the main process with the watchdog signal, because the watchdog has expired. */
    void watchdogExpired() {
        life.note(ServiceResult.WATCHDOG);
        commands.cancel();
        life.running().stopBegun();
        afterCommands = false;
        sequence.abort();
    }

    KillSequence sequence() {
        return sequence;
    }

    @Override
    public KillSettings kill() {
        return life.unit().kill();
    }

    /**
     * {@inheritDoc}
     *
     * <p>A restart job selects RestartKillSignal=; processes left by ExecStopPost= always get
     * KillSignal=.
     */
    @Override
    public Signal firstSignal() {
        boolean restarts =
                !afterCommands
                        && life.context()
                                .events()
                                .jobOf(life.name())
                                .filter(job -> job.type() == JobType.RESTART)
                                .isPresent();
        return restarts ? kill().restartSignal() : kill().signal();
    }

    @Override
    public TimeSpan limit(Step step) {
        return switch (step) {
            case ABORT -> life.unit().service().timeouts().abort();
            case TERMINATE -> life.unit().service().timeouts().stop();
            case KILL -> TimeSpan.millis(ManagerLimits.KILL_TIMEOUT.duration().toMillis());
        };
    }

    @Override
    public void enter(Step step) {
        life.enter(
                switch (step) {
                    case ABORT -> ServiceState.STOP_WATCHDOG;
                    case TERMINATE ->
                            afterCommands ? ServiceState.FINAL_SIGTERM : ServiceState.STOP_SIGTERM;
                    case KILL ->
                            afterCommands ? ServiceState.FINAL_SIGKILL : ServiceState.STOP_SIGKILL;
                });
        if (step == Step.TERMINATE) {
            life.watchdog.lift();
            life.running().limitSpawns(life.stopTimeout()); // a late child is killed anyway
        }
    }

    @Override
    public void signal(Signal signal, boolean all, boolean hangup) {
        life.running().signal(signal, all, hangup);
    }

    @Override
    public boolean isAwaited() {
        UnitRun run = life.running();
        return run.mainIsAlive() || run.controlIsAlive() || run.isSpawning() || run.isSignalling();
    }

    @Override
    public boolean isEmpty() {
        return life.running().isEmpty();
    }

    @Override
    public void watchEmpty() {
        life.running().watchEmpty();
    }

    @Override
    public void late(String text) {
        life.note(ServiceResult.TIMEOUT);
        life.because(text);
        life.warn(text);
    }

    @Override
    public void signalled() {
        if (afterCommands) {
            steps.cleanUp();
        } else {
            gone();
        }
    }

    // ---- afterwards

    private void gone() {
        List<ExecCommand> list = life.unit().service().commands().stopPost();
        life.disarm();
        if (list.isEmpty()) {
            steps.cleanUp();
            return;
        }
        arm(this::stopPostIsLate);
        commands.run(
                () -> life.enter(ServiceState.STOP_POST),
                list,
                this::exitVariables,
                this::end,
                this::stopPostFailed);
    }

    private void stopPostIsLate() {
        life.warn("its ExecStopPost= command does not end in time");
        life.note(ServiceResult.TIMEOUT);
        end();
    }

    private void stopPostFailed(ExecCommand command, Optional<Exit> exit) {
        noteFailed(command, exit);
        end();
    }

    /** Ends the processes that the commands after the stop have left. */
    private void end() {
        commands.cancel();
        afterCommands = true;
        sequence.begin();
    }

    /** Closes the run, whose processes have exited or are killed now if KillMode= says so. */
    void cleanUp(boolean another, Runnable closed) {
        TimeSpan limit = life.unit().service().timeouts().stop();
        life.disarm();
        UnitRun ended = life.running();
        life.cleaned(ended);
        life.enter(ServiceState.CLEANING);
        life.run(null);
        KillMode mode = kill().mode();
        boolean killed = mode == KillMode.CONTROL_GROUP || mode == KillMode.MIXED;
        ended.close(
                killed && kill().sendFinal(),
                another,
                limit,
                processes -> life.remaining().keep(ended.workload(), processes),
                inTime -> {
                    life.cleaned(null);
                    if (!inTime) {
                        life.note(ServiceResult.TIMEOUT);
                    }
                    closed.run();
                });
    }
}
