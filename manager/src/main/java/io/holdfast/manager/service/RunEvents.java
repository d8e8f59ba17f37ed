package io.holdfast.manager.service;

import io.holdfast.core.process.Exit;
import io.holdfast.manager.exec.PassedDescriptors;
import io.holdfast.manager.exec.SetupException;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.unit.value.ExecCommand;
import java.util.Optional;

/**
 * Handles the exits and spawns of a service's processes, according to the state of the service.
 * Used on the event loop.
 */
final class RunEvents implements ServiceRun.Listener {
    private final ServiceLife life;
    private final ControlCommands commands;
    private final ServiceLife.Steps steps;
    private final ServiceStart starting;
    private final ServiceReload reloading;
    private final ServiceStop stopping;

    RunEvents(
            ServiceLife life,
            ControlCommands commands,
            ServiceLife.Steps steps,
            ServiceStart starting,
            ServiceReload reloading,
            ServiceStop stopping) {
        this.life = life;
        this.commands = commands;
        this.steps = steps;
        this.starting = starting;
        this.reloading = reloading;
        this.stopping = stopping;
    }

    @Override
    public void spawned(ExecCommand command, boolean asMain) {
        if (asMain) {
            life.mainStarted();
        } else {
            life.changed();
        }
        reloading.spawned();
        if (!stopping.spawned() && asMain && life.is(ServiceState.START)) {
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
            life.note(commands.resultOfCancelled(exit));
            stopping.maybeGone();
        } else {
            commands.exited(exit);
        }
    }

    @Override
    public void mainExited(Exit exit) {
        boolean mayHaveAnother =
                life.is(ServiceState.START_POST)
                        || life.is(ServiceState.RUNNING)
                        || life.isReloading();
        if (mayHaveAnother && life.unit().service().pidFile().isPresent()) {
            starting.findAnotherMain(found -> {
                if (!found) {
                    mainEnded(exit);
                }
            });
        } else {
            mainEnded(exit);
        }
    }

    /** Handles that the main process has exited and there is no other. */
    private void mainEnded(Exit exit) {
        life.mainExit(exit);
        ServiceResult how = starting.resultOf(exit);
        switch (life.state()) {
            case START -> starting.mainExited(exit, how);
            case START_POST -> { // the ExecStartPost= commands finish first
                starting.logExit(exit, how);
                life.note(how);
            }
            case RUNNING, RELOAD, RELOAD_SIGNAL, RELOAD_NOTIFY -> {
                starting.logExit(exit, how);
                if (how != ServiceResult.SUCCESS) {
                    steps.kill(how);
                } else if (life.unit().service().remainAfterExit()) {
                    life.disarm();
                    reloading.cancel(JobResult.FAILED);
                    commands.cancel();
                    life.enter(ServiceState.EXITED);
                } else {
                    steps.stop(how);
                }
            }
            case STOP, STOP_POST -> life.note(how);
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
        if (life.is(ServiceState.START)) {
            starting.emptied();
        } else if (life.is(ServiceState.RUNNING) || life.isReloading()) {
            if (life.running().main().isEmpty()) { // else the exit of the main process counts
                life.info("all its processes have ended");
                steps.stop(ServiceResult.SUCCESS);
            }
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
}
