package io.holdfast.manager.view;

import io.holdfast.core.process.ProcessId;
import io.holdfast.manager.unit.UnitName;
import java.util.List;
import java.util.Optional;

/** The state that units of one type show beyond their {@link UnitStatus}. */
public interface UnitDetails {
    /**
     * Returns the process that controls the unit at the moment, such as a command that stops it.
     */
    default Optional<ProcessId> control() {
        return Optional.empty();
    }

    /** Returns the units that it triggers now; empty if its files name them. */
    default Optional<List<UnitName>> triggered() {
        return Optional.empty();
    }
}
