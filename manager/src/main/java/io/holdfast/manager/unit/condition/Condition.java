package io.holdfast.manager.unit.condition;

import io.holdfast.manager.unit.UnitFilePlace;
import io.holdfast.manager.unit.host.Specifiers;
import io.holdfast.manager.unit.value.Scalars;

/**
 * One {@code Condition…=} or {@code Assert…=}.
 *
 * @param kind the directive without its first word: {@code PathExists}
 * @param assertion whether it is an {@code Assert…=}: if it is not met, the start fails; if a
 *     condition is not met, the start is skipped
 * @param trigger {@code |}: at least one of all triggers must hold
 * @param negated {@code !}
 * @param parameter with its specifiers expanded
 */
public record Condition(
        String kind,
        boolean assertion,
        boolean trigger,
        boolean negated,
        String parameter,
        UnitFilePlace place) {

    /**
     * Parses a condition.
     *
     * @param value non-empty, as written
     * @throws IllegalArgumentException if a specifier cannot be expanded or a path is not absolute
     */
    public static Condition parse(
            String kind,
            boolean assertion,
            String value,
            UnitFilePlace place,
            Specifiers specifiers) {
        boolean trigger = value.startsWith("|");
        String rest = trigger ? value.substring(1).strip() : value;
        boolean negated = rest.startsWith("!");
        String parameter = specifiers.expand(negated ? rest.substring(1).strip() : rest);
        return new Condition(
                kind,
                assertion,
                trigger,
                negated,
                ConditionTable.takesPath(kind) ? Scalars.parsePath(parameter) : parameter,
                place);
    }

    /** {@return the line of a unit file, with all specifiers expanded} */
    @Override
    public String toString() {
        return (assertion ? "Assert" : "Condition")
                + kind
                + "="
                + (trigger ? "|" : "")
                + (negated ? "!" : "")
                + parameter;
    }
}
