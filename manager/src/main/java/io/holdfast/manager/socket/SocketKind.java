package io.holdfast.manager.socket;

import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitKind;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.section.SocketUnit;
import io.holdfast.manager.unit.section.Unit;

/** The kind of sockets: they listen, and start a service for their clients. */
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
