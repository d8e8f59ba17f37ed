package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.directive.Assignment;
import java.util.Locale;
import java.util.Optional;

/** Reads {@code Unit=} of a timer or path: the unit that it starts. */
final class TriggeredUnit {
    private final UnitType own;
    private Optional<UnitName> unit = Optional.empty();

    /**
     * @param own the type of the unit that starts the other one
     */
    TriggeredUnit(UnitType own) {
        this.own = own;
    }

    void assign(Assignment a) {
        unit = a.optional(unit, this::parse);
    }

    private UnitName parse(String text) {
        UnitName name = UnitName.of(text);
        if (name.type() == own) {
            String word = own.name().toLowerCase(Locale.ROOT);
            throw new IllegalArgumentException(
                    "a " + word + " cannot start a " + word + ": " + name);
        }
        return name;
    }

    /** Returns the unit; by default the service of the same name. */
    UnitName of(UnitName name) {
        return unit.orElseGet(
                () -> UnitName.parse(name.stem() + UnitType.SERVICE.suffix()).orElse(name));
    }
}
