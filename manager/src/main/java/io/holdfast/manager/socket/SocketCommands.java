package io.holdfast.manager.socket;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.exec.PassedDescriptors;
import io.holdfast.manager.loop.TimeLimit;
import io.holdfast.manager.process.KillWhom;
import io.holdfast.manager.run.CommandRun;
import io.holdfast.manager.run.KillSequence;
import io.holdfast.manager.run.RunPlan;
import io.holdfast.manager.run.UnitRun;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.section.SocketUnit;
import io.holdfast.manager.unit.settings.KillSettings;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.TimeSpan;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The commands that run before and after a socket listens ({@code ExecStartPre=} and the others),
 * and the signals that end them. A socket without commands has no run, no cgroup and no log of its
 * own. Used on the event loop.
 */
final class SocketCommands implements CommandRun.Owner, KillSequence.Owner {
    /** The socket, as its commands see it. */
    interface Owner {
        SocketUnit unit();

        /** Enters the state of a signal. */
        void enter(SocketState state);

        /** Returns duplicates of the descriptors that each command receives. */
        PassedDescriptors passed();

        /** Logs why a command has failed. */
        void because(String text);

        /** Notes how a command has ended that was killed. */
        void killed(SocketResult result);

        /** Notes that processes did not end in time. */
        void late(String text);
    }

    private final ManagerContext context;
    private final UnitName name;
    private final Owner owner;
    private final TimeLimit deadline;
    private final KillSequence killing;
    private @Nullable CommandRun run;
    private Deque<ExecCommand> left = new ArrayDeque<>();
    private Consumer<SocketResult> then = _ -> {};
    private Runnable killed = () -> {};
    private @Nullable ExecCommand cancelled; // it is being killed
    private boolean last; // what is killed is left over after the last commands

    SocketCommands(ManagerContext context, UnitName name, Owner owner) {
        this.context = context;
        this.name = name;
        this.owner = owner;
        deadline = new TimeLimit(context.loop());
        killing = new KillSequence(this, deadline);
    }

    // ---- commands

    /**
     * Runs commands one after the other, until one fails whose failure counts.
     *
     * @param then called with SUCCESS when all have run; with TIMEOUT while one still runs
     */
    void run(List<ExecCommand> list, Consumer<SocketResult> then) {
        left = new ArrayDeque<>(list);
        this.then = then;
        if (list.isEmpty()) {
            over(SocketResult.SUCCESS);
        } else {
            limit();
            next();
        }
    }

    private void limit() {
        TimeSpan limit = owner.unit().timeout();
        deadline.set(
                limit,
                () -> {
                    owner.because("a command does not end within " + limit + " (TimeoutSec=)");
                    over(SocketResult.TIMEOUT);
                });
    }

    private void next() {
        commandRun().run(() -> {}, left.getFirst());
    }

    private CommandRun commandRun() {
        CommandRun present = run;
        if (present == null) {
            present = new CommandRun(context, name, this);
            run = present;
        }
        return present;
    }

    private void over(SocketResult result) {
        deadline.lift();
        left.clear();
        Consumer<SocketResult> task = then;
        then = _ -> {};
        task.accept(result);
    }

    @Override
    public void spawned() {
        if (killing.isUnderWay()) {
            killing.sendAgain(); // its spawn had begun before the first signals
        }
    }

    @Override
    public void ended(Exit exit) {
        ended(SocketResult.of(exit), "has failed: " + exit);
    }

    @Override
    public void notRun(String why) {
        ended(SocketResult.RESOURCES, why);
    }

    private void ended(SocketResult result, String text) {
        if (killing.isUnderWay()) {
            ExecCommand command = cancelled;
            cancelled = null;
            boolean ran = result != SocketResult.RESOURCES; // otherwise its spawn was cancelled
            if (command != null && ran && !command.has(ExecCommand.Flag.IGNORE_FAILURE)) {
                owner.killed(result);
            }
            killing.check();
            return;
        }
        if (left.isEmpty()) {
            return; // the commands were cancelled
        }
        ExecCommand command = left.removeFirst();
        boolean ignored =
                result != SocketResult.RESOURCES && command.has(ExecCommand.Flag.IGNORE_FAILURE);
        if (result != SocketResult.SUCCESS && !ignored) {
            owner.because(command.executable() + ": " + text);
            over(result);
        } else if (left.isEmpty()) {
            over(SocketResult.SUCCESS);
        } else {
            limit();
            next();
        }
    }

