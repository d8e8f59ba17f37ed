package io.holdfast.manager.runtime;

import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.section.Unit;

/** A kind of unit: its row in the registry. */
public interface UnitKind {
    UnitType type();

    /** Makes a unit at run time, not yet active. */
    ManagedUnit create(ManagerContext context, Unit unit);
}
