package io.holdfast.manager.verify;

import io.holdfast.manager.unit.UnitFilePlace;
import io.holdfast.manager.unit.file.UnitFile;
import io.holdfast.manager.unit.section.Unit;
import java.nio.file.Path;

/** Finds the line of a unit's files that causes a diagnostic. */
final class Places {
    private Places() {}

    /** Returns the last line of a directive whose value contains a text, or the file as a whole. */
    static UnitFilePlace of(Unit unit, String directive, String text) {
        UnitFilePlace found = null;
        for (UnitFile file : unit.source().files()) {
            for (UnitFile.Section section : file.sections()) {
                for (UnitFile.Entry entry : section.entries()) {
                    if (entry.key().equals(directive) && entry.value().contains(text)) {
                        found = entry.place();
                    }
                }
            }
        }
        return found != null
                ? found
                : new UnitFilePlace(
                        unit.source().fragment().map(Path::toString).orElse(unit.name().text()), 0);
    }
}
