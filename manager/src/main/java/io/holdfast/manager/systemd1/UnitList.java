package io.holdfast.manager.systemd1;

import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.UnitJob;
import io.holdfast.manager.UnitView;
import io.holdfast.manager.unit.Glob;
import io.holdfast.manager.unit.UnitName;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;

/** Units in lists, as {@code ListUnits} and its siblings tell them. */
final class UnitList {
    /** Patterns of one call; each is tried on every name. */
    static final int PATTERNS = Integer.getInteger("io.holdfast.manager.patterns", 1024);

    private UnitList() {}

    /** The loaded ones that fit: {@code a(ssssssouso)}. */
    static List<List<?>> of(
            ManagerView manager, Collection<String> states, Collection<String> patterns) {
        Predicate<String> fits = matching(patterns);
        List<List<?>> list = new ArrayList<>();
        for (UnitView unit : manager.units()) {
            boolean wanted =
                    isIn(states, unit)
                            && unit.unit().source().names().stream()
                                    .map(UnitName::text)
                                    .anyMatch(fits);
            if (wanted) {
                list.add(entry(unit));
            }
        }
        return list;
    }

    private static boolean isIn(Collection<String> states, UnitView unit) {
        return states.isEmpty()
                || states.contains(unit.status().loadState())
                || states.contains(unit.status().subState())
                || states.contains(unit.status().activeState().word());
    }

    static List<?> entry(UnitView unit) {
        UnitName name = unit.unit().name();
        return List.of(
                name.text(),
                unit.unit().unit().description(),
                unit.status().loadState(),
                unit.status().activeState().word(),
                unit.status().subState(),
                "",
                new ObjectPath(Names.path(name)),
                unit.job().map(UnitJob::id).orElse(0L),
                unit.job().map(job -> job.type().word()).orElse(""),
                new ObjectPath(Names.jobPath(unit.job().map(UnitJob::id).orElse(0L))));
    }

    /** {@code a(usssoo)}. */
    static List<List<?>> jobs(ManagerView manager) {
        List<List<?>> list = new ArrayList<>();
        for (UnitJob job : manager.jobs()) {
            list.add(
                    List.of(
                            job.id(),
                            job.unit().text(),
                            job.type().word(),
                            job.state(),
                            new ObjectPath(Names.jobPath(job.id())),
                            new ObjectPath(Names.path(job.unit()))));
        }
        return list;
    }

    /** Whether a name fits one of the patterns of glob(7); of none all fit. */
    static Predicate<String> matching(Collection<String> patterns) {
        if (patterns.size() > PATTERNS) {
            throw Errors.invalid(
                    "At most " + PATTERNS + " patterns (io.holdfast.manager.patterns).");
        }
        return patterns.isEmpty()
                ? _ -> true
                : name -> patterns.stream().anyMatch(pattern -> Glob.matches(pattern, name));
    }
}
