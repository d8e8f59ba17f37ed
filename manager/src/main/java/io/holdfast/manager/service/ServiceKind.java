package io.holdfast.manager.service;

import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitKind;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.section.Unit;

/** The kind of services: units with processes. */
public final class ServiceKind implements UnitKind {
    @Override
    public UnitType type() {
        return UnitType.SERVICE;
    }

    @Override
    public ManagedUnit create(ManagerContext context, Unit unit) {
        return new ManagedService(context, (ServiceUnit) unit);
    }
}
