package io.holdfast.manager.catalog;

import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.ImpliedDependencies;
import io.holdfast.manager.unit.section.Unit;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** The units of one request, each read once. Blocking. */
final class UnitReadCache {
    private static final Path DISTRIBUTION = Path.of("/usr/lib");

    private final ManagerScope scope;
    private final Function<UnitName, Unit> units;
    private final Map<UnitName, Unit> read = new HashMap<>();
    private final Map<UnitName, Unit> onMounts = new HashMap<>();
    private final Map<UnitName, Unit> ordered = new HashMap<>();

    /**
     * @param units reads a unit, with the dependencies that it implies alone
     */
    UnitReadCache(ManagerScope scope, Function<UnitName, Unit> units) {
        this.scope = scope;
        this.units = units;
    }

    /** Returns a unit; a target is ordered after its members. */
    Unit unit(UnitName name) {
        Unit unit = withoutMembers(name);
        if (!unit.isOrderedAfterMembers() || !isLoaded(unit)) {
            return unit;
        }
        Unit known = ordered.get(name);
        if (known == null) {
            known = ImpliedDependencies.behind(unit, members(unit));
            ordered.put(name, known);
        }
        return known;
    }

    private List<Unit> members(Unit target) {
        return ImpliedDependencies.members(target).stream()
                .map(this::withoutMembers)
                .filter(UnitReadCache::isLoaded)
                .toList();
    }

    /**
     * Returns the unit with its implicit dependencies, also on the units that mount its paths, but,
     * for a target, without the implicit {@code After=} on its members.
     */
    Unit withoutMembers(UnitName name) {
        Unit known = onMounts.get(name);
        if (known == null) {
            Unit alone = alone(name);
            known =
                    isLoaded(alone)
                            ? ImpliedDependencies.onMounts(alone, scope, this::isConfiguredMount)
                            : alone;
            onMounts.put(name, known);
        }
        return known;
    }

    /**
     * Returns whether a unit of the administrator mounts a path. The mounts that the distribution
     * brings, such as tmp.mount, belong to the start of a machine, and hide what is there: on a
     * machine that runs they are made only on request.
     */
    private boolean isConfiguredMount(UnitName mount) {
        Unit unit = alone(mount);
        return isLoaded(unit)
                && unit.source()
                        .fragment()
                        .filter(file -> !file.startsWith(DISTRIBUTION))
                        .isPresent();
    }

    private Unit alone(UnitName name) {
        Unit known = read.get(name);
        if (known == null) {
            known = units.apply(name);
            read.put(name, known);
        }
        return known;
    }

    static boolean isLoaded(Unit unit) {
        return unit.source().state() == UnitSource.State.LOADED;
    }

    UnitSource source(UnitName name) {
        return alone(name).source();
    }
}
