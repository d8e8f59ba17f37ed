package io.holdfast.manager;

import io.holdfast.manager.unit.SocketSection;
import io.holdfast.manager.unit.UnitName;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Counts the connections of an accepting socket, all and those that live. On the loop. */
final class SocketConnections {
    private final Map<UnitName, String> living = new LinkedHashMap<>();
    private final Map<String, Integer> bySource = new HashMap<>();
    private long accepted;
    private long refused;

    /** Why one more would be one too many, if it would. */
    Optional<String> refusal(SocketSection settings, String source) {
        int most = settings.maxConnectionsPerSource();
        if (living.size() >= settings.maxConnections()) {
            return Optional.of(
                    "a connection of %s is refused: %d are there, MaxConnections=%d"
                            .formatted(source, living.size(), settings.maxConnections()));
        }
        int there = bySource.getOrDefault(source, 0);
        return most > 0 && there >= most
                ? Optional.of(
                        "a connection of %s is refused: %d of it are there,"
                                        .formatted(source, there)
                                + " MaxConnectionsPerSource="
                                + most)
                : Optional.empty();
    }

    void refused() {
        refused++;
    }

    /** The number of the next. */
    long next() {
        return accepted;
    }

    void began(UnitName instance, String source) {
        accepted++;
        living.put(instance, source);
        bySource.merge(source, 1, Integer::sum);
    }

    void ended(UnitName instance) {
        String source = living.remove(instance);
        if (source != null) {
            bySource.computeIfPresent(source, (_, count) -> count == 1 ? null : count - 1);
        }
    }

    int living() {
        return living.size();
    }

    List<UnitName> instances() {
        return List.copyOf(living.keySet());
    }

    long acceptedCount() {
        return accepted;
    }

    long refusedCount() {
        return refused;
    }
}
