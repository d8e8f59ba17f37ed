package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.settings.KillSettings;
import io.holdfast.manager.unit.settings.KillSettings.KillMode;
import io.holdfast.manager.unit.value.WorkingDirectory;

/** Refuses execution environments that no process can have; systemd refuses these units too. */
final class ExecChecks {
    private ExecChecks() {}

    static void check(UnitDraft draft, ExecSettings exec, KillSettings kill, ManagerScope scope) {
        UnitType type = draft.source().name().type();
        if (!draft.isWhole()) {
            return;
        }
        if (exec.pamService().isPresent()
                && (kill.mode() == KillMode.PROCESS || kill.mode() == KillMode.NONE)) {
            draft.refuse("PAMName= needs KillMode=control-group or mixed, which ends the session");
        }
        if (exec.sandbox().namespaces().ownProcesses() && type != UnitType.SERVICE) {
            draft.refuse("PrivatePIDs= is for services only");
        }
        if (exec.dynamicUser() && scope.user()) {
            draft.refuse("DynamicUser= is not for the units of a user's manager");
        }
        if (exec.dynamicUser()
                && exec.workingDirectory().filter(WorkingDirectory::home).isPresent()) {
            draft.refuse("WorkingDirectory=~ is not for DynamicUser=, which has no home");
        }
    }
}
