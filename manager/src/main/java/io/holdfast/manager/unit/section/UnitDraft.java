package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.Diagnostics;
import io.holdfast.manager.unit.UnitFilePlace;
import io.holdfast.manager.unit.file.UnitSource;

/** The common parts of a unit that is being read. */
record UnitDraft(
        UnitSource source, UnitSection unit, InstallSection install, Diagnostics collected) {
    /** Returns the parts, with the diagnostics that are collected so far. */
    UnitParts parts() {
        return new UnitParts(source, unit, install, collected.toList());
    }

    /** Returns whether the unit is complete: after a refused line, its settings may be missing. */
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
        add(Diagnostic.Kind.REFUSED, why);
    }

    void refuseName(String why) {
        add(Diagnostic.Kind.UNREADABLE, why);
    }

    private void add(Diagnostic.Kind kind, String why) {
        String file = source.fragment().map(Object::toString).orElse(source.name().text());
        collected.add(new UnitFilePlace(file, 0), kind, why);
    }
}
