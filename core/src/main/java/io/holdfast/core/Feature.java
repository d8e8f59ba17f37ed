package io.holdfast.core;

import io.holdfast.core.sys.CgroupMount;
import io.holdfast.core.sys.SysMount;
import io.holdfast.core.sys.process.PosixSpawn;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.StringTokenizer;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What newer kernels and libcs can do, asked of the machine and never of a version number, and what
 * serves where it is missing.
 *
 * <p>{@code -Dio.holdfast.without=PIDFD_INFO,PIDFD_SPAWN} makes Holdfast behave as where those are
 * missing, to test the fallbacks; a name that is none of them is logged. Answers are found once and
 * kept; safe for use by any thread.
 */
public enum Feature {
    PIDFD_OPEN("pidfd_open", "Linux 5.3", "none: Holdfast needs it", Probe::pidfdOpen),
    WAIT_PIDFD(
            "waitid by pidfd",
            "Linux 5.4",
            "none: children cannot be waited for",
            Probe::waitPidfd),
    PIDFD_GETFD("pidfd_getfd", "Linux 5.6", "none: getFd is refused", Probe::getfd),
    PEER_PIDFD(
            "SO_PEERPIDFD and SCM_PIDFD",
            "Linux 6.5",
            "peers are known by user only, and best effort",
            Probe::peerPidfd),
    PIDFS(
            "pidfs: an identity per process",
            "Linux 6.9",
            "equality through fdinfo while both are unreaped; no id, no end of a reap",
            Probe::pidfs),
    PIDFD_THREAD("pidfds of threads", "Linux 6.9", "none: openThread is refused", Probe::thread),
    SIGNAL_SCOPE(
            "scopes of pidfd_send_signal",
            "Linux 6.9",
            "only the scope of the pidfd itself",
            Probe::signalScope),
    NAMESPACE_IOCTLS(
            "namespaces of a pidfd", "Linux 6.11", "/proc, verified afterwards", Probe::namespaces),
    PIDFD_INFO(
            "PIDFD_GET_INFO",
            "Linux 6.13",
            "/proc, verified afterwards; not of one moment",
            Probe::info),
    FILE_HANDLE(
            "file handles of pidfds",
            "Linux 6.14",
            "restoring by number, checked by id",
            Probe::fileHandle),
    PASS_RIGHTS(
            "refusing descriptors (SO_PASSRIGHTS)",
            "Linux 6.16",
            "what comes unasked is closed",
            Probe::passRights),
    EXIT_INFO(
            "exit status of any process",
            "Linux 6.15",
            "only children tell their status",
            Probe::exitInfo),
    PIDFD_SPAWN(
            "pidfd_spawn", "glibc 2.39", "posix_spawn and pidfd_open of our child", Probe::spawn),
    SPAWN_CLOSEFROM(
            "starting a process with only the descriptors that it is given",
            "glibc 2.34",
            "none: no process is started",
            PosixSpawn::hasClosefrom),
    SPAWN_FOREGROUND(
            "starting a process as the foreground of a terminal",
            "glibc 2.35",
            "none: it is refused",
            PosixSpawn::hasTcsetpgrp),
    CLONE_INTO_CGROUP(
            "being born in a cgroup",
            "Linux 5.7 and glibc 2.39",
            "the child is moved before it executes its program",
            Probe::cloneIntoCgroup),
    MOUNT_TREES(
            "mounts of a child's own",
            "Linux 5.12 and glibc 2.36",
            "none: isolating a child is refused",
            SysMount::isThere),
    CGROUP_KILL(
            "cgroup.kill",
            "Linux 5.14",
            "freeze, kill every member by pidfd, thaw",
            Probe::cgroupKill),
    SCOPE_CGROUP(
            "a cgroup for each scope of processes",
            "Linux 5.4 and a cgroup2 that is mounted",
            "scopes find their processes as a subreaper, by a walk",
            () -> CgroupMount.find() != null);

    private static final Set<String> WITHOUT =
            names(System.getProperty("io.holdfast.without", "").toUpperCase(Locale.ROOT));

    private static Set<String> names(String list) {
        Set<String> names = new HashSet<>();
        for (StringTokenizer each = new StringTokenizer(list, ", "); each.hasMoreTokens(); ) {
            names.add(each.nextToken());
        }
        Set<String> unknown = new TreeSet<>(names);
        for (Feature feature : values()) {
            unknown.remove(feature.name());
        }
        if (!unknown.isEmpty()) {
            System.getLogger("io.holdfast.core")
                    .log(
                            System.Logger.Level.WARNING,
                            "io.holdfast.without: no such feature: "
                                    + String.join(", ", unknown)
                                    + "; known: "
                                    + Arrays.toString(values()));
        }
        return Set.copyOf(names);
    }

    private final String what;
    private final String since;
    private final String fallback;
    private final BooleanSupplier probe;
    private volatile @Nullable Boolean present;

    Feature(String what, String since, String fallback, BooleanSupplier probe) {
        this.what = what;
        this.since = since;
        this.fallback = fallback;
        this.probe = probe;
    }

    /** What it is, in a few words. */
    public String what() {
        return what;
    }

    /** The kernel or libc that it came with. */
    public String since() {
        return since;
    }

    /** What serves where it is missing. */
    public String fallback() {
        return fallback;
    }

    /**
     * Whether this machine has it. The first call may make a few system calls, even a short-lived
     * child.
     *
     * @throws ErrnoException EMFILE, ENOMEM or the like: it cannot be told at the moment
     */
    public boolean isPresent() {
        Boolean known = present;
        if (known == null) {
            known = !isHidden() && probe.getAsBoolean();
            present = known;
        }
        return known;
    }

    /**
     * Refuses what cannot be done without it.
     *
     * @param what needs it, as the message is to say
     * @throws NotSupportedException if this machine lacks it
     */
    public void require(String what) {
        if (!isPresent()) {
            throw new NotSupportedException(what, this);
        }
    }

    /** Whether the user wants it to be treated as missing. */
    public boolean isHidden() {
        return WITHOUT.contains(name());
    }
}
