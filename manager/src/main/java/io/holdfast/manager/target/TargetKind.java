package io.holdfast.manager.target;

import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitKind;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.section.Unit;

/** The kind of targets: named groups of units. */
public final class TargetKind implements UnitKind {
    @Override
    public UnitType type() {
        return UnitType.TARGET;
    }

    @Override
    public ManagedUnit create(ManagerContext context, Unit unit) {
        return new ManagedTarget(context, unit);
    }
}
