package io.holdfast.authority.subject;

import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.CgroupPlace;
import io.holdfast.core.process.PidFd;
import java.util.Optional;

/**
 * Finds units by the process's cgroup alone, as far as {@link CgroupPlace} believes its name. A
 * cgroup does not tell how its unit is set up, so {@code noNewPrivileges} is false here: that one
 * process has given them up says nothing about the other processes of its unit, nor about what it
 * executed before.
 *
 * @param root of the cgroups of the manager's units; a process elsewhere has no unit
 */
public record CgroupUnits(CgroupPath root) implements UnitLookup {
    /** The units of this machine's manager. */
    public static CgroupUnits ofMachine() {
        return new CgroupUnits(Cgroup.managerRoot());
    }

    @Override
    public Optional<ProcessUnit> find(PidFd process) {
        return CgroupPlace.of(process, root)
                .flatMap(CgroupPath::unit)
                .map(name -> new ProcessUnit(name, false));
    }
}
