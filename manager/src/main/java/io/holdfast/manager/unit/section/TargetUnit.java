package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import java.util.List;

/**
 * A target: a name for a state that other units make up; it has no settings of its own. Its order
 * depends on its members, see {@link ImpliedDependencies#behind}.
 */
public record TargetUnit(UnitParts parts) implements Unit {
    static UnitFormat.OwnSection begin(
            UnitName name, UnitSection.Reader unit, ManagerScope scope, ManagerDefaults defaults) {
        return new UnitFormat.OwnSection(List.of(), draft -> new TargetUnit(draft.parts()));
    }

    @Override
    public TargetUnit with(UnitParts other) {
        return new TargetUnit(other);
    }

    @Override
    public boolean isOrderedAfterMembers() {
        return true;
    }
}
