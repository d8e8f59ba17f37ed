package io.holdfast.authority.subject;

import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.PidFd;
import java.util.Optional;

/**
 * Finds units by the path of the cgroup alone, verified against the descriptor. A name counts only
 * if root alone could give it ({@code x.slice} may be delegated to a user, and he make an {@code
 * x.slice/ssh.service} for himself). How a unit is set up no cgroup tells, so none has {@code
 * noNewPrivileges} here: that one process has given them up by itself says nothing about the others
 * of its unit, nor what it had executed before.
 *
 * @param root below which the manager's units are; a process elsewhere has none
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
