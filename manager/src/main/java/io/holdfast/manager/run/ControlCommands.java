package io.holdfast.manager.run;

import io.holdfast.core.process.Exit;
import io.holdfast.manager.unit.value.ExecCommand;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs the control commands of a unit one after the other, until a command fails whose failure
 * counts. Used on the event loop.
 */
public final class ControlCommands {
    /** Called when a command failed and its failure counts. */
    public interface Failure {
        /**
         * @param exit how it ended; empty if no process was started
         */
        void failed(ExecCommand command, Optional<Exit> exit);
    }

    private final Supplier<UnitRun> running;
    private final Predicate<Exit> succeeds;
    private List<ExecCommand> left = List.of();
    private Supplier<Map<String, String>> variables = Map::of;
    private Runnable then = () -> {};
    private Failure otherwise = (_, _) -> {};
    private @Nullable ExecCommand cancelled; // still runs, though its list was cancelled

    /**
     * @param running returns the run, which must exist
     * @param succeeds whether an exit of a command counts as a success
     */
    public ControlCommands(Supplier<UnitRun> running, Predicate<Exit> succeeds) {
        this.running = running;
        this.succeeds = succeeds;
    }

    /**
     * Runs a list of commands.
     *
     * @param begun called first if there are any
     * @param variables the environment variables of each command, read when it starts
     * @param then called when all have run
     * @param otherwise called when one has failed; the rest is not run
     */
    public void run(
            Runnable begun,
            List<ExecCommand> list,
            Supplier<Map<String, String>> variables,
            Runnable then,
            Failure otherwise) {
        left = List.copyOf(list);
        this.variables = variables;
        this.then = then;
        this.otherwise = otherwise;
        if (!list.isEmpty()) {
            begun.run();
        }
        next();
    }

    /**
     * Continues a list that an earlier manager began.
     *
     * @param last how many commands are not done; the first of them still runs, or is started now
     */
    public void resume(
            List<ExecCommand> list,
            int last,
            Supplier<Map<String, String>> variables,
            Runnable then,
            Failure otherwise) {
        left = list.subList(Math.max(0, list.size() - last), list.size());
        this.variables = variables;
        this.then = then;
        this.otherwise = otherwise;
        if (!running.get().controlIsAlive()) {
            next();
        }
    }

    /** Returns how many commands are not done. */
    public int left() {
        return left.size();
    }

    private void next() {
        if (left.isEmpty()) {
            then.run();
        } else {
            running.get().spawn(left.getFirst(), false, variables.get());
        }
    }

    /** Handles the exit of the running command. */
    public void exited(Exit exit) {
        ended(Optional.of(exit), true);
    }

    /**
     * Handles that the command could not be executed.
     *
     * @param exit the exit status that stands for the failure; empty if no process would have been
     *     started
     */
    public void notExecuted(Optional<Exit> exit) {
        ended(exit, false);
    }

    private void ended(Optional<Exit> exit, boolean ran) {
        if (left.isEmpty()) {
            return; // the list was cancelled
        }
        ExecCommand command = left.getFirst();
        left = left.subList(1, left.size());
        boolean ignored = exit.isPresent() && command.has(ExecCommand.Flag.IGNORE_FAILURE);
        if (ignored || (ran && isSuccess(exit))) {
            next();
        } else {
            left = List.of();
            otherwise.failed(command, exit);
        }
    }

    private boolean isSuccess(Optional<Exit> exit) {
        return exit.filter(succeeds).isPresent();
    }

    /** Returns whether a command is running, or about to run. */
    public boolean areRunning() {
        return !left.isEmpty();
    }

    /** Drops the rest of the list; the running command does not continue it when it exits. */
    public void cancel() {
        if (!left.isEmpty()) {
            cancelled = left.getFirst();
        }
        left = List.of();
    }

    /** Returns once the command that still ran when its list was cancelled, if its exit counts. */
    public Optional<ExecCommand> takeCancelled() {
        Optional<ExecCommand> command = Optional.ofNullable(cancelled);
        cancelled = null;
        return command.filter(one -> !one.has(ExecCommand.Flag.IGNORE_FAILURE));
    }
}
