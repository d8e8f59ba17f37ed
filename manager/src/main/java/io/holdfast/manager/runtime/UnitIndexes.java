package io.holdfast.manager.runtime;

import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.section.Unit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The indexes of units by alias, by dependency and by trigger, which make a walk through all units
 * unnecessary. Used on the event loop.
 *
 * <p>The definition in effect changes when a unit becomes inactive. Therefore a unit is indexed by
 * both its newest definition and the one in effect, and each query checks the candidates again.
 */
final class UnitIndexes {
    private final Map<UnitName, Set<LoadedUnit>> byAlias = new HashMap<>();
    private final Map<Dependency, Map<UnitName, Set<LoadedUnit>>> byDependency =
            new EnumMap<>(Dependency.class);
    private final Map<UnitName, Set<LoadedUnit>> byTriggered = new HashMap<>();
    private final Map<UnitName, Set<LoadedUnit>> byTriggering = new HashMap<>();
    private final Map<LoadedUnit, List<Unit>> listed = new HashMap<>(); // the indexed definitions

    UnitIndexes() {
        for (Dependency kind : Dependency.values()) {
            byDependency.put(kind, new HashMap<>());
        }
    }

    /** Indexes a unit that is new, or whose files have changed. */
    void update(LoadedUnit node) {
        remove(node);
        Unit inForce = node.unit().unit();
        Unit newest = node.unit().newest();
        List<Unit> known = inForce.equals(newest) ? List.of(inForce) : List.of(inForce, newest);
        listed.put(node, known);
        for (Unit unit : known) {
            add(byAlias, unit.source().names(), node);
            add(byTriggered, unit.triggers(), node);
            add(byTriggering, unit.triggeredBy(), node);
            unit.unit()
                    .dependencies()
                    .byKind()
                    .forEach((kind, others) -> add(dependingOn(kind), others, node));
        }
    }

    private Map<UnitName, Set<LoadedUnit>> dependingOn(Dependency kind) {
        return Objects.requireNonNull(byDependency.get(kind));
    }

    void remove(LoadedUnit node) {
        List<Unit> known = listed.remove(node);
        if (known == null) {
            return;
        }
        for (Unit unit : known) {
            remove(byAlias, unit.source().names(), node);
            remove(byTriggered, unit.triggers(), node);
            remove(byTriggering, unit.triggeredBy(), node);
            unit.unit()
                    .dependencies()
                    .byKind()
                    .forEach((kind, others) -> remove(dependingOn(kind), others, node));
        }
    }

    private static void add(
            Map<UnitName, Set<LoadedUnit>> index, Set<UnitName> names, LoadedUnit node) {
        names.forEach(name -> index.compute(name, (_, nodes) -> with(nodes, node)));
    }

    /** Most names are used by one unit, of which a set without a table takes little memory. */
    private static Set<LoadedUnit> with(@Nullable Set<LoadedUnit> nodes, LoadedUnit node) {
        if (nodes == null) {
            return Set.of(node);
        }
        if (nodes.contains(node)) {
            return nodes;
        }
        Set<LoadedUnit> all = nodes.size() == 1 ? new LinkedHashSet<>(nodes) : nodes;
        all.add(node);
        return all;
    }

    private static void remove(
            Map<UnitName, Set<LoadedUnit>> index, Set<UnitName> names, LoadedUnit node) {
        for (UnitName name : names) {
            Set<LoadedUnit> nodes = index.get(name);
            if (nodes == null || !nodes.contains(node)) {
                continue; // it was listed twice
            }
            if (nodes.size() == 1) {
                index.remove(name);
            } else {
                nodes.remove(node);
            }
        }
    }

    @Nullable LoadedUnit byAlias(UnitName name) {
        Set<LoadedUnit> nodes = byAlias.getOrDefault(name, Set.of());
        return nodes.isEmpty() ? null : nodes.iterator().next();
    }

    Collection<LoadedUnit> dependants(Dependency kind, LoadedUnit on) {
        List<LoadedUnit> dependants = new ArrayList<>();
        Map<UnitName, Set<LoadedUnit>> index = dependingOn(kind);
        for (UnitName name : on.lastDefinition().source().names()) {
            for (LoadedUnit node : index.getOrDefault(name, Set.of())) {
                if (node.lastDefinition().unit().dependencies().has(kind, name)) {
                    dependants.add(node);
                }
            }
        }
        return dependants;
    }

    /** Returns each unit whose newest definition, or the one in effect, names this one. */
    Stream<LoadedUnit> referring(LoadedUnit to) {
        return to.lastDefinition().source().names().stream()
                .flatMap(name ->
                        Stream.concat(
                                        Stream.of(byTriggered, byTriggering),
                                        byDependency.values().stream())
                                .flatMap(index -> index.getOrDefault(name, Set.of()).stream()))
                .filter(node -> node != to);
    }

    /**
     * Returns the names of the units that the newest definition of this one, or the one in effect,
     * names.
     */
    Set<UnitName> referredBy(LoadedUnit node) {
        Set<UnitName> others = new LinkedHashSet<>();
        for (Unit unit : listed.getOrDefault(node, List.of())) {
            unit.unit().dependencies().byKind().values().forEach(others::addAll);
            others.addAll(unit.triggers());
            others.addAll(unit.triggeredBy());
        }
        return others;
    }

    /** Returns the units that trigger a unit, declared by either side. */
    Collection<LoadedUnit> triggering(LoadedUnit node) {
        Unit triggered = node.lastDefinition();
        Set<LoadedUnit> candidates = new LinkedHashSet<>();
        for (UnitName name : triggered.source().names()) {
            candidates.addAll(byTriggered.getOrDefault(name, Set.of()));
        }
        for (UnitName name : triggered.triggeredBy()) {
            candidates.addAll(byAlias.getOrDefault(name, Set.of()));
        }
        candidates.removeIf(other -> !other.lastDefinition().triggers(triggered));
        return candidates;
    }

    /** Returns the units that a unit triggers, declared by either side. */
    Collection<LoadedUnit> triggered(LoadedUnit node) {
        Unit triggering = node.lastDefinition();
        Set<LoadedUnit> candidates = new LinkedHashSet<>();
        for (UnitName name : triggering.triggers()) {
            candidates.addAll(byAlias.getOrDefault(name, Set.of()));
        }
        for (UnitName name : triggering.source().names()) {
            candidates.addAll(byTriggering.getOrDefault(name, Set.of()));
        }
        candidates.removeIf(other -> !triggering.triggers(other.lastDefinition()));
        return candidates;
    }
}
