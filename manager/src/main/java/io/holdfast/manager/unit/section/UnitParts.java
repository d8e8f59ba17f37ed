package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.Diagnostics;
import io.holdfast.manager.unit.Place;
import io.holdfast.manager.unit.file.UnitSource;
import java.util.List;

/** What all units have in common, of one that was read. */
record UnitParts(
        UnitSource source, UnitSection unit, InstallSection install, Diagnostics collected) {
    List<Diagnostic> diagnostics() {
        return collected.toList();
    }

    /** What a refused line would have said is missing from the rest. */
    boolean isWhole() {
        return source.state() == UnitSource.State.LOADED && !collected.isRefused();
    }

    void refuseTemplate() {
        if (source.state() == UnitSource.State.LOADED && source.name().isTemplate()) {
            String suffix = source.name().type().suffix();
            String example = source.name().prefix() + "@NAME" + suffix;
            refuse("a template cannot be started itself: name an instance, as " + example);
        }
    }

    void refuse(String why) {
        String file = source.fragment().map(Object::toString).orElse(source.name().text());
        collected.add(new Place(file, 0), Diagnostic.Kind.REFUSED, why);
    }
}
