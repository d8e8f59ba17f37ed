package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.settings.CgroupSettings;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.settings.KillSettings;
import io.holdfast.manager.unit.value.ServiceType;
import java.util.List;
import java.util.Set;

/** A service, with everything that is needed to run it. */
public record ServiceUnit(
        UnitSource source,
        UnitSection unit,
        ServiceSection service,
        ExecSettings exec,
        KillSettings kill,
        CgroupSettings cgroup,
        InstallSection install,
        List<Diagnostic> diagnostics)
        implements Unit {
    public ServiceUnit {
        diagnostics = List.copyOf(diagnostics);
    }

    @Override
    public boolean canReload() {
        return service.type() == ServiceType.NOTIFY_RELOAD
                || !service.commands().reload().isEmpty();
    }

    @Override
    public ServiceUnit with(UnitSection section) {
        return new ServiceUnit(source, section, service, exec, kill, cgroup, install, diagnostics);
    }

    @Override
    public Set<UnitName> triggeredBy() {
        return Set.copyOf(service.sockets());
    }
}
