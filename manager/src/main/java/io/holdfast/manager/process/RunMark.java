package io.holdfast.manager.process;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Resource;
import java.util.Optional;

/**
 * The two marks by which an orphan of a run without a cgroup is recognized.
 *
 * <p>The soft limit RLIMIT_LOCKS has a number of the run. It survives fork and exec whatever
 * becomes of the environment, every process can read it ({@code /proc/PID/limits}), and it has
 * limited nothing since Linux 2.4.25. {@code INVOCATION_ID} in the environment is lost by an exec
 * without it, and only a process with CAP_SYS_PTRACE can read that of another user's process; it
 * serves where the limit was lowered, is the unit's own, or marks the processes of another, in
 * whose process scope or service this manager runs.
 */
public final class RunMark {
    /** Bytes of an orphan's environment that are read: its user decides how long it is. */
    private static final int ENVIRONMENT = 128 << 10;

    private static final int DIGITS = 15;
    private static final long NOT_USUAL = 1L << 60; // nobody else sets such a limit

    private RunMark() {}

    /**
     * Returns the limit of the processes of a run.
     *
     * @param invocationId 32 hexadecimal digits
     */
    public static long of(String invocationId) {
        return Long.parseUnsignedLong(invocationId, 0, DIGITS, 16) | NOT_USUAL;
    }

    /** Returns the run whose mark a process has. */
    static Optional<Workload> find(PidFd process, ProcessIndex index) {
        return index.ofMark(limitOf(process))
                .or(() -> invocationOf(process).flatMap(index::ofInvocation));
    }

    static boolean isOn(PidFd process, Workload run) {
        String id = run.invocationId();
        return limitOf(process) == of(id) || invocationOf(process).equals(Optional.of(id));
    }

    private static long limitOf(PidFd process) {
        try {
            return process.proc().softLimit(Resource.LOCKS);
        } catch (ErrnoException e) {
            return 0; // it has ended
        }
    }

    private static Optional<String> invocationOf(PidFd process) {
        try {
            return Optional.ofNullable(
                    process.proc().environment(ENVIRONMENT).get("INVOCATION_ID"));
        } catch (ErrnoException e) {
            return Optional.empty(); // not ours to read, or it has ended
        }
    }
}
