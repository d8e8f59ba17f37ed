package io.holdfast.manager.service;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.loop.TimeLimit;
import io.holdfast.manager.notify.NotifyMessage;
import io.holdfast.manager.run.ControlCommands;
import io.holdfast.manager.runtime.JobWaiters;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.ServiceType;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Reloads the configuration of a running service: by {@code ReloadSignal=} and the two notify
 * messages of the service ({@code Type=notify-reload}), by its {@code ExecReload=} commands, or by
 * both. If a reload fails, the service keeps running. Used on the event loop.
 */
final class ServiceReload {
    private final ServiceLife life;
    private final ControlCommands commands;
    private final ForkedMain forked;
    private final JobWaiters waiters = new JobWaiters();

    /** Independent of the deadline of the run, which continues. */
    private final TimeLimit deadline;

    private Awaited awaited = Awaited.NOTHING;
    private boolean late;
    private long signalledMicros; // CLOCK_MONOTONIC

    /** The notify message that the service has to send before the reload is done. */
    private enum Awaited {
        NOTHING,
        RELOADING,
        READY
    }

    ServiceReload(ServiceLife life, ControlCommands commands) {
        this.life = life;
        this.commands = commands;
        this.forked = new ForkedMain(life);
        this.deadline = new TimeLimit(life.context().loop());
    }

    JobWaiters waiters() {
        return waiters;
    }

    TimeLimit deadline() {
        return deadline;
    }

    /** Begins a reload; the service is running. */
    void begin() {
        deadline.set(life.unit().service().timeouts().start(), this::late);
        awaited = Awaited.NOTHING;
        life.reloadResult(ServiceResult.SUCCESS);
        if (life.unit().service().type() == ServiceType.NOTIFY_RELOAD) {
            awaited = Awaited.RELOADING;
            signalledMicros = TimeUnit.NANOSECONDS.toMicros(System.nanoTime());
            Signal signal = life.unit().service().reloadSignal();
            life.running().signal(signal, false, false);
        }
        List<ExecCommand> list = life.unit().service().commands().reload();
        commands.run(
                () -> life.enter(ServiceState.RELOAD),
                list,
                Map::of,
                list.isEmpty() ? this::progress : this::executed,
                this::commandFailed);
    }

    void record(Fields fields) {
        fields.put("awaited", awaited.name())
                .put("reload-late", late)
                .put("reload-signalled", signalledMicros)
                .put("reload-deadline", deadline.at());
    }

    /** Continues a reload that an earlier manager began. */
    void resume(Fields fields) {
        awaited = fields.word("awaited", Awaited.class);
        late = fields.is("reload-late");
        signalledMicros = fields.number("reload-signalled");
        deadline.restore(fields.number("reload-deadline"), this::late);
        if (life.is(ServiceState.RELOAD)) {
            commands.resume(
                    life.unit().service().commands().reload(),
                    Math.toIntExact(fields.number("commands-left")),
                    Map::of,
                    this::executed,
                    this::commandFailed);
        }
    }

    /** Continues after the commands, which may have replaced the main process. */
    private void executed() {
        forked.findAnother(_ -> {
            if (life.isReloading()) {
                progress();
            }
        });
    }

    /** Continues after a message or the last command. */
    private void progress() {
        if (commands.areRunning()) {
            return;
        }
        if (late) {
            end(JobResult.FAILED);
        } else {
            switch (awaited) {
                case NOTHING -> end(JobResult.DONE);
                case RELOADING -> life.enter(ServiceState.RELOAD_SIGNAL);
                case READY -> life.enter(ServiceState.RELOAD_NOTIFY);
            }
        }
    }

    private void commandFailed(ExecCommand command, Optional<Exit> exit) {
        ServiceResult how = life.commandFailed("reload: ", command, exit);
        life.reloadResult(late ? ServiceResult.TIMEOUT : how); // the run has its own result
        end(JobResult.FAILED);
    }

    /**
     * Handles the timeout. The reload ends only when the running command has exited: otherwise the
     * next command would receive this one's exit.
     */
    private void late() {
        life.warn("does not reload in time");
        life.reloadResult(ServiceResult.TIMEOUT);
        late = true;
        if (commands.areRunning()) {
            life.running().killControl();
            life.running().limitSpawns(life.stopTimeout());
        } else {
            end(JobResult.FAILED);
        }
    }

    /** Kills a command that was spawned after the timeout. */
    void spawned() {
        if (late && life.isReloading()) {
            life.running().killControl();
        }
    }

    private void end(JobResult how) {
        deadline.lift();
        late = false;
        awaited = Awaited.NOTHING;
        JobWaiters ended = waiters.take(); // a job that waited may begin the next reload at once
        life.enter(ServiceState.RUNNING);
        ended.answer(how);
    }

    /** Handles a notify message about a reload. */
    void message(NotifyMessage message) {
        if (message.reloading() && life.is(ServiceState.RUNNING)) { // begun by the service
            deadline.set(life.unit().service().timeouts().start(), this::late);
            awaited = Awaited.READY;
            progress();
        } else if (message.reloading() && awaited == Awaited.RELOADING && isAnswer(message)) {
            awaited = Awaited.READY;
            progress();
        } else if (message.ready() && awaited == Awaited.READY) {
            awaited = Awaited.NOTHING;
            progress();
        }
    }

    /** Returns whether a message answers the signal: its time must not be before the signal. */
    private boolean isAnswer(NotifyMessage message) {
        return message.monotonicMicros().isPresent()
                && message.monotonicMicros().getAsLong() >= signalledMicros;
    }

    /** Cancels the reload, because the service is being stopped. */
    void cancel(JobResult how) {
        deadline.lift();
        late = false;
        awaited = Awaited.NOTHING;
        waiters.answer(how);
    }
}
