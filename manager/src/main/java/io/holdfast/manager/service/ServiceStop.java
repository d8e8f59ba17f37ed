package io.holdfast.manager.service;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.run.ControlCommands;
import io.holdfast.manager.run.UnitRun;
import io.holdfast.manager.unit.settings.KillSettings;
import io.holdfast.manager.unit.settings.KillSettings.KillMode;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Stops a service: runs its stop commands, sends the signals, runs the commands after the stop, and
 * removes what was made for the run. Used on the event loop.
 */
final class ServiceStop {
    private final ServiceLife life;
    private final ControlCommands commands;
    private final ServiceLife.Steps steps;
    private boolean emptied;

    ServiceStop(ServiceLife life, ControlCommands commands, ServiceLife.Steps steps) {
        this.life = life;
        this.commands = commands;
        this.steps = steps;
    }

    private KillSettings kill() {
        return life.unit().kill();
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
            case STOP_WATCHDOG, STOP_SIGTERM, FINAL_SIGTERM -> {
                life.deadline.restore(deadline, this::signalFinally);
                awaitExits();
            }
            case STOP_SIGKILL, FINAL_SIGKILL -> {
                life.deadline.restore(deadline, this::leftOver);
                awaitExits();
            }
            default -> {}
        }
    }

    private void awaitExits() {
        emptied = false;
        life.running().watchEmpty();
        maybeGone();
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
        life.disarm();
        commands.cancel();
        if (kill().mode() == KillMode.NONE) {
            life.enter(ServiceState.STOP_SIGTERM);
            gone();
            return;
        }
        enter(ServiceState.STOP_SIGTERM);
    }

    /** Sends the signal of a state, and waits until the processes have exited. */
    private void enter(ServiceState state) {
        boolean last = state == ServiceState.STOP_SIGKILL || state == ServiceState.FINAL_SIGKILL;
        life.enter(state);
        emptied = false;
        send(last);
        if (last) {
            life.deadline.set(ManagerLimits.KILL_TIMEOUT.duration(), this::leftOver);
        } else {
            arm(this::signalFinally);
            life.running().limitSpawns(life.stopTimeout()); // a late child is killed anyway
        }
        life.running().watchEmpty();
        maybeGone(); // they may all have exited already
    }

    private void leftOver() {
        life.error("processes are left over after the last signal");
        signalled();
    }

    private void signalFinally() {
        life.note(ServiceResult.TIMEOUT);
        if (!kill().sendFinal()) {
            life.warn("does not stop, and SendSIGKILL=no");
            signalled();
            return;
        }
        life.because("does not stop in time");
        life.warn("does not stop in time: " + kill().finalSignal());
        enter(isFinal() ? ServiceState.FINAL_SIGKILL : ServiceState.STOP_SIGKILL);
    }

    /** Waits for the exit of a service that has announced it ({@code STOPPING=1}): no signal. */
    void announced() {
        life.disarm();
        life.running().stopBegun();
        life.enter(ServiceState.STOP_SIGTERM);
        emptied = false;
        arm(this::signalFinally);
        life.running().watchEmpty();
        maybeGone();
    }

    /** Ends the main process with the watchdog signal, because the watchdog has expired. */
    void watchdogExpired() {
        life.note(ServiceResult.WATCHDOG);
        commands.cancel();
        life.running().stopBegun();
        life.enter(ServiceState.STOP_WATCHDOG);
        emptied = false;
        life.running().signal(kill().watchdogSignal(), false, false);
        life.deadline.set(life.unit().service().timeouts().abort(), this::signalFinally);
        life.running().watchEmpty();
    }

    private void send(boolean last) {
        KillMode mode = kill().mode();
        boolean all = mode == KillMode.CONTROL_GROUP || (last && mode == KillMode.MIXED);
        Signal first = isForRestart() ? kill().restartSignal() : kill().signal();
        life.running()
                .signal(last ? kill().finalSignal() : first, all, !last && kill().sendHangup());
    }

    /**
     * Returns whether a restart job stops it, which selects RestartKillSignal=. Processes left by
     * ExecStopPost= always get KillSignal=.
     */
    private boolean isForRestart() {
        return !isFinal()
                && life.context()
                        .events()
                        .jobOf(life.name())
                        .filter(job -> job.type() == JobType.RESTART)
                        .isPresent();
    }

    /** Returns whether its processes have been signalled and are waited for. */
    boolean isSignalled() {
        return switch (life.state()) {
            case STOP_WATCHDOG, STOP_SIGTERM, STOP_SIGKILL, FINAL_SIGTERM, FINAL_SIGKILL -> true;
            default -> false;
        };
    }

    private boolean isFinal() {
        return life.is(ServiceState.FINAL_SIGTERM) || life.is(ServiceState.FINAL_SIGKILL);
    }

    /**
     * Signals a process whose spawn was requested before the stop. Returns whether the spawn came
     * too late.
     */
    boolean spawned() {
        boolean late = isSignalled();
        if (late) {
            send(isKilled());
        }
        return late;
    }

    private boolean isKilled() {
        return life.is(ServiceState.STOP_SIGKILL) || life.is(ServiceState.FINAL_SIGKILL);
    }

    /** Handles that no living process is left. */
    void emptied() {
        emptied = true;
        maybeGone();
    }

    /**
     * Checks whether all awaited processes have exited, after one has exited or failed to spawn.
     */
    void maybeGone() {
        if (!isSignalled()) {
            return;
        }
        UnitRun run = life.running();
        if (run.mainIsAlive() || run.controlIsAlive() || run.isSpawning() || run.isSignalling()) {
            return;
        }
        boolean waitsForAll =
                kill().mode() == KillMode.CONTROL_GROUP || kill().mode() == KillMode.MIXED;
        if (emptied || !waitsForAll) {
            signalled();
        } else if (kill().mode() == KillMode.MIXED && !isKilled()) {
            enter(isFinal() ? ServiceState.FINAL_SIGKILL : ServiceState.STOP_SIGKILL);
        }
    }

    /** Continues when the signalled processes have exited, or are given up. */
    private void signalled() {
        if (isFinal()) {
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
        life.disarm();
        commands.cancel();
        if (kill().mode() == KillMode.NONE) {
            steps.cleanUp();
            return;
        }
        enter(ServiceState.FINAL_SIGTERM);
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
