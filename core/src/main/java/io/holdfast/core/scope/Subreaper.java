package io.holdfast.core.scope;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.process.SysPrctl;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes this JVM a subreaper while at least one scope needs it, and reaps their orphans meanwhile.
 *
 * <p>The kernel reports no orphan: it becomes a child of ours without a sign, and its SIGCHLD
 * belongs to the JVM. So a thread looks once a second, and zombies of a scope are no older.
 */
final class Subreaper {
    private static final Duration PERIOD = Duration.ofSeconds(1);
    private static final Set<SubreaperGroup> GROUPS = new HashSet<>();

    private static boolean wasOne; // before the first scope
    private static @Nullable Thread reaper;

    private Subreaper() {}

    /**
     * Begins to collect the orphans of a group.
     *
     * @throws ErrnoException ENOENT if the kernel does not list children, of prctl(2) what a
     *     seccomp filter gives
     */
    static synchronized void begin(SubreaperGroup group) {
        if (GROUPS.isEmpty()) {
            requireChildren();
            wasOne = SysPrctl.isChildSubreaper();
            ErrnoException.check(SysPrctl.setChildSubreaper(true), "prctl", "subreaper");
            reaper = Thread.ofVirtual().name("holdfast-orphans").start(Subreaper::reap);
        }
        boolean _ = GROUPS.add(group);
    }

    private static void requireChildren() {
        try (PidFd self = PidFd.self()) {
            int[] _ = self.proc().children();
        } catch (ErrnoException e) {
            throw new ErrnoException(
                    "/proc/self/task/TID/children",
                    "",
                    e.errno(),
                    "a scope needs a cgroup, or CONFIG_PROC_CHILDREN and a /proc of our PID"
                            + " namespace");
        }
    }

    static synchronized void end(SubreaperGroup group) {
        if (GROUPS.remove(group) && GROUPS.isEmpty()) {
            if (reaper != null) {
                reaper.interrupt();
            }
            if (!wasOne) {
                int ignored = SysPrctl.setChildSubreaper(false);
            }
        }
    }

    private static synchronized List<SubreaperGroup> groups() {
        return List.copyOf(GROUPS);
    }

    private static void reap() {
        try {
            while (true) {
                Thread.sleep(PERIOD);
                if (hasZombie()) {
                    groups().forEach(Subreaper::reap);
                }
            }
        } catch (InterruptedException e) {
            // the last scope was closed
        }
    }

    private static boolean hasZombie() {
        try (PidFd first = Child.firstExited().orElse(null)) {
            return first != null;
        } catch (ErrnoException e) {
            return true; // no descriptor to hold it with
        }
    }

    private static void reap(SubreaperGroup group) {
        try {
            group.reapOrphans();
        } catch (ErrnoException e) {
            // short of descriptors: the next time
        }
    }
}
