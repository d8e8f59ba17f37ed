package io.holdfast.manager.service;

import io.holdfast.core.linux.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.runtime.SubState;
import io.holdfast.manager.unit.section.KillSettings;
import io.holdfast.manager.unit.section.KillSettings.KillMode;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How a service is stopped: its stop commands, the signals, the commands after the stop, and the
 * removal of what was made for the run. On the loop.
 */
final class ServiceStop {
    private final ServiceLife life;
    private final ControlCommands commands;
    private final ServiceLife.Steps steps;
    private boolean emptied;
    private boolean restarting;

    ServiceStop(ServiceLife life, ControlCommands commands, ServiceLife.Steps steps) {
        this.life = life;
        this.commands = commands;
        this.steps = steps;
    }

    private KillSettings kill() {
        return life.unit().kill();
    }

    /** Says before the stop whether it is the first half of a restart that somebody asked for. */
    void forRestart(boolean whether) {
        restarting = whether;
    }

    boolean isForRestart() {
        return restarting;
    }

    /**
     * Begins, in whatever step the service is. Its stop commands run if it was started, and if no
     * other command runs that would have to be ended first.
     */
    void begin(ServiceResult why) {
        life.note(why);
        life.disarm();
        life.running().stopBegun();
        List<ExecCommand> list = life.unit().service().commands().stop();
        if (life.hasStarted() && !list.isEmpty() && !commands.areRunning()) {
            arm(this::stopCommandIsLate);
            commands.run(
                    SubState.STOP, list, this::exitVariables, this::signal, this::commandFailed);
        } else {
            signal();
        }
    }

    private void arm(Runnable late) {
        life.deadline.set(life.unit().service().timeouts().stop(), late);
    }

    /** What the commands are told of the end. */
    private Map<String, String> exitVariables() {
        String result = life.result().toString();
        return switch (life.mainExit().orElse(null)) {
            case Exit.Exited(int status) ->
                    Map.of(
                            "SERVICE_RESULT",
                            result,
                            "EXIT_CODE",
                            "exited",
                            "EXIT_STATUS",
                            Integer.toString(status));
            case Exit.Killed(var signal, boolean dumped) ->
                    Map.of(
                            "SERVICE_RESULT",
                            result,
                            "EXIT_CODE",
                            dumped ? "dumped" : "killed",
                            "EXIT_STATUS",
                            signal.name());
            case null, default -> Map.of("SERVICE_RESULT", result);
        };
    }

    private void commandFailed(ExecCommand command, Optional<Exit> exit) {
        noteFailed(command, exit);
        signal();
    }

    private void noteFailed(ExecCommand command, Optional<Exit> exit) {
        life.note(life.commandFailed("", command, exit));
    }

    private void stopCommandIsLate() {
        life.warn("its stop command does not end in time");
        life.note(ServiceResult.TIMEOUT);
        signal();
    }

    // ---- signals

    private void signal() {
        life.disarm();
        commands.cancel();
        life.enter(SubState.STOP_SIGTERM);
        emptied = false;
        if (kill().mode() == KillMode.NONE) {
            gone();
            return;
        }
        send(false);
        arm(this::signalFinally);
        life.running().limitSpawns(life.stopPatience()); // what would come is killed anyway
        life.running().watchEmpty();
    }

    private void signalFinally() {
        life.note(ServiceResult.TIMEOUT);
        if (!kill().sendFinal()) {
            life.warn("does not stop, and SendSIGKILL=no");
            gone();
            return;
        }
        life.warn("does not stop in time: " + kill().finalSignal());
        life.enter(SubState.STOP_SIGKILL);
        emptied = false;
        send(true);
        life.deadline.set(
                ManagerLimits.KILL_PATIENCE.duration(),
                () -> {
                    life.error("is still there after the last signal");
                    gone();
                });
        life.running().watchEmpty();
    }

    /** Nobody has fed the watchdog: ends the main process with that signal. */
    void watchdogExpired() {
        life.note(ServiceResult.WATCHDOG);
        commands.cancel();
        life.enter(SubState.STOP_WATCHDOG);
        emptied = false;
        life.running().signal(kill().watchdogSignal(), false, false);
        life.deadline.set(life.unit().service().timeouts().abort(), this::signalFinally);
        life.running().watchEmpty();
    }

    private void send(boolean last) {
        KillMode mode = kill().mode();
        boolean all = mode == KillMode.CONTROL_GROUP || (last && mode == KillMode.MIXED);
        Signal first = restarting ? kill().restartSignal() : kill().signal();
        life.running()
                .signal(last ? kill().finalSignal() : first, all, !last && kill().sendHangup());
    }

    /** Whether its processes have been signalled and are waited for. */
    boolean isSignalled() {
        return life.is(SubState.STOP_SIGTERM)
                || life.is(SubState.STOP_SIGKILL)
                || life.is(SubState.STOP_WATCHDOG);
    }

    /** A process was spawned that was asked for before; true if it came too late. */
    boolean spawned() {
        boolean late = isSignalled() || (life.is(SubState.STOP_POST) && !commands.areRunning());
        if (late) {
            send(life.is(SubState.STOP_SIGKILL)); // it came too late to be asked nicely
        }
        return late;
    }

    /** No living process is left. */
    void emptied() {
        emptied = true;
        maybeGone();
    }

    /** One that was waited for has gone, or was not even spawned. */
    void maybeGone() {
        ServiceRun run = life.running();
        if (!isSignalled()
                || run.mainIsAlive()
                || run.controlIsAlive()
                || run.isSpawning()
                || run.isSignalling()) {
            return;
        }
        switch (kill().mode()) {
            case CONTROL_GROUP -> {
                if (emptied) {
                    gone();
                }
            }
            case MIXED -> {
                if (emptied) {
                    gone();
                } else if (!life.is(SubState.STOP_SIGKILL)) {
                    life.enter(SubState.STOP_SIGKILL);
                    send(true);
                }
            }
            case PROCESS, NONE -> gone();
        }
    }

    // ---- afterwards

    private void gone() {
        life.disarm();
        arm(() -> {
            life.warn("its command after the stop does not end in time");
            life.note(ServiceResult.TIMEOUT);
            commands.cancel();
            life.running().signal(Signal.KILL, false, false);
            steps.cleanUp();
        });
        commands.run(
                SubState.STOP_POST,
                life.unit().service().commands().stopPost(),
                this::exitVariables,
                steps::cleanUp,
                (command, exit) -> {
                    noteFailed(command, exit);
                    steps.cleanUp();
                });
    }

    /** Lets go of the run, whose processes have gone or are killed now if that is wanted. */
    void cleanUp(boolean another, Runnable closed) {
        TimeSpan limit = life.unit().service().timeouts().stop();
        life.disarm();
        ServiceRun ended = life.running();
        life.run(null);
        life.enter(SubState.FINAL_SIGKILL);
        KillMode mode = kill().mode();
        boolean killed = mode == KillMode.CONTROL_GROUP || mode == KillMode.MIXED;
        ended.close(
                killed && kill().sendFinal(),
                another,
                limit,
                inTime -> {
                    if (!inTime) {
                        life.note(ServiceResult.TIMEOUT);
                    }
                    closed.run();
                });
    }
}
