package io.holdfast.manager.reaction;

import io.holdfast.core.process.Exit;
import io.holdfast.manager.log.ManagerListener.Level;
import io.holdfast.manager.runtime.LoadedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.survival.ManagerEnd.What;
import io.holdfast.manager.unit.settings.EmergencyAction;
import io.holdfast.manager.unit.settings.EndSettings;
import java.util.Locale;
import java.util.OptionalInt;

/**
 * Carries out {@code SuccessAction=}, {@code FailureAction=}, {@code StartLimitAction=} and {@code
 * JobTimeoutAction=}: the end of a unit ends the manager. The manager can end itself, but not the
 * machine; as the init of a container it can also end the container. Used on the event loop.
 */
final class EmergencyActions {
    private static final int NOT_CLEAN = 255;

    private final ManagerContext context;
    private final Ending ending;

    EmergencyActions(ManagerContext context, Ending ending) {
        this.context = context;
        this.ending = ending;
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
                ending.begin(
                        What.EXIT,
                        configured.isPresent() ? configured : statusOf(node),
                        action == EmergencyAction.EXIT_FORCE);
            }
            case REBOOT -> endContainer(node, directive, word, What.REBOOT, false);
            case REBOOT_FORCE, REBOOT_IMMEDIATE ->
                    endContainer(node, directive, word, What.REBOOT, true);
            case POWEROFF -> endContainer(node, directive, word, What.POWER_OFF, false);
            case POWEROFF_FORCE, POWEROFF_IMMEDIATE ->
                    endContainer(node, directive, word, What.POWER_OFF, true);
            case HALT -> endContainer(node, directive, word, What.HALT, false);
            case HALT_FORCE, HALT_IMMEDIATE -> endContainer(node, directive, word, What.HALT, true);
            case KEXEC, KEXEC_FORCE, SOFT_REBOOT, SOFT_REBOOT_FORCE ->
                    warn(node, directive, word, "this manager is not the init of a machine");
        }
    }

    private void endContainer(
            LoadedUnit node, String directive, String word, What what, boolean force) {
        if (ending.isOfContainer()) {
            context.notice(node.name(), directive + "=" + word + ": the container ends");
            ending.begin(what, OptionalInt.empty(), force);
        } else {
            warn(node, directive, word, "this manager is not PID 1 of a container");
        }
    }

    private void warn(LoadedUnit node, String directive, String word, String why) {
        context.listener()
                .event(
                        node.name(),
                        Level.WARNING,
                        directive + "=" + word + " is not possible: " + why);
    }

    private static OptionalInt statusOf(LoadedUnit node) {
        Exit exit = node.unit().status().mainExit().orElse(null);
        if (exit instanceof Exit.Exited(int status)) {
            return OptionalInt.of(status);
        }
        return exit == null ? OptionalInt.empty() : OptionalInt.of(NOT_CLEAN);
    }
}
