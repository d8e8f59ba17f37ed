package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.directive.SectionReader;
import java.util.List;
import java.util.function.Function;

/**
 * How units of one type are read: its row in {@link UnitFormats}. What they do at run time, and how
 * they are shown, are rows of other registries, joined by the type.
 */
interface UnitFormat {
    UnitType type();

    /** Begins to read one unit, of whose {@code [Unit]} this is the reader. */
    OwnSection begin(UnitName name, UnitSection.Reader unit, ManagerScope scope);

    /** The section of its own of one unit that is being read. */
    interface OwnSection {
        /** Who takes the lines of its own section: the first that knows a line. */
        List<SectionReader> readers();

        Unit build(UnitParts parts);

        /** Of a type of which no section of its own is read. */
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

    /** Adds the dependencies that units of this type have beside those that they write. */
    void imply(Unit unit, ManagerScope scope, Dependencies.Builder implied);
}
