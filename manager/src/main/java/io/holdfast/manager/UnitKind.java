package io.holdfast.manager;

import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.section.Unit;

/** What makes a kind of unit: its row in the registry. */
interface UnitKind {
    UnitType type();

    /** A unit at run time, not yet active. */
    ManagedUnit create(ManagerContext context, Unit unit);
}
