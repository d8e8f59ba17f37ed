package io.holdfast.authority.subject;

import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.CgroupPlace;
import io.holdfast.core.process.PidFd;
import java.util.Optional;

/**
 * Finds units by the process's cgroup alone, if {@link CgroupPlace} trusts the cgroup's name. A
 * cgroup does not show its unit's configuration, so {@code noNewPrivileges} is always false: the
 * flag of one process says nothing about the other processes of its unit, nor about the programs
 * that it executed before it set the flag.
 *
 * @param root the root cgroup of the manager's units; a process outside of it has no unit
 */
public record CgroupUnits(CgroupPath root) implements UnitLookup {
    /** Returns the units of this machine's manager. */
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
