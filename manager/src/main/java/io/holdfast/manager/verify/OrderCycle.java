package io.holdfast.manager.verify;

import io.holdfast.manager.job.CycleSearch;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.section.Unit;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** An ordering cycle of units: {@code a → b → a, each after the next}. */
final class OrderCycle {
    private final Map<UnitName, UnitName> byAnyName = new HashMap<>();
    private final Map<UnitName, Set<UnitName>> earlier = new LinkedHashMap<>();

    private OrderCycle(Collection<Unit> units) {
        for (Unit unit : units) {
            unit.source().names().forEach(name -> byAnyName.put(name, unit.name()));
            earlier.put(unit.name(), new LinkedHashSet<>());
        }
        for (Unit unit : units) {
            for (UnitName other : unit.unit().dependencies().of(Dependency.AFTER)) {
                add(unit.name(), byAnyName.get(other));
            }
            for (UnitName other : unit.unit().dependencies().of(Dependency.BEFORE)) {
                add(byAnyName.get(other), unit.name());
            }
        }
    }

    private void add(@Nullable UnitName later, @Nullable UnitName first) {
        if (later != null && first != null && !later.equals(first)) {
            of(later).add(first);
        }
    }

    private Set<UnitName> of(UnitName later) {
        return Objects.requireNonNull(earlier.get(later));
    }

    /** Describes one cycle among units, if there is one. */
    static Optional<String> find(Collection<Unit> units) {
        OrderCycle graph = new OrderCycle(units);
        return new CycleSearch<>(graph::of)
                .find(graph.earlier.keySet())
                .map(cycle ->
                        Stream.concat(cycle.stream(), Stream.of(cycle.getFirst()))
                                        .map(UnitName::text)
                                        .collect(Collectors.joining(" → "))
                                + ", each after the next");
    }
}
