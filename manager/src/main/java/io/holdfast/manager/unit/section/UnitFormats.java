package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.UnitType;
import java.util.List;
import java.util.Map;

/** The registry of formats: a unit of a type without a row has only the common sections. */
final class UnitFormats {
    private static final UnitFormat OTHER =
            (_, _, _, _) ->
                    new UnitFormat.OwnSection(List.of(), draft -> new OtherUnit(draft.parts()));

    private static final Map<UnitType, UnitFormat> ROWS =
            Map.of(
                    UnitType.SERVICE, ServiceUnit::begin,
                    UnitType.SOCKET, SocketUnit::begin,
                    UnitType.TARGET, TargetUnit::begin,
                    UnitType.SLICE, SliceUnit::begin,
                    UnitType.SCOPE, ScopeUnit::begin,
                    UnitType.TIMER, TimerUnit::begin,
                    UnitType.PATH, PathUnit::begin,
                    UnitType.MOUNT, MountUnit::begin);

    private UnitFormats() {}

    static boolean isKnown(UnitType type) {
        return ROWS.containsKey(type);
    }

    static UnitFormat of(UnitType type) {
        return ROWS.getOrDefault(type, OTHER);
    }
}
