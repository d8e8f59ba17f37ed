package io.holdfast.manager.scope;

import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitKind;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.section.ScopeUnit;
import io.holdfast.manager.unit.section.Unit;

/** The kind of scopes: groups of processes that others have started. */
public final class ScopeKind implements UnitKind {
    @Override
    public UnitType type() {
        return UnitType.SCOPE;
    }

    @Override
    public ManagedUnit create(ManagerContext context, Unit unit) {
        return new ManagedScope(context, (ScopeUnit) unit);
    }
}
