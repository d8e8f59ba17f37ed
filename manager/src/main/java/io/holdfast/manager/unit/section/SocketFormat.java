package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.settings.CgroupSettings;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import java.util.List;
import java.util.Optional;

/** Reads sockets. */
final class SocketFormat implements UnitFormat {
    private static final UnitName SOCKETS = UnitName.of("sockets.target");

    @Override
    public UnitType type() {
        return UnitType.SOCKET;
    }

    @Override
    public OwnSection begin(
            UnitName name, UnitSection.Reader unit, ManagerScope scope, ManagerDefaults defaults) {
        SocketSectionReader socket = new SocketSectionReader();
        return new OwnSection() {
            @Override
            public List<SectionReader> readers() {
                return List.of(socket);
            }

            @Override
            public Unit build(UnitParts parts) {
                SocketSection section = socket.build(parts.source().name());
                if (parts.isWhole()) {
                    socket.check(section, parts::refuse);
                }
                parts.refuseTemplate();
                return new SocketUnit(
                        parts.source(),
                        parts.unit(),
                        section,
                        parts.install(),
                        parts.diagnostics());
            }
        };
    }

    @Override
    public void imply(Unit unit, ManagerScope scope, Dependencies.Builder implied) {
        ImpliedDependencies.inSlice(
                implied, Optional.of(CgroupSettings.NONE.sliceOf(unit.name(), scope)));
        for (UnitName service : unit.triggers()) {
            implied.add(Dependency.BEFORE, service);
        }
        if (unit.unit().defaultDependencies()) {
            implied.add(Dependency.BEFORE, SOCKETS);
            if (!scope.user()) {
                ImpliedDependencies.needs(implied, ImpliedDependencies.SYSINIT);
            }
        }
    }
}
