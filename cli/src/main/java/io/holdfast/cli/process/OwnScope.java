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
 * The cgroup that a {@code run} without a name for it makes: it is called after the process that
 * will remove it, {@code run-pPID-iID.scope}, the ID that of pidfs. If that process is killed, a
 * later one can tell so.
 */
final class OwnScope {
    /** How many others are looked at. */
    private static final int LOOKS = 256;

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
     * Removes those whose process is gone and which are empty; one in which something lives, or
     * which has cgroups below it, stays. No identity comes twice in a boot, so that nobody will
     * come back to one; and only a cgroup without processes can be removed. Seen from here the
     * process of another PID namespace is gone: should it be about to have its command born in that
     * moment, it says that its cgroup is missing, and runs nothing.
     */
    static void removeStale(Cgroup parent) {
        parent.childNames().stream()
                .map(NAME::matcher)
                .filter(Matcher::matches)
                .limit(LOOKS)
                .filter(OwnScope::isOfNobody)
                .forEach(name -> remove(parent, name.group()));
    }

    private static boolean isOfNobody(Matcher name) {
        try {
            int pid = Integer.parseInt(name.group("pid"));
            PidFd.open(pid, Long.parseLong(name.group("id"))).close();
            return false;
        } catch (ErrnoException e) {
            return e.errno() == Errno.ESRCH;
        } catch (NotSupportedException | NumberFormatException e) {
            return false; // nobody can tell; no name of ours
        }
    }

    private static void remove(Cgroup parent, String name) {
        try (Cgroup scope = parent.child(name)) {
            scope.remove();
        } catch (ErrnoException e) {
            // EBUSY: something lives in it; else somebody else was faster, or it is not ours
        }
    }
}
