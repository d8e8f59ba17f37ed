package io.holdfast.core.testkit;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.Namespace;
import io.holdfast.core.process.PidFd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A cgroup for one test, below the root of the hierarchy. Closing it kills what is left in it and
 * removes it. What a JVM that was killed could not close, the next one does: the name tells its
 * owner, as {@code holdfast-test-PIDNAMESPACE-PID-START-COUNT}, the start in ticks.
 */
public final class ScratchCgroup implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Pattern NAME =
            Pattern.compile(
                    "holdfast-test-(?<ns>\\d+)-(?<pid>\\d+)-(?<start>\\d+)-\\d+(\\.slice)?");

    /** Of the cgroups of this JVM; the first one of it clears what others left. */
    private static final class Ours {
        static final AtomicInteger COUNT = new AtomicInteger();
        static final long NAMESPACE;
        static final String PREFIX;

        static {
            try (PidFd self = PidFd.self();
                    Namespace pids = self.namespace(Namespace.Kind.PID)) {
                NAMESPACE = pids.inode();
                PREFIX =
                        "holdfast-test-%d-%d-%d-"
                                .formatted(NAMESPACE, self.pid(), self.proc().startTicks());
            }
            clearStale();
        }
    }

    private final Cgroup cgroup;

    private ScratchCgroup(Cgroup cgroup) {
        this.cgroup = cgroup;
    }

    /** Makes one. */
    public static ScratchCgroup create() {
        return create("");
    }

    /** Makes one that is a slice: what is below it can be in units. */
    public static ScratchCgroup createSlice() {
        return create(".slice");
    }

    private static ScratchCgroup create(String suffix) {
        try (Cgroup root = Cgroup.root()) {
            return new ScratchCgroup(
                    root.create(Ours.PREFIX + Ours.COUNT.incrementAndGet() + suffix));
        }
    }

    /** Ends and removes those whose JVM is gone. */
    static void clearStale() {
        try (Cgroup root = Cgroup.root()) {
            for (String name : root.childNames()) {
                Matcher owner = NAME.matcher(name);
                if (owner.matches()
                        && Long.parseLong(owner.group("ns")) == Ours.NAMESPACE
                        && !isAlive(
                                Integer.parseInt(owner.group("pid")),
                                Long.parseLong(owner.group("start")))) {
                    clear(root, name);
                }
            }
        }
    }

    private static boolean isAlive(int pid, long start) {
        try (PidFd owner = PidFd.open(pid)) {
            return owner.isAlive() && owner.proc().startTicks() == start;
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ESRCH) {
                return false;
            }
            throw e;
        }
    }

    private static void clear(Cgroup root, String name) {
        try (ScratchCgroup stale = new ScratchCgroup(root.child(name))) {
            System.err.println("a killed JVM has left " + stale.cgroup + ": clearing it");
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ENOENT && e.errno() != Errno.ENODEV) { // another one cleared it
                throw e;
            }
        }
    }

    public Cgroup cgroup() {
        return cgroup;
    }

    /** Its folder, for children that are to join it by themselves. */
    public String folder() {
        return Cgroup.mountPoint() + cgroup.path().path();
    }

    /**
     * Makes cgroups below it, as the user of the calling thread, and moves a process into the last.
     *
     * @param path as {@code x.slice/a.service}
     */
    public void place(String path, PidFd process) {
        CgroupPath here = cgroup.path();
        for (String name : path.split("/", -1)) {
            try (Cgroup holder = Cgroup.open(here.path());
                    Cgroup made = holder.create(name)) {
                here = made.path();
            }
        }
        try (Cgroup last = Cgroup.open(here.path())) {
            last.attach(process);
        }
    }

    /** Gives cgroups below it to a user, as cgroups(7), "Cgroups delegation". */
    public void delegate(long user, String... paths) throws IOException {
        for (String path : paths) {
            for (String file : new String[] {"", "cgroup.procs", "cgroup.threads"}) {
                Files.setAttribute(Path.of(folder(), path, file), "unix:uid", (int) user);
            }
        }
    }

    /**
     * Moves a process into {@code x.slice}, which belongs to a user, and then as that user into a
     * cgroup that he makes there.
     *
     * @param name that root did not give, as {@code ssh.service}
     */
    public void placeAsUser(long user, String name, PidFd process) throws Exception {
        place("x.slice/first", process);
        delegate(user, "x.slice", "x.slice/first");
        AsUser.of(user, () -> place("x.slice/" + name, process));
    }

    @Override
    public void close() {
        try {
            cgroup.kill();
            if (!cgroup.awaitEmpty(LIMIT)) {
                throw new IllegalStateException(cgroup + " is not empty after " + LIMIT);
            }
            cgroup.removeAll();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            cgroup.close();
        }
    }
}
