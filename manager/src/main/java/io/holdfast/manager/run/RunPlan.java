package io.holdfast.manager.run;

import io.holdfast.manager.exec.ExecutedUnit;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.settings.CgroupSettings;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.settings.KillSettings;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * What a run is made from.
 *
 * @param executed the unit as its commands see it
 * @param slice the slice of its cgroup
 * @param cgroup the settings of its cgroup
 * @param kill how its processes are ended
 * @param cleanUp called on a worker when the run is cleaned up, with the last main PID, or 0
 */
public record RunPlan(
        ExecutedUnit executed,
        UnitName slice,
        CgroupSettings cgroup,
        KillSettings kill,
        String invocationId,
        IntConsumer cleanUp) {
    /**
     * Plans the run of a unit that has only control commands, which send no notify messages.
     *
     * @param ownSession whether the commands get a session of their own
     */
    public static RunPlan ofCommands(
            Unit unit,
            ManagerScope scope,
            ExecSettings exec,
            KillSettings kill,
            boolean ownSession,
            String invocationId) {
        return new RunPlan(
                new ExecutedUnit(
                        unit.name(),
                        exec,
                        List.of(),
                        false,
                        false,
                        ownSession,
                        TimeSpan.ZERO,
                        unit.unit().dependencies().of(Dependency.JOINS_NAMESPACE_OF),
                        unit.diagnostics()),
                unit.cgroup().sliceOf(unit.name(), scope),
                unit.cgroup(),
                kill,
                invocationId,
                _ -> {});
    }
}
