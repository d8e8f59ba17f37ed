package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.settings.ManagerDefaults;

/** Reads targets, which have no section of their own. */
final class TargetFormat implements UnitFormat {
    @Override
    public UnitType type() {
        return UnitType.TARGET;
    }

    @Override
    public OwnSection begin(
            UnitName name, UnitSection.Reader unit, ManagerScope scope, ManagerDefaults defaults) {
        return OwnSection.none(parts ->
                new TargetUnit(parts.source(), parts.unit(), parts.install(), parts.diagnostics()));
    }

    /**
     * Adds nothing: a target's order depends on its members, see {@link
     * ImpliedDependencies#behind}.
     */
    @Override
    public void imply(Unit unit, ManagerScope scope, Dependencies.Builder implied) {}
}
