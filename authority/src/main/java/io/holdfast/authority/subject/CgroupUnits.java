package io.holdfast.authority.subject;

import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.ForeignCgroupException;
import io.holdfast.core.process.PidFd;
import java.util.Optional;

/**
 * Finds units by the path of the cgroup alone, verified against the descriptor. How a unit is set
 * up no cgroup tells, so none has {@code noNewPrivileges} here: that one process has given them up
 * by itself says nothing about the others of its unit, nor what it had executed before.
 *
 * @param root below which the manager's units are
 */
public record CgroupUnits(CgroupPath root) implements UnitLookup {
    /** The units of this machine's manager. */
    public static CgroupUnits ofMachine() {
        return new CgroupUnits(Cgroup.managerRoot());
    }

    @Override
    public Optional<ProcessUnit> find(PidFd process) {
        Optional<String> unit;
        try {
            unit = process.cgroupPath().relativeTo(root).unit();
        } catch (ForeignCgroupException e) {
            return Optional.empty(); // of another container
        }
        return unit.map(name -> new ProcessUnit(name, false));
    }
}
