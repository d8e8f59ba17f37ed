package io.holdfast.manager.runtime;

import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.section.Unit;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The registry of the types of units that can run. Units of other types are read, and stay
 * inactive.
 *
 * @param rows makes a unit of each type, not yet active
 */
public record UnitKinds(Map<UnitType, Row> rows) {
    /** Makes the units of one type. */
    public interface Row {
        /** Makes a unit at run time, not yet active. */
        ManagedUnit create(ManagerContext context, Unit unit);
    }

    ManagedUnit create(ManagerContext context, Unit unit) {
        Row row = rows.get(unit.name().type());
        return row == null
                ? new InactiveUnit(unit, unsupported(unit.name().type()))
                : row.create(context, unit);
    }

    /** Returns why units of this type cannot be started; empty if they can. */
    Optional<String> unsupported(UnitType type) {
        return rows.containsKey(type)
                ? Optional.empty()
                : Optional.of(type.name().toLowerCase(Locale.ROOT) + " units are not supported");
    }
}