    // ---- signals

    /**
     * Ends the commands, and what they have left in the cgroup.
     *
     * @param isLast whether no further commands follow
     * @param then called when the processes have ended, or are given up
     */
    void kill(boolean isLast, Runnable then) {
        cancelled = left.peekFirst();
        left.clear();
        deadline.lift();
        if (run == null || !run.isKept()) {
            then.run();
            return;
        }
        last = isLast;
        killed = then;
        run.cancelPreparation();
        killing.begin();
    }

    @Override
    public KillSettings kill() {
        return owner.unit().kill();
    }

    @Override
    public TimeSpan limit(KillSequence.Step step) {
        return timeout();
    }

    @Override
    public void enter(KillSequence.Step step) {
        boolean kills = step == KillSequence.Step.KILL;
        if (kills) {
            open().ifPresent(open -> open.limitSpawns(Duration.ZERO));
        }
        owner.enter(
                last
                        ? kills ? SocketState.FINAL_SIGKILL : SocketState.FINAL_SIGTERM
                        : kills ? SocketState.STOP_PRE_SIGKILL : SocketState.STOP_PRE_SIGTERM);
    }

    @Override
    public void signal(Signal signal, boolean all, boolean hangup) {
        commandRun().signal(signal, all, hangup);
    }

    @Override
    public boolean isAwaited() {
        return run != null && run.isBusy();
    }

    @Override
    public void watchEmpty() {
        if (run == null || run.open().isEmpty()) {
            killing.emptied();
        } else {
            run.watchEmpty();
        }
    }

    @Override
    public void emptied() {
        if (killing.isUnderWay()) {
            killing.emptied();
        }
    }

    @Override
    public void late(String text) {
        owner.late(text);
    }

    @Override
    public void signalSent() {
        killing.check();
    }

    @Override
    public void signalled() {
        deadline.lift();
        Runnable task = killed;
        killed = () -> {};
        task.run();
    }

    // ---- its run

    @Override
    public TimeSpan timeout() {
        return owner.unit().timeout();
    }

    @Override
    public RunPlan plan(String invocationId) {
        SocketUnit unit = owner.unit();
        return RunPlan.ofCommands(
                unit, context.scope(), unit.exec(), unit.kill(), true, invocationId);
    }

    @Override
    public PassedDescriptors passed() {
        return owner.passed();
    }

    /** Begins a new invocation of the unit; removes the cgroup of the one before. */
    void begin() {
        if (run != null) {
            run.begin();
        }
    }

    /** Removes the cgroup, once the processes in it have ended. */
    void close() {
        if (run != null) {
            run.close();
        }
    }

    /** Returns the run of its commands; empty if none has run since the unit was loaded. */
    Optional<CommandRun> run() {
        return Optional.ofNullable(run);
    }

    boolean signal(Signal signal, KillWhom whom, OptionalInt value) {
        return run != null && run.signal(signal, whom, value);
    }

    boolean isKept() {
        return run != null && run.isKept();
    }

    Optional<UnitRun> open() {
        return run().flatMap(CommandRun::open);
    }

    void unloaded() {
        deadline.lift();
        run().ifPresent(CommandRun::unloaded);
    }

    void abandon() {
        deadline.lift();
        run().ifPresent(CommandRun::abandon);
    }

    // ---- when the manager is killed

    void record(Fields fields) {
        if (run != null) {
            fields.put("commands-left", left.size()).put("commands-last", last);
            run.record(fields);
        }
    }

    /** Takes over the run of a killed manager. */
    void restore(Fields fields) {
        if (fields.find("commands-left").isPresent()) {
            last = fields.is("commands-last");
            commandRun().restore(fields);
        }
    }

    /** Continues a list of commands; the command that still runs is awaited. */
    void resume(List<ExecCommand> list, Fields fields, Consumer<SocketResult> then) {
        int count = fields.find("commands-left").map(Integer::parseInt).orElse(list.size());
        List<ExecCommand> rest = list.subList(Math.max(0, list.size() - count), list.size());
        if (isAwaited() && !rest.isEmpty()) {
            left = new ArrayDeque<>(rest);
            this.then = then;
            limit();
        } else {
            run(rest, then);
        }
    }
}
