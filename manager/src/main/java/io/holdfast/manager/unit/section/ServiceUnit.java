package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.settings.CgroupSettings;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.settings.ExecSettingsReader;
import io.holdfast.manager.unit.settings.KillSettings;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.ServiceType;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A service, with everything that is needed to run it. */
public record ServiceUnit(
        UnitParts parts,
        ServiceSection service,
        ExecSettings exec,
        KillSettings kill,
        CgroupSettings cgroup)
        implements Unit {
    private static final UnitName DBUS_SOCKET = UnitName.of("dbus.socket");

    static UnitFormat.OwnSection begin(
            UnitName name, UnitSection.Reader unit, ManagerScope scope, ManagerDefaults defaults) {
        ServiceSectionReader service = new ServiceSectionReader(unit, defaults);
        ExecSettingsReader exec = new ExecSettingsReader(scope, defaults);
        KillSettings.Reader kill = new KillSettings.Reader();
        CgroupSettings.Reader cgroup = new CgroupSettings.Reader(defaults);
        return new UnitFormat.OwnSection(
                List.of(service, exec, kill, cgroup),
                draft -> {
                    ServiceSection section = service.build();
                    if (draft.isWhole()) {
                        ServiceSectionReader.check(
                                section, draft.unit().ends().successAction(), draft::refuse);
                    }
                    ExecSettings execution = exec.build();
                    KillSettings signals = kill.build();
                    ExecChecks.check(draft, execution, signals, scope);
                    if (section.type() == ServiceType.FORKING
                            && execution.sandbox().namespaces().ownProcesses()) {
                        draft.refuse("PrivatePIDs= is not for Type=forking");
                    }
                    draft.refuseTemplate();
                    return new ServiceUnit(
                            draft.parts(),
                            section,
                            execution,
                            signals,
                            cgroup.build(execution.sandbox()));
                });
    }

    @Override
    public boolean canReload() {
        return service.type() == ServiceType.NOTIFY_RELOAD
                || !service.commands().reload().isEmpty();
    }

    @Override
    public Optional<ExecSettings> execution() {
        return Optional.of(exec);
    }

    @Override
    public List<ExecCommand> allCommands() {
        return service.commands().all();
    }

    @Override
    public Optional<String> ownedName() {
        return service.busName();
    }

    @Override
    public ServiceUnit with(UnitParts other) {
        return new ServiceUnit(other, service, exec, kill, cgroup);
    }

    @Override
    public Set<UnitName> triggeredBy() {
        return Set.copyOf(service.sockets());
    }

    @Override
    public void imply(ManagerScope scope, Dependencies.Builder implied) {
        ImpliedDependencies.needs(implied, cgroup.sliceOf(name(), scope));
        if (service.type() == ServiceType.DBUS) {
            ImpliedDependencies.needs(implied, DBUS_SOCKET);
        }
        for (UnitName socket : service.sockets()) {
            implied.add(Dependency.WANTS, socket);
            implied.add(Dependency.AFTER, socket);
        }
        if (unit().defaultDependencies()) {
            ImpliedDependencies.afterStart(implied, scope);
        }
    }
}
