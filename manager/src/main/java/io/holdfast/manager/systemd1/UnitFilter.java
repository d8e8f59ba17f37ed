package io.holdfast.manager.systemd1;

import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.systemd1.format.Errors;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.value.Glob;
import io.holdfast.manager.view.UnitView;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The states and name patterns of a {@code List…} call. Every pattern is tried on the name of every
 * unit, so all patterns of a call together are bounded. Immutable.
 */
final class UnitFilter {
    /** Admits every unit. */
    static final UnitFilter ALL = new UnitFilter(Set.of(), List.of());

    private final Set<String> states;
    private final List<String> patterns;

    private UnitFilter(Set<String> states, List<String> patterns) {
        this.states = states;
        this.patterns = patterns;
    }

    /**
     * Makes a filter.
     *
     * @param states the states to admit; empty for any
     * @param patterns of glob(7), one of which a name must match; empty for any
     * @throws io.holdfast.dbus.DBusException INVALID_ARGS if there are too many
     */
    static UnitFilter of(Collection<String> states, List<String> patterns) {
        requireFew(states.size(), "states");
        requireFew(patterns.size(), "patterns");
        int length = patterns.stream().mapToInt(String::length).sum();
        if (length > ManagerLimits.PATTERN_CHARACTERS.intValue()) {
            throw Errors.invalid(
                    "the patterns have %d characters, at most %d are allowed; %s"
                            .formatted(
                                    length,
                                    ManagerLimits.PATTERN_CHARACTERS.value(),
                                    ManagerLimits.PATTERN_CHARACTERS.remedy()));
        }
        return new UnitFilter(new HashSet<>(states), patterns);
    }

    /**
     * @param what the counted things, in the plural
     * @throws io.holdfast.dbus.DBusException INVALID_ARGS if there are too many
     */
    static void requireFew(int count, String what) {
        if (count > ManagerLimits.PATTERNS.intValue()) {
            throw Errors.invalid(
                    "%d %s, at most %d are allowed; %s"
                            .formatted(
                                    count,
                                    what,
                                    ManagerLimits.PATTERNS.value(),
                                    ManagerLimits.PATTERNS.remedy()));
        }
    }

    boolean admits(UnitView unit) {
        return isIn(
                        unit.status().loadState(),
                        unit.status().subState(),
                        unit.status().activeState().word())
                && unit.unit().source().names().stream()
                        .map(UnitName::text)
                        .anyMatch(this::matches);
    }

    boolean admits(UnitFileList.Entry file) {
        return isIn(file.state()) && matches(file.name());
    }

    private boolean isIn(String... any) {
        return states.isEmpty() || List.of(any).stream().anyMatch(states::contains);
    }

    private boolean matches(String name) {
        return patterns.isEmpty()
                || patterns.stream().anyMatch(pattern -> Glob.matches(pattern, name));
    }
}
