package io.holdfast.core;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.StringTokenizer;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The features of newer kernels and libcs that Holdfast uses, each with its fallback. They are
 * probed on this machine, never derived from a version number.
 *
 * <p>{@code -Dio.holdfast.without=PIDFD_INFO,PIDFD_SPAWN} makes Holdfast behave as if those were
 * missing, to test the fallbacks; an unknown name is logged. Each feature is probed once and the
 * result cached. Safe for use by any thread.
 */
public enum Feature {
    /** pidfd_open: Linux 5.3. */
    PIDFD_OPEN("pidfd_open", "Linux 5.3", "none: Holdfast needs it"),
    /** waitid by pidfd: Linux 5.4. */
    WAIT_PIDFD("waitid by pidfd", "Linux 5.4", "none: children cannot be waited for"),
    /** pidfd_getfd: Linux 5.6. */
    PIDFD_GETFD("pidfd_getfd", "Linux 5.6", "none: getFd is refused"),
    /** SO_PEERPIDFD and SCM_PIDFD: Linux 6.5. */
    PEER_PIDFD(
            "SO_PEERPIDFD and SCM_PIDFD",
            "Linux 6.5",
            "peers are known by user only, and best effort"),
    /** pidfs: an identity per process: Linux 6.9. */
    PIDFS(
            "pidfs: an identity per process",
            "Linux 6.9",
            "equality through fdinfo while both are unreaped; no id, no end of a reap"),
    /** pidfds of threads: Linux 6.9. */
    PIDFD_THREAD("pidfds of threads", "Linux 6.9", "none: openThread is refused"),
    /** Scopes of pidfd_send_signal: Linux 6.9. */
    SIGNAL_SCOPE("scopes of pidfd_send_signal", "Linux 6.9", "only the scope of the pidfd itself"),
    /** Namespaces of a pidfd: Linux 6.11. */
    NAMESPACE_IOCTLS("namespaces of a pidfd", "Linux 6.11", "/proc, verified afterwards"),
    /** PIDFD_GET_INFO: Linux 6.13. */
    PIDFD_INFO("PIDFD_GET_INFO", "Linux 6.13", "/proc, verified afterwards; not of one moment"),
    /** File handles of pidfds: Linux 6.14. */
    FILE_HANDLE("file handles of pidfds", "Linux 6.14", "restoring by number, checked by id"),
    /** Refusing descriptors (SO_PASSRIGHTS): Linux 6.16. */
    PASS_RIGHTS(
            "refusing descriptors (SO_PASSRIGHTS)",
            "Linux 6.16",
            "unwanted descriptors are closed on receipt"),
    /** Exit status of any process: Linux 6.15. */
    EXIT_INFO(
            "exit status of any process",
            "Linux 6.15",
            "the exit status is known only for children"),
    /** A descriptor table for each start: Linux 5.9, and pidfd_getfd must be allowed. */
    OWN_TABLE(
            "a descriptor table for each start",
            "Linux 5.9",
            "the child inherits all descriptors and closes them, which may take long"),
    /** pidfd_spawn: glibc 2.39 and Linux 6.9, and OWN_TABLE. */
    PIDFD_SPAWN(
            "pidfd_spawn", "glibc 2.39 and Linux 6.9", "posix_spawn and pidfd_open of our child"),
    /** Starting a process with only the descriptors that it is given: glibc 2.34. */
    SPAWN_CLOSEFROM(
            "starting a process with only the descriptors that it is given",
            "glibc 2.34",
            "none: no process is started"),
    /** Starting a process as the foreground of a terminal: glibc 2.35. */
    SPAWN_FOREGROUND(
            "starting a process as the foreground of a terminal",
            "glibc 2.35",
            "none: it is refused"),
    /** Starting a process in a cgroup: Linux 5.7 and glibc 2.39. */
    CLONE_INTO_CGROUP(
            "starting a process in a cgroup",
            "Linux 5.7 and glibc 2.39",
            "the child is moved before it executes its program"),
    /** Mounts of a child's own: Linux 5.12 and glibc 2.36. */
    MOUNT_TREES(
            "mounts of a child's own",
            "Linux 5.12 and glibc 2.36",
            "none: isolating a child is refused"),
    /** cgroup.kill: Linux 5.14. */
    CGROUP_KILL("cgroup.kill", "Linux 5.14", "freeze, kill every member by pidfd, thaw"),
    /** A cgroup for each scope of processes: Linux 5.4 and a cgroup2 that is mounted. */
    SCOPE_CGROUP(
            "a cgroup for each scope of processes",
            "Linux 5.4 and a cgroup2 that is mounted",
            "scopes find their processes as a subreaper, by a walk");

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
    private volatile @Nullable Boolean present;

    Feature(String what, String since, String fallback) {
        this.what = what;
        this.since = since;
        this.fallback = fallback;
    }

    /** {@return the name of the feature, for messages} */
    public String what() {
        return what;
    }

    /** {@return the version of the kernel or libc that introduced it} */
    public String since() {
        return since;
    }

    /** {@return what Holdfast does where it is missing, for messages} */
    public String fallback() {
        return fallback;
    }

    /**
     * {@return whether this machine has it} The first call may make a few system calls, and may
     * even start a short-lived child.
     *
     * @throws ErrnoException EMFILE, ENOMEM or another shortage that prevents the probe now
     */
    public boolean isPresent() {
        Boolean known = present;
        if (known == null) {
            known = !isHidden() && Probe.of(this);
            present = known;
        }
        return known;
    }

    /**
     * Throws if this machine lacks the feature.
     *
     * @param what the operation that needs it, for the message
     * @throws NotSupportedException if this machine lacks it
     */
    public void require(String what) {
        if (!isPresent()) {
            throw new NotSupportedException(what, this);
        }
    }

    /** {@return whether {@code io.holdfast.without} names it, so that it counts as missing} */
    public boolean isHidden() {
        return WITHOUT.contains(name());
    }
}
