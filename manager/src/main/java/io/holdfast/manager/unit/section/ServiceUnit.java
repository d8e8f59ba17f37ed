package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.file.UnitSource;
import java.util.List;

/** A service: everything that is needed to run it. */
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
}
