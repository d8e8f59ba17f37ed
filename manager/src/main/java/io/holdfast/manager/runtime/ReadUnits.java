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

/** The units that one request reads: each file once, and with what units imply. Blocking. */
final class ReadUnits {
    private final Function<UnitName, UnitSource> sources;
    private final UnitReader reader;
    private final Map<UnitName, Unit> read = new HashMap<>();

    ReadUnits(Function<UnitName, UnitSource> sources, UnitReader reader) {
        this.sources = sources;
        this.reader = reader;
    }

    Unit unit(UnitName name) {
        Unit unit = alone(name);
        return unit.comesBehindMembers() && isThere(unit)
                ? ImpliedDependencies.behind(unit, members(unit))
                : unit;
    }

    private List<Unit> members(Unit target) {
        return ImpliedDependencies.members(target).stream()
                .map(this::alone)
                .filter(ReadUnits::isThere)
                .toList();
    }

    /** Without what follows from other units. */
    Unit alone(UnitName name) {
        Unit known = read.get(name);
        if (known != null) {
            return known;
        }
        Unit written = reader.read(sources.apply(name));
        Unit unit = isThere(written) ? ImpliedDependencies.with(written, reader.scope()) : written;
        read.put(name, unit);
        return unit;
    }

    private static boolean isThere(Unit unit) {
        return unit.source().state() == UnitSource.State.LOADED;
    }

    UnitSource source(UnitName name) {
        return alone(name).source();
    }
}
