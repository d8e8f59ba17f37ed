package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource;
import java.util.List;
import java.util.Optional;

/** A slice: an inner node of the cgroup tree. */
public record SliceUnit(
        UnitSource source, UnitSection unit, InstallSection install, List<Diagnostic> diagnostics)
        implements Unit {
    public SliceUnit {
        diagnostics = List.copyOf(diagnostics);
    }

    /** The slice around it; empty for {@code -.slice}, and where its name is none of a slice. */
    public Optional<UnitName> parent() {
        return CgroupSettings.parentOf(name());
    }
}
