package io.holdfast.manager.unit.resource;

import io.holdfast.manager.unit.directive.Assignment;
import java.util.EnumMap;
import java.util.Map;

/**
 * What the configuration of a manager sets for the resources of its units.
 *
 * @param values of units that set none: the switches of accounting, and {@code TasksMax=}
 * @param pressure how units are told of a shortage of memory
 */
public record ResourceDefaults(Map<ResourceDirective, Object> values, PressureWatch pressure) {
    /** The share of the machine's tasks that a unit may have. */
    private static final int TASKS_SHARE = 1500;

    /** The values without a configuration. */
    public static final ResourceDefaults STANDARD =
            new ResourceDefaults(
                    Map.of(
                            ResourceDirective.CPU_ACCOUNTING,
                            true,
                            ResourceDirective.MEMORY_ACCOUNTING,
                            true,
                            ResourceDirective.TASKS_ACCOUNTING,
                            true,
                            ResourceDirective.TASKS_MAX,
                            new Amount(0, TASKS_SHARE)),
                    PressureWatch.STANDARD);

    public ResourceDefaults {
        values = Map.copyOf(values);
    }

    /** Returns a copy with the value of an assignment; an empty one restores the standard. */
    public ResourceDefaults read(ResourceDirective directive, Assignment a) {
        Object value = directive.kind().read(a, values.get(directive));
        Map<ResourceDirective, Object> all = new EnumMap<>(ResourceDirective.class);
        all.putAll(values);
        all.put(directive, value == null ? STANDARD.of(directive) : value);
        return new ResourceDefaults(all, pressure);
    }

    /** Returns a copy with another watch of the memory. */
    public ResourceDefaults with(PressureWatch other) {
        return new ResourceDefaults(values, other);
    }

    /** Returns the value of a unit that sets none. */
    public Object of(ResourceDirective directive) {
        return values.getOrDefault(directive, directive.otherwise());
    }
}
