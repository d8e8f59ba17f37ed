package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.UnitType;

/** The registry of formats, one a type. */
final class UnitFormats {
    private UnitFormats() {}

    static UnitFormat of(UnitType type) {
        return switch (type) {
            case SERVICE -> ServiceUnit::begin;
            case SOCKET -> SocketUnit::begin;
            case TARGET -> TargetUnit::begin;
            case DEVICE -> DeviceUnit::begin;
            case MOUNT -> MountUnit::begin;
            case AUTOMOUNT -> AutomountUnit::begin;
            case SWAP -> SwapUnit::begin;
            case TIMER -> TimerUnit::begin;
            case PATH -> PathUnit::begin;
            case SLICE -> SliceUnit::begin;
            case SCOPE -> ScopeUnit::begin;
        };
    }
}
