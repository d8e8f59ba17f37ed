package io.holdfast.manager;

import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.section.Unit;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** The registry of the kinds of units. */
final class UnitKinds {
    private final Map<UnitType, UnitKind> kinds = new EnumMap<>(UnitType.class);

    /**
     * @throws IllegalArgumentException if there are two of a type
     */
    UnitKinds(List<UnitKind> kinds) {
        for (UnitKind kind : kinds) {
            if (this.kinds.put(kind.type(), kind) != null) {
                throw new IllegalArgumentException("two kinds of " + kind.type());
            }
        }
    }

    /** Whether units of a type can be more than read. */
    boolean isSupported(UnitType type) {
        return kinds.containsKey(type);
    }

    ManagedUnit create(ManagerContext context, Unit unit) {
        UnitKind kind = kinds.get(unit.name().type());
        return (kind == null ? kinds.get(UnitType.TARGET) : kind).create(context, unit);
    }
}
