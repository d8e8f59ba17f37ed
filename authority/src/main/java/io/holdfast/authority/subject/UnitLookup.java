package io.holdfast.authority.subject;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import java.util.Optional;

/** Finds the system unit that a process belongs to. Safe for use by any thread; may block. */
@FunctionalInterface
public interface UnitLookup {
    /**
     * A unit.
     *
     * @param noNewPrivileges whether nothing in it can gain privileges by executing; false of what
     *     is no service
     */
    record ProcessUnit(String name, boolean noNewPrivileges) {}

    /**
     * The unit of a process.
     *
     * @param process lent
     * @return empty if it has none, or it cannot be established safely
     * @throws ErrnoException ESRCH if the process has gone
     */
    Optional<ProcessUnit> find(PidFd process);
}
