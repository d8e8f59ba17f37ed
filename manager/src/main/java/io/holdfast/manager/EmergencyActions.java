package io.holdfast.manager;

import io.holdfast.core.process.Exit;
import io.holdfast.manager.log.ManagerListener.Level;
import io.holdfast.manager.runtime.LoadedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.unit.settings.EmergencyAction;
import io.holdfast.manager.unit.settings.EndSettings;
import java.util.Locale;
import java.util.OptionalInt;

/**
 * {@code SuccessAction=}, {@code FailureAction=}, {@code StartLimitAction=} and {@code
 * JobTimeoutAction=}: a unit that ends takes the manager with it. Only this manager can be ended,
 * not the machine: it is not PID 1. On the loop.
 */
final class EmergencyActions {
    private static final int NOT_CLEAN = 255;

    /** Ends the manager. */
    interface Exits {
        /**
         * @param status the exit status of the process; empty where the unit has none
         * @param force whether units are killed instead of stopped in order
         */
        void exit(OptionalInt status, boolean force);
    }

    private final ManagerContext context;
    private final Exits exits;

    EmergencyActions(ManagerContext context, Exits exits) {
        this.context = context;
        this.exits = exits;
    }

    void succeeded(LoadedUnit node) {
        EndSettings settings = settings(node);
        act(node, "SuccessAction", settings.successAction(), settings.successStatus());
    }

    void failed(LoadedUnit node) {
        EndSettings settings = settings(node);
        act(node, "FailureAction", settings.failureAction(), settings.failureStatus());
    }

    void startLimitHit(LoadedUnit node) {
        act(node, "StartLimitAction", settings(node).startLimitAction(), OptionalInt.empty());
    }

    void jobTimedOut(LoadedUnit node) {
        act(node, "JobTimeoutAction", settings(node).jobTimeoutAction(), OptionalInt.empty());
    }

    private static EndSettings settings(LoadedUnit node) {
        return node.unit().unit().unit().ends();
    }

    private void act(
            LoadedUnit node, String directive, EmergencyAction action, OptionalInt configured) {
        String word = action.name().toLowerCase(Locale.ROOT).replace('_', '-');
        switch (action) {
            case NONE -> {}
            case EXIT, EXIT_FORCE -> {
                context.notice(node.name(), directive + "=" + word + ": the manager ends");
                exits.exit(
                        configured.isPresent() ? configured : statusOf(node),
                        action == EmergencyAction.EXIT_FORCE);
            }
            default ->
                    context.listener()
                            .event(
                                    node.name(),
                                    Level.WARNING,
                                    directive
                                            + "="
                                            + word
                                            + " is not possible: this manager is not PID 1");
        }
    }

    private static OptionalInt statusOf(LoadedUnit node) {
        Exit exit = node.unit().status().mainExit().orElse(null);
        if (exit instanceof Exit.Exited(int status)) {
            return OptionalInt.of(status);
        }
        return exit == null ? OptionalInt.empty() : OptionalInt.of(NOT_CLEAN);
    }
}
