package io.holdfast.core.scope;

/**
 * The mechanism by which a {@link ProcessScope} finds its processes, and what it therefore
 * guarantees.
 *
 * <pre>{@code
 * try (ProcessScope scope = ProcessScope.open()) {
 *     IO.println(scope.guarantee().text());
 * }
 * }</pre>
 */
public enum Guarantee {
    /**
     * A cgroup of its own. Every descendant is in it from its first instruction on, whatever it
     * does to its parent, session, environment or name; two scopes can never share a process, and
     * the whole scope is killed in one step that no fork escapes (Linux 5.14; on older kernels by
     * freezing).
     *
     * <p>It cannot hold a process that moves itself to another cgroup: root can, and an
     * unprivileged user can where he owns the cgroup above. It does not contain processes that a
     * daemon starts on request (docker, at, systemd-run), which are not descendants. A process in
     * an uninterruptible wait ends only when the wait does.
     */
    CGROUP(
            "by cgroup: every descendant is held from its first instruction on, whatever it does,"
                    + " and all are killed in one step; not held is a process with the right to"
                    + " move itself to another cgroup that does so, and what a daemon starts on"
                    + " request"),
    /**
     * This JVM as the subreaper of its descendants (prctl(2), PR_SET_CHILD_SUBREAPER), for
     * environments without a writable cgroup. Members are found by a walk that verifies each step
     * by pidfd: from the processes that the scope started to their children, and from the orphans
     * that this JVM adopted. An orphan is recognized by the mark of the scope, which every
     * descendant inherits: the soft limit RLIMIT_LOCKS, which Linux does not use, and the variable
     * {@code HOLDFAST_SCOPE} in the environment that it was executed with; or by its session or
     * process group. The scope is ended in rounds of stop, walk and kill, until a walk finds no
     * process.
     *
     * <p>So a descendant is missed if it removes both marks (prlimit, and an exec with a new
     * environment), leaves its session, and loses its parents before the scope walks. Each round
     * takes time in which a member can fork: a program that does nothing else may escape for a
     * while, and {@link ProcessScope#kill} throws if it escapes for longer than its limit. An
     * unprivileged user cannot end a member of another user (a set-user-ID program).
     *
     * <p>While such a scope is open, this JVM adopts all orphans below it, also those of a plain
     * {@code Spawn}, of {@code ProcessBuilder} or of a native library. Those are not ended, and
     * when they have ended, they are reaped within a few seconds, also after the scope was closed.
     * Orphans of the scope are reaped within a second. Children that other code has started are
     * left to it: each {@code Process} keeps its exit value. A native library that reaps a child
     * long after its exit, and whose thread that started the child has ended, may find it reaped.
     */
    SUBREAPER(
            "by subreaper and walk: descendants are found through their parents, or by a mark that"
                    + " they inherit; one that removes the mark and leaves its session and parents"
                    + " is missed, and the scope is killed in rounds");

    private final String text;

    Guarantee(String text) {
        this.text = text;
    }

    /** {@return the guarantee and its limits, in one line for people} */
    public String text() {
        return text;
    }
}
