package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.file.UnitSource;
import java.util.List;

/**
 * The parts that units of all types have.
 *
 * @param source the files that it was read from
 * @param unit the {@code [Unit]} section
 * @param install the {@code [Install]} section
 * @param diagnostics about its files, in the order of reading
 */
public record UnitParts(
        UnitSource source, UnitSection unit, InstallSection install, List<Diagnostic> diagnostics) {
    public UnitParts {
        diagnostics = List.copyOf(diagnostics);
    }

    UnitParts with(UnitSection other) {
        return new UnitParts(source, other, install, diagnostics);
    }
}
