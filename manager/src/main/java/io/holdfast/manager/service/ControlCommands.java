package io.holdfast.manager.service;

import io.holdfast.core.process.Exit;
import io.holdfast.manager.unit.section.ServiceSection;
import io.holdfast.manager.unit.value.ExecCommand;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs the control commands of a service one after the other, until a command fails whose failure
 * counts. Used on the event loop.
 */
final class ControlCommands {
    /** Called when a command failed and its failure counts. */
    interface Failure {
        /**
         * @param exit how it ended; empty if no process was started
         */
        void failed(ExecCommand command, Optional<Exit> exit);
    }

    private final ServiceLife life;
    private Deque<ExecCommand> left = new ArrayDeque<>();
    private Supplier<Map<String, String>> variables = Map::of;
    private Runnable then = () -> {};
    private Failure otherwise = (_, _) -> {};
    private @Nullable ExecCommand cancelled; // still runs, though its list was cancelled

    ControlCommands(ServiceLife life) {
        this.life = life;
    }

    /**
     * Runs a list of commands.
     *
     * @param phase the state to enter if there are any
     * @param variables the environment variables of each command, read when it starts
     * @param then called when all have run
     * @param otherwise called when one has failed; the rest is not run
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
     * Continues a list that an earlier manager began.
     *
     * @param last how many commands are not done; the first of them still runs, or is started now
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

    /** Returns how many commands are not done. */
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

    /** Handles the exit of the running command. */
    void exited(Exit exit) {
        ended(Optional.of(exit), true);
    }

    /**
     * Handles that the command could not be executed.
     *
     * @param exit the exit status that stands for the failure; empty if no process would have been
     *     started
     */
    void notExecuted(Optional<Exit> exit) {
        ended(exit, false);
    }

    private void ended(Optional<Exit> exit, boolean ran) {
        if (left.isEmpty()) {
            return; // the list was cancelled
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

    /** Returns whether a command is running, or about to run. */
    boolean areRunning() {
        return !left.isEmpty();
    }

    /** Drops the rest of the list; the running command does not continue it when it exits. */
    void cancel() {
        if (!left.isEmpty()) {
            cancelled = left.getFirst();
        }
        left.clear();
    }

    /** Returns how the exit of a command whose list was cancelled counts for the service. */
    ServiceResult resultOfCancelled(Exit exit) {
        ExecCommand command = cancelled;
        cancelled = null;
        if (command == null || command.has(ExecCommand.Flag.IGNORE_FAILURE)) {
            return ServiceResult.SUCCESS;
        }
        ServiceSection service = life.unit().service();
        return service.commands().start().contains(command)
                ? ServiceResult.of(exit, service.successExitStatus(), service.type())
                : ServiceResult.ofCommand(exit, service.successExitStatus());
    }
}
