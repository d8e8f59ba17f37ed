package io.holdfast.authority.subject;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import java.util.Optional;

/** Finds the system unit that a process belongs to. Thread-safe; may block. */
@FunctionalInterface
public interface UnitLookup {
    /**
     * A unit.
     *
     * @param noNewPrivileges whether no process of it can gain privileges by executing a program;
     *     false if it is not a service
     */
    record ProcessUnit(String name, boolean noNewPrivileges) {}

    /**
     * Finds the unit of a process.
     *
     * @param process lent
     * @return empty if it has no unit, or the unit cannot be determined safely
     * @throws ErrnoException ESRCH if the process has gone
     */
    Optional<ProcessUnit> find(PidFd process);
}
