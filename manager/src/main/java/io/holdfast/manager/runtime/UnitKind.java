package io.holdfast.manager.runtime;

import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.section.Unit;

/** What makes a kind of unit: its row in the registry. */
public interface UnitKind {
    UnitType type();

    /** A unit at run time, not yet active. */
    ManagedUnit create(ManagerContext context, Unit unit);
}
