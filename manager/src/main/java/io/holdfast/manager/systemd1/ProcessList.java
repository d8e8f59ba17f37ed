package io.holdfast.manager.systemd1;

import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Members;
import io.holdfast.core.process.PidFd;
import java.util.ArrayList;
import java.util.List;

/** The processes of a cgroup and of all below it, as {@code GetUnitProcesses} tells them. */
final class ProcessList {
    private ProcessList() {}

    /**
     * Structs of cgroup, number and command line. Blocking.
     *
     * @throws ErrnoException if the cgroup is gone
     */
    static List<List<?>> of(String cgroup) {
        List<List<?>> list = new ArrayList<>();
        try (Cgroup open = Cgroup.open(cgroup);
                Members members = open.membersBelow()) {
            for (PidFd member : members) {
                try {
                    String words = String.join(" ", member.proc().commandLine());
                    list.add(
                            List.of(
                                    member.proc().cgroup(),
                                    member.pid(),
                                    words.isBlank() ? "[" + member.proc().name() + "]" : words));
                } catch (ErrnoException e) {
                    // it has gone meanwhile
                }
            }
        }
        return list;
    }
}
