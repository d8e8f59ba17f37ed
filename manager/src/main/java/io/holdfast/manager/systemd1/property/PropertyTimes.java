package io.holdfast.manager.systemd1.property;

import io.holdfast.manager.loop.DualTimestamp;
import java.util.function.Function;

/** Pairs of properties that give one time by both clocks. */
final class PropertyTimes {
    private PropertyTimes() {}

    /** Adds {@code NAMETimestamp} and {@code NAMETimestampMonotonic}. */
    static <T> void add(
            PropertyTable<T> table,
            String name,
            Function<T, DualTimestamp> timestamp,
            boolean changing) {
        Function<T, Long> realtime = view -> timestamp.apply(view).realtime();
        Function<T, Long> monotonic = view -> timestamp.apply(view).monotonic();
        if (changing) {
            table.changing(name + "Timestamp", "t", realtime)
                    .changing(name + "TimestampMonotonic", "t", monotonic);
        } else {
            table.unsignalled(name + "Timestamp", "t", realtime)
                    .unsignalled(name + "TimestampMonotonic", "t", monotonic);
        }
    }
}
