package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.settings.CgroupSettings;
import io.holdfast.manager.unit.settings.ExecSettingsReader;
import io.holdfast.manager.unit.settings.KillSettings;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import io.holdfast.manager.unit.value.ServiceType;
import java.util.List;
import java.util.Optional;

/** Reads services. */
final class ServiceFormat implements UnitFormat {
    private static final UnitName DBUS_SOCKET = UnitName.of("dbus.socket");

    @Override
    public UnitType type() {
        return UnitType.SERVICE;
    }

    @Override
    public OwnSection begin(
            UnitName name, UnitSection.Reader unit, ManagerScope scope, ManagerDefaults defaults) {
        ServiceSectionReader service = new ServiceSectionReader(unit, defaults);
        ExecSettingsReader exec = new ExecSettingsReader(scope.umask(), defaults);
        KillSettings.Reader kill = new KillSettings.Reader();
        CgroupSettings.Reader cgroup = new CgroupSettings.Reader();
        return new OwnSection() {
            @Override
            public List<SectionReader> readers() {
                return List.of(service, exec, kill, cgroup);
            }

            @Override
            public Unit build(UnitParts parts) {
                ServiceSection section = service.build();
                if (parts.isWhole()) {
                    ServiceSectionReader.check(
                            section, parts.unit().ends().successAction(), parts::refuse);
                }
                parts.refuseTemplate();
                return new ServiceUnit(
                        parts.source(),
                        parts.unit(),
                        section,
                        exec.build(),
                        kill.build(),
                        cgroup.build(),
                        parts.install(),
                        parts.diagnostics());
            }
        };
    }

    @Override
    public void imply(Unit unit, ManagerScope scope, Dependencies.Builder implied) {
        ServiceUnit service = (ServiceUnit) unit;
        ImpliedDependencies.inSlice(
                implied, Optional.of(service.cgroup().sliceOf(service.name(), scope)));
        if (service.service().type() == ServiceType.DBUS) {
            implied.add(Dependency.REQUIRES, DBUS_SOCKET);
            implied.add(Dependency.AFTER, DBUS_SOCKET);
        }
        for (UnitName socket : service.service().sockets()) {
            implied.add(Dependency.WANTS, socket);
            implied.add(Dependency.AFTER, socket);
        }
        if (unit.unit().defaultDependencies()) {
            ImpliedDependencies.afterStart(implied, scope);
        }
    }
}
