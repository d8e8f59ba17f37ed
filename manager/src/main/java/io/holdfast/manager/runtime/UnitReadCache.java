package io.holdfast.manager.runtime;

import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.ImpliedDependencies;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.section.UnitReader;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Reads unit files for one request, each file once, and adds implicit dependencies. Blocking. */
final class UnitReadCache {
    private final Function<UnitName, UnitSource> sources;
    private final UnitReader reader;
    private final Map<UnitName, Unit> read = new HashMap<>();

    UnitReadCache(Function<UnitName, UnitSource> sources, UnitReader reader) {
        this.sources = sources;
        this.reader = reader;
    }

    Unit unit(UnitName name) {
        Unit unit = withoutMembers(name);
        return unit.isOrderedAfterMembers() && isLoaded(unit)
                ? ImpliedDependencies.behind(unit, members(unit))
                : unit;
    }

    private List<Unit> members(Unit target) {
        return ImpliedDependencies.members(target).stream()
                .map(this::withoutMembers)
                .filter(UnitReadCache::isLoaded)
                .toList();
    }

    /**
     * Returns the unit with its implicit dependencies, but, for a target, without the implicit
     * {@code After=} on its members.
     */
    Unit withoutMembers(UnitName name) {
        Unit known = read.get(name);
        if (known != null) {
            return known;
        }
        Unit written = reader.read(sources.apply(name));
        Unit unit = isLoaded(written) ? ImpliedDependencies.with(written, reader.scope()) : written;
        read.put(name, unit);
        return unit;
    }

    private static boolean isLoaded(Unit unit) {
        return unit.source().state() == UnitSource.State.LOADED;
    }

    UnitSource source(UnitName name) {
        return withoutMembers(name).source();
    }
}
