package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.settings.CgroupSettings;
import io.holdfast.manager.unit.settings.KillSettings;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.List;

/** A scope: processes that the manager did not start, but manages as one unit. */
public record ScopeUnit(
        UnitSource source,
        UnitSection unit,
        Limits limits,
        KillSettings kill,
        CgroupSettings cgroup,
        InstallSection install,
        List<Diagnostic> diagnostics)
        implements Unit {
    /**
     * The time limits of a scope.
     *
     * @param stop after which its processes get the next signal
     * @param run after which it is stopped
     * @param runExtra the maximum of a random time that is added to {@code run}
     */
    public record Limits(TimeSpan stop, TimeSpan run, TimeSpan runExtra) {}

    public ScopeUnit {
        diagnostics = List.copyOf(diagnostics);
    }

    @Override
    public ScopeUnit with(UnitSection section) {
        return new ScopeUnit(source, section, limits, kill, cgroup, install, diagnostics);
    }

    static final class Reader implements SectionReader {
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

        Limits build() {
            return limits;
        }
    }
}
