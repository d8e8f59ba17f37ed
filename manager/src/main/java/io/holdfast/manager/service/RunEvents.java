package io.holdfast.manager.service;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.manager.exec.ExecStreams;
import io.holdfast.manager.exec.PassedDescriptors;
import io.holdfast.manager.exec.SetupException;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.resource.ResourceUsage;
import io.holdfast.manager.run.ControlCommands;
import io.holdfast.manager.run.UnitRun;
import io.holdfast.manager.unit.section.ServiceSection;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.settings.CgroupSettings.OomPolicy;
import io.holdfast.manager.unit.value.ExecCommand;
import java.util.Optional;

/**
 * Handles the exits and spawns of a service's processes, according to the state of the service.
 * Used on the event loop.
 */
final class RunEvents implements UnitRun.Listener {
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
        if (stopping.sequence().isUnderWay()) {
            stopping.sequence().sendAgain(); // the spawn was requested before the stop
        } else if (asMain && life.is(ServiceState.START)) {
            life.info("started " + life.running().main().map(Object::toString).orElse(""));
            starting.mainSpawned();
        }
    }

    @Override
    public void spawnFailed(ExecCommand command, boolean asMain, Exception failure) {
        Optional<Exit> exit = SetupException.exitOf(failure);
        life.notRun(command, exit, failure);
        if (stopping.sequence().isUnderWay()) {
            stopping.sequence().check();
        } else if (asMain) {
            starting.mainNotSpawned(command, exit);
        } else {
            commands.notExecuted(exit);
        }
    }

    @Override
    public void controlExited(Exit exit) {
        if (stopping.sequence().isUnderWay()) {
            commands.takeCancelled().ifPresent(command -> life.note(resultOf(command, exit)));
            stopping.sequence().check();
        } else {
            commands.exited(exit);
        }
    }

    private ServiceResult resultOf(ExecCommand command, Exit exit) {
        ServiceSection service = life.unit().service();
        return service.commands().start().contains(command)
                ? ServiceResult.of(exit, service.successExitStatus(), service.type())
                : life.resultOfCommand(exit);
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
                if (stopping.sequence().isUnderWay()) {
                    life.note(how);
                    stopping.sequence().check();
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
            stopping.sequence().emptied();
        }
    }

    /** Ends the service as {@code OOMPolicy=} says. */
    @Override
    public void killedByOom() {
        String text = "the kernel's OOM killer has killed a process of it";
        OomPolicy policy = life.unit().cgroup().oomPolicy();
        if (policy == OomPolicy.CONTINUE) {
            life.warn(text + "; it goes on: OOMPolicy=continue");
            return;
        }
        life.fail(text);
        switch (life.state()) {
            case EXITED, RUNNING, RELOAD, RELOAD_SIGNAL, RELOAD_NOTIFY -> {
                if (policy == OomPolicy.STOP) {
                    steps.stop(ServiceResult.OOM_KILL);
                } else {
                    killAll();
                }
            }
            case CONDITION, START_PRE, START, START_POST, STOP -> {
                if (policy == OomPolicy.STOP) {
                    steps.kill(ServiceResult.OOM_KILL);
                } else {
                    killAll();
                }
            }
            default -> life.note(ServiceResult.OOM_KILL);
        }
    }

    private void killAll() {
        steps.kill(ServiceResult.OOM_KILL);
        life.run().ifPresent(run -> run.signal(Signal.KILL, true, false));
    }

    @Override
    public void used(ResourceUsage total) {
        life.used(total);
    }

    @Override
    public void signalled() {
        stopping.sequence().check();
    }

    @Override
    public PassedDescriptors passedTo(ExecCommand command) {
        return descriptorsFor(command)
                .with(life.context().events().activation().triggerVariables(life.unit()));
    }

    private PassedDescriptors descriptorsFor(ExecCommand command) {
        ServiceUnit unit = life.unit();
        boolean starts = unit.service().commands().start().contains(command);
        PassedDescriptors given = life.given().passed(starts);
        if (!starts && !ExecStreams.useSocket(unit.exec())) {
            return given;
        }
        PassedDescriptors sockets = PassedDescriptors.NONE;
        try {
            sockets = life.context().events().activation().descriptorsFor(unit);
            sockets.blocking(!unit.service().nonBlocking());
            return (starts ? sockets.and(life.store().passed()) : sockets).and(given);
        } catch (ErrnoException e) {
            sockets.close(life.context().closer(), unit.name().text());
            given.close(life.context().closer(), unit.name().text());
            throw e;
        }
    }
}
