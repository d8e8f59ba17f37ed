package io.holdfast.manager.run;

import io.holdfast.manager.exec.ExecutedUnit;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.settings.CgroupSettings;
import io.holdfast.manager.unit.settings.KillSettings;
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
        IntConsumer cleanUp) {}
