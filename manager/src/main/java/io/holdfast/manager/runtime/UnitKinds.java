package io.holdfast.manager.runtime;

import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.section.Unit;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The registry of the kinds of units that can run. Units of other kinds are read, and stay
 * inactive.
 */
public final class UnitKinds {
    private final Map<UnitType, UnitKind> kinds = new EnumMap<>(UnitType.class);

    /**
     * @throws IllegalArgumentException if a type occurs twice
     */
    public UnitKinds(List<UnitKind> kinds) {
        for (UnitKind kind : kinds) {
            if (this.kinds.put(kind.type(), kind) != null) {
                throw new IllegalArgumentException("two kinds of " + kind.type());
            }
        }
    }

    ManagedUnit create(ManagerContext context, Unit unit) {
        UnitKind kind = kinds.get(unit.name().type());
        return kind == null
                ? new InactiveUnit(unit, unsupported(unit.name().type()))
                : kind.create(context, unit);
    }

    /** Returns why units of this type cannot be started; empty if they can. */
    Optional<String> unsupported(UnitType type) {
        return kinds.containsKey(type)
                ? Optional.empty()
                : Optional.of(type.name().toLowerCase(Locale.ROOT) + " units are not supported");
    }
}
