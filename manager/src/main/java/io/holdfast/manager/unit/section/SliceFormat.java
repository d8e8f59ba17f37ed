package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import java.util.List;

/** Reads slices: a name is enough for one, its files only add to it. */
final class SliceFormat implements UnitFormat {
    @Override
    public UnitType type() {
        return UnitType.SLICE;
    }

    @Override
    public OwnSection begin(
            UnitName name, UnitSection.Reader unit, ManagerScope scope, ManagerDefaults defaults) {
        unit.defaults(SliceUnit.defaultDescription(name, scope), true);
        if (SliceUnit.isPerpetual(name, scope)) {
            unit.withoutDefaults();
        }
        return new OwnSection() {
            @Override
            public List<SectionReader> readers() {
                return List.of();
            }

            @Override
            public Unit build(UnitParts parts) {
                if (!SliceUnit.isNamedWell(name)) {
                    parts.refuse("the name of a slice is made of non-empty parts between dashes");
                }
                return new SliceUnit(
                        parts.source(),
                        parts.unit(),
                        parts.install(),
                        parts.diagnostics(),
                        SliceUnit.isPerpetual(name, scope));
            }
        };
    }

    @Override
    public void imply(Unit unit, ManagerScope scope, Dependencies.Builder implied) {
        ImpliedDependencies.inSlice(implied, ((SliceUnit) unit).parent());
    }
}
