package io.holdfast.manager.exec;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.List;
import java.util.Set;

/**
 * The unit whose commands are executed, whatever its type.
 *
 * @param mainCommands the commands that run as its main process
 * @param mainNotifies whether its main process may send notify messages
 * @param othersNotify whether its other commands may
 * @param ownSession whether its commands get a session of their own; those of a mount stay in the
 *     manager's process group, for which the kernel's automount points never wait
 * @param watchdog the watchdog timeout of its main process; 0: none
 * @param joined the units whose namespaces it joins
 * @param diagnostics of its files
 */
public record ExecutedUnit(
        UnitName name,
        ExecSettings settings,
        List<ExecCommand> mainCommands,
        boolean mainNotifies,
        boolean othersNotify,
        boolean ownSession,
        TimeSpan watchdog,
        Set<UnitName> joined,
        List<Diagnostic> diagnostics) {
    public ExecutedUnit {
        joined = Set.copyOf(joined);
        diagnostics = List.copyOf(diagnostics);
        mainCommands = List.copyOf(mainCommands);
    }

    boolean mayNotify(boolean main) {
        return main ? mainNotifies : othersNotify;
    }

    boolean hasWatchdog() {
        return watchdog.micros() > 0 && !watchdog.isInfinite();
    }
}
