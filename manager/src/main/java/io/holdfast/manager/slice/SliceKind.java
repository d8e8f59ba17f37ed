package io.holdfast.manager.slice;

import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitKind;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.section.SliceUnit;
import io.holdfast.manager.unit.section.Unit;

/** The kind of slices: groups of the cgroups of other units. */
public final class SliceKind implements UnitKind {
    @Override
    public UnitType type() {
        return UnitType.SLICE;
    }

    @Override
    public ManagedUnit create(ManagerContext context, Unit unit) {
        return new ManagedSlice(context, (SliceUnit) unit);
    }
}
