package io.holdfast.manager.unit;

import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * The units that one unit depends on, by the kind of dependency; each kind in the order written.
 */
public record Dependencies(Map<Dependency, Set<UnitName>> byKind) {
    /** No dependencies. */
    public static final Dependencies NONE = new Dependencies(Map.of());

    public Dependencies {
        Map<Dependency, Set<UnitName>> copy = new EnumMap<>(Dependency.class);
        byKind.forEach((kind, units) ->
                copy.put(
                        kind,
                        units.size() == 1 // as most are, of thousands of units
                                ? Set.copyOf(units)
                                : Collections.unmodifiableSet(new LinkedHashSet<>(units))));
        byKind = Collections.unmodifiableMap(copy);
    }

    /** Returns the units of a kind, in the order written; empty if there are none. */
    public Set<UnitName> of(Dependency kind) {
        return byKind.getOrDefault(kind, Set.of());
    }

    /**
     * Returns whether there is a dependency of a kind on a unit, by exactly the name that was
     * written.
     */
    public boolean has(Dependency kind, UnitName unit) {
        return of(kind).contains(unit);
    }

    /** {@return whether there is an ordering dependency between the two, in either direction} */
    public boolean ordersAgainst(UnitName unit) {
        return has(Dependency.BEFORE, unit) || has(Dependency.AFTER, unit);
    }

    public Dependencies and(Dependencies others) {
        Builder both = new Builder();
        both.addAll(this);
        both.addAll(others);
        return both.build();
    }

    /** {@return these dependencies without those that the others have too} */
    public Dependencies without(Dependencies others) {
        Builder rest = new Builder();
        byKind.forEach((kind, units) ->
                units.stream()
                        .filter(unit -> !others.has(kind, unit))
                        .forEach(unit -> rest.add(kind, unit)));
        return rest.build();
    }

    public static final class Builder {
        private final Map<Dependency, Set<UnitName>> byKind = new EnumMap<>(Dependency.class);

        public Builder() {}

        public Builder add(Dependency kind, UnitName unit) {
            byKind.computeIfAbsent(kind, _ -> new LinkedHashSet<>()).add(unit);
            return this;
        }

        void addAll(Dependencies dependencies) {
            dependencies.byKind().forEach((kind, units) -> units.forEach(unit -> add(kind, unit)));
        }

        public Dependencies build() {
            return new Dependencies(byKind);
        }
    }
}
