package io.holdfast.core.scope;

import java.util.List;

/**
 * A scope was killed, and after the limit of time some of its processes are still there.
 *
 * <p>Usual reasons: an uninterruptible wait of the process (a server or disk that does not answer),
 * or a process of another user in a scope without cgroup.
 */
public final class ProcessesLeftException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    /** Number and name of each. */
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
     * {@return the processes, for people: number and name} Empty if a start did not return, or each
     * had a successor before it could be asked.
     */
    public List<String> processes() {
        return processes;
    }
}
