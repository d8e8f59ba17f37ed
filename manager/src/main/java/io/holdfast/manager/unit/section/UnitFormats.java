package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.UnitType;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** The registry of formats: a unit of a type without a row has only the common sections. */
final class UnitFormats {
    private static final Map<UnitType, UnitFormat> ROWS = new EnumMap<>(UnitType.class);

    static {
        for (UnitFormat row :
                List.of(
                        new ServiceFormat(),
                        new SocketFormat(),
                        new TargetFormat(),
                        new SliceFormat(),
                        new ScopeFormat())) {
            ROWS.put(row.type(), row);
        }
    }

    private UnitFormats() {}

    static boolean isKnown(UnitType type) {
        return ROWS.containsKey(type);
    }

    static UnitFormat of(UnitType type) {
        UnitFormat row = ROWS.get(type);
        return row == null ? new OtherFormat(type) : row;
    }
}
