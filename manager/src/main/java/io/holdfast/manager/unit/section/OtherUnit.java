package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.file.UnitSource;
import java.util.List;

/** A unit of a type whose own section is not supported yet: it has only the common sections. */
public record OtherUnit(
        UnitSource source, UnitSection unit, InstallSection install, List<Diagnostic> diagnostics)
        implements Unit {
    public OtherUnit {
        diagnostics = List.copyOf(diagnostics);
    }

    @Override
    public OtherUnit with(UnitSection section) {
        return new OtherUnit(source, section, install, diagnostics);
    }
}
