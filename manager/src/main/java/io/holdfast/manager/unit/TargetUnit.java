package io.holdfast.manager.unit;

import java.util.List;

/** A target: a name for a state that other units make up; it has no settings of its own. */
public record TargetUnit(
        UnitSource source, UnitSection unit, InstallSection install, List<Diagnostic> diagnostics)
        implements Unit {
    public TargetUnit {
        diagnostics = List.copyOf(diagnostics);
    }
}
