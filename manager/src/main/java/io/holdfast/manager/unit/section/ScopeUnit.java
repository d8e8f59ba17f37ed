package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.settings.CgroupSettings;
import io.holdfast.manager.unit.settings.KillSettings;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.List;

/**
 * A scope: processes that the manager did not start, but manages as one unit. Scopes are made at
 * run time only, from a file that the manager itself has written.
 */
public record ScopeUnit(UnitParts parts, Limits limits, KillSettings kill, CgroupSettings cgroup)
        implements Unit {
    /**
     * The time limits of a scope.
     *
     * @param stop after which its processes get the next signal
     * @param run after which it is stopped
     * @param runExtra the maximum of a random time that is added to {@code run}
     */
    public record Limits(TimeSpan stop, TimeSpan run, TimeSpan runExtra) {}

    static UnitFormat.OwnSection begin(
            UnitName name, UnitSection.Reader unit, ManagerScope scope, ManagerDefaults defaults) {
        unit.defaults(name.text(), true);
        Reader own = new Reader(defaults.timeoutStop());
        KillSettings.Reader kill = new KillSettings.Reader();
        CgroupSettings.Reader cgroup = new CgroupSettings.Reader(defaults);
        return new UnitFormat.OwnSection(
                List.of(own, kill, cgroup),
                draft -> new ScopeUnit(draft.parts(), own.limits, kill.build(), cgroup.build()));
    }

    @Override
    public ScopeUnit with(UnitParts other) {
        return new ScopeUnit(other, limits, kill, cgroup);
    }

    @Override
    public void imply(ManagerScope scope, Dependencies.Builder implied) {
        ImpliedDependencies.needs(implied, cgroup.sliceOf(name(), scope));
    }

    private static final class Reader implements SectionReader {
        private Limits limits;

        /**
         * @param stop of a scope without {@code TimeoutStopSec=}
         */
        Reader(TimeSpan stop) {
            limits = new Limits(stop, TimeSpan.INFINITY, TimeSpan.ZERO);
        }

        @Override
        public boolean assign(Assignment a) {
            Limits before = limits;
            switch (a.key()) {
                case "TimeoutStopSec" ->
                        limits = new Limits(a.timeout(before.stop), before.run, before.runExtra);
                case "RuntimeMaxSec" ->
                        limits = new Limits(before.stop, a.timeout(before.run), before.runExtra);
                case "RuntimeRandomizedExtraSec" ->
                        limits = new Limits(before.stop, before.run, a.span(before.runExtra));
                default -> {
                    return false;
                }
            }
            return true;
        }
    }
}
