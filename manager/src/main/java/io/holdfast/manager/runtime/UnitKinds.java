package io.holdfast.manager.runtime;

import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.section.Unit;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** The registry of the kinds of units. */
public final class UnitKinds {
    private final Map<UnitType, UnitKind> kinds = new EnumMap<>(UnitType.class);
    private final UnitKind others;

    /**
     * @param others what units of any other type are taken for
     * @throws IllegalArgumentException if there are two of a type
     */
    public UnitKinds(List<UnitKind> kinds, UnitKind others) {
        this.others = others;
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
        return kinds.getOrDefault(unit.name().type(), others).create(context, unit);
    }
}
