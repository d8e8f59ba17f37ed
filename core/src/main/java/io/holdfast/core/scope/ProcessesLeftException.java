package io.holdfast.core.scope;

import java.util.List;

/**
 * Thrown when a scope was killed, and some of its processes still exist after the time limit.
 *
 * <p>Usual reasons: a process in an uninterruptible wait (a server or disk that does not respond),
 * or a process of another user in a scope without a cgroup.
 */
public final class ProcessesLeftException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    /** The PID and name of each process. */
    @SuppressWarnings("serial") // an immutable list of strings
    private final List<String> processes;

    ProcessesLeftException(String scope, String limit, List<String> processes) {
        super(
                scope
                        + ": killed, and not empty after "
                        + limit
                        + ": "
                        + (processes.isEmpty()
                                ? "a start is under way, or they fork faster than they are found"
                                : processes
                                        + "; they are in an uninterruptible wait or belong to"
                                        + " another user"));
        this.processes = List.copyOf(processes);
    }

    /**
     * {@return the processes, for people: PID and name} Empty if a start did not return, or if each
     * process ended and was replaced by another before its name was read.
     */
    public List<String> processes() {
        return processes;
    }
}
