package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.settings.ManagerDefaults;

/** Reads a unit of a type whose own section is not supported yet. */
final class OtherFormat implements UnitFormat {
    private final UnitType type;

    OtherFormat(UnitType type) {
        this.type = type;
    }

    @Override
    public UnitType type() {
        return type;
    }

    @Override
    public OwnSection begin(
            UnitName name, UnitSection.Reader unit, ManagerScope scope, ManagerDefaults defaults) {
        return OwnSection.none(parts ->
                new OtherUnit(parts.source(), parts.unit(), parts.install(), parts.diagnostics()));
    }

    @Override
    public void imply(Unit unit, ManagerScope scope, Dependencies.Builder implied) {}
}
