package io.holdfast.manager.service;

import io.holdfast.core.process.Exit;
import io.holdfast.manager.unit.value.ExecCommand;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The commands that a service runs beside its main process, one after the other, until one fails
 * that may not. On the loop.
 */
final class ControlCommands {
    /** Told of a command whose failure counts. */
    interface Failure {
        /**
         * @param exit how it ended; empty where it came to no process
         */
        void failed(ExecCommand command, Optional<Exit> exit);
    }

    private final ServiceLife life;
    private Deque<ExecCommand> left = new ArrayDeque<>();
    private Supplier<Map<String, String>> variables = Map::of;
    private Runnable then = () -> {};
    private Failure otherwise = (_, _) -> {};

    ControlCommands(ServiceLife life) {
        this.life = life;
    }

    /**
     * Runs a list of commands.
     *
     * @param phase entered if there are any
     * @param variables told to each of them, as they are then
     * @param then when all have run
     * @param otherwise when one has failed: the others are not run
     */
    void run(
            ServiceState phase,
            List<ExecCommand> list,
            Supplier<Map<String, String>> variables,
            Runnable then,
            Failure otherwise) {
        left = new ArrayDeque<>(list);
        this.variables = variables;
        this.then = then;
        this.otherwise = otherwise;
        if (!list.isEmpty()) {
            life.enter(phase);
        }
        next();
    }

    /**
     * Goes on with a list that an earlier manager has begun.
     *
     * @param last how many of them are not done; the first of these runs, if one is there, else it
     *     is begun
     */
    void resume(
            List<ExecCommand> list,
            int last,
            Supplier<Map<String, String>> variables,
            Runnable then,
            Failure otherwise) {
        left = new ArrayDeque<>(list.subList(Math.max(0, list.size() - last), list.size()));
        this.variables = variables;
        this.then = then;
        this.otherwise = otherwise;
        if (!life.running().controlIsAlive()) {
            next();
        }
    }

    /** How many are not done. */
    int left() {
        return left.size();
    }

    private void next() {
        if (left.isEmpty()) {
            then.run();
        } else {
            life.running().spawn(left.getFirst(), false, variables.get());
        }
    }

    /** The one that runs has ended. */
    void exited(Exit exit) {
        ended(Optional.of(exit), true);
    }

    /**
     * The one that was to run could not be executed, as this exit status tells; empty where there
     * would have been no process.
     */
    void notExecuted(Optional<Exit> exit) {
        ended(exit, false);
    }

    private void ended(Optional<Exit> exit, boolean ran) {
        if (left.isEmpty()) {
            return; // nobody waits for it any more
        }
        ExecCommand command = left.removeFirst();
        boolean ignored = exit.isPresent() && command.has(ExecCommand.Flag.IGNORE_FAILURE);
        if (ignored || (ran && isSuccess(exit))) {
            next();
        } else {
            left.clear();
            otherwise.failed(command, exit);
        }
    }

    private boolean isSuccess(Optional<Exit> exit) {
        return exit.map(how ->
                        ServiceResult.ofCommand(how, life.unit().service().successExitStatus()))
                .equals(Optional.of(ServiceResult.SUCCESS));
    }

    /** Whether one is running, or about to. */
    boolean areRunning() {
        return !left.isEmpty();
    }

    /** What is left is not run, and nobody waits for the one that runs. */
    void cancel() {
        left.clear();
    }
}
