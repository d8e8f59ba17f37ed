package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.file.UnitSource;
import java.util.List;

/** A unit of a kind whose own section is not read yet: only what all units have in common. */
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
