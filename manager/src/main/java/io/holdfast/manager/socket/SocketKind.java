package io.holdfast.manager.socket;

import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitKind;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.section.SocketUnit;
import io.holdfast.manager.unit.section.Unit;

/** Sockets: they listen, and start a service for who comes. */
public final class SocketKind implements UnitKind {
    @Override
    public UnitType type() {
        return UnitType.SOCKET;
    }

    @Override
    public ManagedUnit create(ManagerContext context, Unit unit) {
        return new ManagedSocket(context, (SocketUnit) unit);
    }
}
