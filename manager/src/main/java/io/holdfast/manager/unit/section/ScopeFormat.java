package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.settings.CgroupSettings;
import io.holdfast.manager.unit.settings.KillSettings;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import java.util.List;
import java.util.Optional;

/**
 * Reads scopes, which are made at run time only, from a file that the manager itself has written.
 */
final class ScopeFormat implements UnitFormat {
    @Override
    public UnitType type() {
        return UnitType.SCOPE;
    }

    @Override
    public OwnSection begin(
            UnitName name, UnitSection.Reader unit, ManagerScope scope, ManagerDefaults defaults) {
        unit.defaults(name.text(), true);
        ScopeUnit.Reader own = new ScopeUnit.Reader(defaults.timeoutStop());
        KillSettings.Reader kill = new KillSettings.Reader();
        CgroupSettings.Reader cgroup = new CgroupSettings.Reader();
        return new OwnSection() {
            @Override
            public List<SectionReader> readers() {
                return List.of(own, kill, cgroup);
            }

            @Override
            public Unit build(UnitParts parts) {
                return new ScopeUnit(
                        parts.source(),
                        parts.unit(),
                        own.build(),
                        kill.build(),
                        cgroup.build(),
                        parts.install(),
                        parts.diagnostics());
            }
        };
    }

    @Override
    public void imply(Unit unit, ManagerScope scope, Dependencies.Builder implied) {
        ScopeUnit own = (ScopeUnit) unit;
        ImpliedDependencies.inSlice(implied, Optional.of(own.cgroup().sliceOf(own.name(), scope)));
    }
}
