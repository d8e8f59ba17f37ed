package io.holdfast.manager;

import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.KernelFile;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessInfo;
import java.io.File;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Reaps the processes that became our children when their parents died: a manager is the subreaper
 * of what its units start. Each is waited for by its own pidfd, one by one; never is "any child"
 * asked for, which would take the children of others in this JVM.
 */
final class Orphans {
    private final Predicate<PidFd> ours;

    /**
     * @param ours whether an exited child was of our units
     */
    Orphans(Predicate<PidFd> ours) {
        this.ours = ours;
    }

    /**
     * Reaps those that have exited. At every SIGCHLD, and after every spawn, during which orphans
     * cannot be told from children; blocks for a moment.
     */
    int reap() {
        int reaped = 0;
        String[] threads = new File("/proc/self/task").list();
        for (String thread : threads == null ? new String[0] : threads) {
            for (String number : childrenOf(thread).split(" ")) {
                if (!number.isBlank() && reap(Integer.parseInt(number))) {
                    reaped++;
                }
            }
        }
        return reaped;
    }

    private static String childrenOf(String thread) {
        try {
            return KernelFile.text(null, "/proc/self/task/" + thread + "/children");
        } catch (ErrnoException e) {
            return ""; // the thread has ended: its children are listed under another
        }
    }

    private boolean reap(int number) {
        Optional<PidFd> found = PidFd.find(number);
        if (found.isEmpty()) {
            return false;
        }
        try (PidFd child = found.get()) {
            if (child.state() != PidFd.State.EXITED || !isChild(child) || !ours.test(child)) {
                return false;
            }
            if (!Child.isOrphan(child)) { // spawned by us, or that is not certain yet
                return false;
            }
            return child.reap().isPresent();
        } catch (ErrnoException e) {
            return false; // reaped by its owner meanwhile
        }
    }

    private static boolean isChild(PidFd pidFd) {
        ProcessInfo info = pidFd.info();
        return info.ppid().isPresent()
                && info.ppid().getAsInt() == (int) ProcessHandle.current().pid();
    }
}
