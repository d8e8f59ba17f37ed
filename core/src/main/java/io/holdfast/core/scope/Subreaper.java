package io.holdfast.core.scope;

import io.holdfast.core.Errno;
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
 * Makes this JVM a subreaper while at least one scope needs it, and reaps the orphans that it
 * adopts meanwhile.
 *
 * <p>The kernel does not report when an orphan becomes a child of this process, and SIGCHLD belongs
 * to the JVM. So a thread checks once a second, and a zombie of a scope lasts no longer than that.
 * It checks for {@link AdoptedZombies}, too, and after the end of the last scope until no adopted
 * orphan is left.
 */
final class Subreaper {
    private static final Duration PERIOD = Duration.ofSeconds(1);
    private static final Set<SubreaperGroup> GROUPS = new HashSet<>();

    private static boolean wasOne; // whether this JVM was a subreaper before the first scope
    private static @Nullable Thread reaper;

    private Subreaper() {}

    /**
     * Begins to reap the orphans of a group.
     *
     * @throws ErrnoException ENOENT if the kernel does not list children; the errno of a seccomp
     *     filter for prctl(2)
     */
    static synchronized void begin(SubreaperGroup group) {
        if (GROUPS.isEmpty()) {
            requireChildren();
            wasOne = SysPrctl.isChildSubreaper();
            ErrnoException.check(SysPrctl.setChildSubreaper(true), "prctl", "subreaper");
        }
        if (reaper == null) {
            reaper = Thread.ofVirtual().name("holdfast-orphans").start(Subreaper::reap);
        }
        boolean _ = GROUPS.add(group);
    }

    private static void requireChildren() {
        try (PidFd self = PidFd.self()) {
            int[] _ = self.proc().children();
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ENOENT) {
                throw e; // such as EMFILE, or a seccomp filter that refuses pidfd_open
            }
            throw new ErrnoException(
                    "/proc/self/task/TID/children",
                    "",
                    e.errno(),
                    "a scope needs a cgroup, or CONFIG_PROC_CHILDREN and a /proc of our PID"
                            + " namespace");
        }
    }

    static synchronized void end(SubreaperGroup group) {
        if (GROUPS.remove(group) && GROUPS.isEmpty() && !wasOne) {
            int ignored = SysPrctl.setChildSubreaper(false);
        }
    }

    private static synchronized List<SubreaperGroup> groups() {
        return List.copyOf(GROUPS);
    }

    private static void reap() {
        AdoptedZombies adopted = new AdoptedZombies();
        try {
            do {
                Thread.sleep(PERIOD);
                if (hasZombie()) {
                    groups().forEach(Subreaper::reap);
                    reap(adopted);
                }
            } while (!isOver());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // no code interrupts this thread
        } finally {
            adopted.close();
        }
    }

    private static void reap(AdoptedZombies adopted) {
        try {
            adopted.pass();
        } catch (ErrnoException e) {
            // no free descriptor: retried in the next period
        }
    }

    /** Returns whether the reaper has nothing to wait for any more; it then ends. */
    private static synchronized boolean isOver() {
        if (GROUPS.isEmpty() && !mayAdoptedBeLeft()) {
            reaper = null;
            return true;
        }
        return false;
    }

    private static boolean mayAdoptedBeLeft() {
        try {
            return AdoptedZombies.areExpected();
        } catch (ErrnoException e) {
            return true; // no free descriptor
        }
    }

    private static boolean hasZombie() {
        try (PidFd first = Child.firstExited().orElse(null)) {
            return first != null;
        } catch (ErrnoException e) {
            return true; // no free descriptor to open it
        }
    }

    private static void reap(SubreaperGroup group) {
        try {
            group.reapOrphans();
        } catch (ErrnoException e) {
            // no free descriptor: retried in the next period
        }
    }
}
