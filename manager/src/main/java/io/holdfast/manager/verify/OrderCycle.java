package io.holdfast.manager.verify;

import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.section.Unit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
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
        Set<UnitName> done = new HashSet<>();
        for (UnitName start : graph.earlier.keySet()) {
            List<UnitName> cycle = graph.from(start, done);
            if (!cycle.isEmpty()) {
                return Optional.of(
                        cycle.stream().map(UnitName::text).collect(Collectors.joining(" → "))
                                + ", each after the next");
            }
        }
        return Optional.empty();
    }

    /**
     * Searches depth-first along the units that come before; a path that meets itself is a cycle.
     */
    private List<UnitName> from(UnitName start, Set<UnitName> done) {
        List<UnitName> path = new ArrayList<>();
        Deque<Iterator<UnitName>> open = new ArrayDeque<>();
        if (done.add(start)) {
            path.add(start);
            open.push(of(start).iterator());
        }
        while (!open.isEmpty()) {
            if (!open.peek().hasNext()) {
                open.pop();
                path.removeLast();
                continue;
            }
            UnitName next = open.peek().next();
            int met = path.indexOf(next);
            if (met >= 0) {
                List<UnitName> cycle = new ArrayList<>(path.subList(met, path.size()));
                cycle.add(next);
                return cycle;
            }
            if (done.add(next)) {
                path.add(next);
                open.push(of(next).iterator());
            }
        }
        return List.of();
    }
}
