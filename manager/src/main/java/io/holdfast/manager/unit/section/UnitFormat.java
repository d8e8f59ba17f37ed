package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import java.util.List;
import java.util.function.Function;

/**
 * Reads the units of one type; {@link UnitFormats} has one row per type. Other registries, by the
 * same type, have the rows for their behaviour at run time and for their presentation.
 */
interface UnitFormat {
    UnitType type();

    /** Begins to read one unit, with the reader of its {@code [Unit]} section. */
    OwnSection begin(
            UnitName name, UnitSection.Reader unit, ManagerScope scope, ManagerDefaults defaults);

    /** The type's own section of a unit that is being read. */
    interface OwnSection {
        /** Returns the readers of this section; each line goes to the first that accepts it. */
        List<SectionReader> readers();

        Unit build(UnitParts parts);

        /** Returns a section without readers, for a type whose own section is not read. */
        static OwnSection none(Function<UnitParts, Unit> unit) {
            return new OwnSection() {
                @Override
                public List<SectionReader> readers() {
                    return List.of();
                }

                @Override
                public Unit build(UnitParts parts) {
                    return unit.apply(parts);
                }
            };
        }
    }

    /** Adds the dependencies that units of this type have beside those in their files. */
    void imply(Unit unit, ManagerScope scope, Dependencies.Builder implied);
}
