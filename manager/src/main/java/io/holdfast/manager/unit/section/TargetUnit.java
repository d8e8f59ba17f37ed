package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.file.UnitSource;
import java.util.List;

/** A target: a name for a state that other units make up; it has no settings of its own. */
public record TargetUnit(
        UnitSource source, UnitSection unit, InstallSection install, List<Diagnostic> diagnostics)
        implements Unit {
    public TargetUnit {
        diagnostics = List.copyOf(diagnostics);
    }

    @Override
    public TargetUnit with(UnitSection section) {
        return new TargetUnit(source, section, install, diagnostics);
    }

    @Override
    public boolean isOrderedAfterMembers() {
        return true;
    }
}
