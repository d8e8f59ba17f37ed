package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import java.util.List;
import java.util.function.Function;

/** Reads the units of one type; {@link UnitFormats} has one row per type. */
interface UnitFormat {
    /** Begins to read one unit, with the reader of its {@code [Unit]} section. */
    OwnSection begin(
            UnitName name, UnitSection.Reader unit, ManagerScope scope, ManagerDefaults defaults);

    /**
     * The type's own section of a unit that is being read.
     *
     * @param readers each line goes to the first that accepts it
     * @param build makes the unit when all lines are read
     */
    record OwnSection(List<SectionReader> readers, Function<UnitDraft, Unit> build) {}
}
