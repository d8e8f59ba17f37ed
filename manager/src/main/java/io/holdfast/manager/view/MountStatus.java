package io.holdfast.manager.view;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import java.util.Optional;

/**
 * The state of a mount beyond its {@link UnitStatus}: while it is mounted, what the kernel says.
 *
 * @param control the command that runs
 * @param what its source
 * @param type of the file system
 * @param options separated by commas
 */
public record MountStatus(Optional<ProcessId> control, String what, String type, String options)
        implements UnitDetails {
    /** Returns the id of a process; empty if it was reaped. */
    public static Optional<ProcessId> idOf(PidFd process) {
        try {
            return Optional.of(process.processId());
        } catch (ErrnoException e) {
            return Optional.empty();
        }
    }
}
