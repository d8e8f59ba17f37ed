package io.holdfast.manager.process;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Members;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.loop.ManagerLimits;
import java.util.ArrayList;
import java.util.List;

/**
 * Lists the processes of a cgroup and of all cgroups below it, for people. Any user may request the
 * list, and a process decides how long its command line is, so the list is bounded.
 */
public final class ProcessList {
    /** Bytes of one command line; the rest is cut off. */
    public static final int COMMAND_LINE = 4096;

    /** Characters of all command lines of a list; the processes beyond show their names instead. */
    static final int CHARACTERS = 256 << 10;

    private int characters;

    private ProcessList() {}

    /**
     * Returns the processes, each command line cut to {@link #COMMAND_LINE}. Blocking.
     *
     * @throws ErrnoException if the cgroup is gone
     */
    public static List<UnitProcess> of(String cgroup) {
        ProcessList texts = new ProcessList();
        List<UnitProcess> list = new ArrayList<>();
        try (Cgroup open = Cgroup.open(cgroup);
                Members members = open.membersBelow()) {
            for (PidFd member : members) {
                if (list.size() == ManagerLimits.LISTED_PROCESSES.intValue()) {
                    break;
                }
                try {
                    list.add(
                            new UnitProcess(
                                    member.processId(),
                                    member.proc().cgroup(),
                                    texts.commandLine(member)));
                } catch (ErrnoException e) {
                    // it has ended meanwhile
                }
            }
        }
        return list;
    }

    private String commandLine(PidFd process) {
        String words =
                characters < CHARACTERS
                        ? String.join(" ", process.proc().commandLine(COMMAND_LINE))
                        : "";
        characters += words.length();
        return words.isBlank() ? "[" + process.proc().name() + "]" : words;
    }
}
