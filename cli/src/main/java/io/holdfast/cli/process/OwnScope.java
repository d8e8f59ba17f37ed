package io.holdfast.cli.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.NotSupportedException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The cgroup that {@code run} creates if the user gives it no name. It is named after the process
 * that will remove it, {@code run-pPID-iID.scope}, where ID is the pidfs id. If that process is
 * killed, a later {@code run} can detect it, and removes the cgroup.
 */
final class OwnScope {
    /** The maximum number of other scopes that are checked. */
    private static final int MAX_CHECKED = 256;

    private static final Pattern NAME =
            Pattern.compile("run-p(?<pid>[1-9][0-9]{0,9})-i(?<id>[1-9][0-9]{0,18})\\.scope");

    private OwnScope() {}

    static String name() {
        try (PidFd self = PidFd.self()) {
            ProcessId us = self.processId();
            return "run-p"
                    + us.pid()
                    + (us.pidfdId().isPresent() ? "-i" + us.pidfdId().getAsLong() : "")
                    + ".scope";
        }
    }

    /**
     * Removes the empty scopes whose process is gone. A scope that contains processes or other
     * cgroups stays, because rmdir(2) fails. No process will use a removed scope again, because an
     * identity occurs only once in a boot. A process of another PID namespace seems gone from here.
     * If its scope is removed just before it spawns its command into it, that {@code run} reports
     * the missing cgroup, and runs nothing.
     */
    static void removeStale(Cgroup parent) {
        parent.childNames().stream()
                .map(NAME::matcher)
                .filter(Matcher::matches)
                .limit(MAX_CHECKED)
                .filter(OwnScope::isStale)
                .forEach(name -> remove(parent, name.group()));
    }

    private static boolean isStale(Matcher name) {
        try {
            int pid = Integer.parseInt(name.group("pid"));
            PidFd.open(pid, Long.parseLong(name.group("id"))).close();
            return false;
        } catch (ErrnoException e) {
            return e.errno() == Errno.ESRCH;
        } catch (NotSupportedException | NumberFormatException e) {
            return false; // the kernel has no pidfs ids; not a name of ours
        }
    }

    private static void remove(Cgroup parent, String name) {
        try (Cgroup scope = parent.child(name)) {
            scope.remove();
        } catch (ErrnoException e) {
            // EBUSY: not empty; ENOENT: another process removed it; EACCES, EPERM: not ours
        }
    }
}
