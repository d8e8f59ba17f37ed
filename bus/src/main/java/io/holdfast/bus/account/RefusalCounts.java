package io.holdfast.bus.account;

import io.holdfast.bus.config.BusLimit;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Counts refusals, and the reasons why connections ended, for the bus, a user or a connection. It
 * takes memory only for kinds that occurred, and no time where nothing is refused. Only for the
 * bus's thread.
 */
public final class RefusalCounts {
    private @Nullable EnumMap<BusLimit, Long> limits;
    private @Nullable EnumMap<BusError, Long> errors;
    private @Nullable EnumMap<EndReason, Long> ends;

    /** Counts that a limit refused something. */
    void over(BusLimit limit) {
        limits = counted(limits, limit);
    }

    /** Counts a message that the bus answered with an error. */
    void refused(BusError error) {
        errors = counted(errors, error);
    }

    /** Counts a connection that ended. */
    void ended(EndReason why) {
        ends = counted(ends, why);
    }

    private static <K extends Enum<K>> EnumMap<K, Long> counted(
            @Nullable EnumMap<K, Long> before, K kind) {
        EnumMap<K, Long> counts = before == null ? new EnumMap<>(kind.getDeclaringClass()) : before;
        counts.put(kind, counts.getOrDefault(kind, 0L) + 1);
        return counts;
    }

    boolean isEmpty() {
        return limits == null && errors == null && ends == null;
    }

    /** Returns the refusals by limit, under the limit's name in busconfig files, without zeros. */
    public Map<String, Long> limits() {
        return named(limits, BusLimit::toString);
    }

    /**
     * Returns the refused messages by the name of the error, without its prefix and without zeros.
     */
    public Map<String, Long> errors() {
        return named(errors, BusError::shortName);
    }

    /** Returns the ended connections by the word of {@link EndReason}, without zeros. */
    public Map<String, Long> ends() {
        return named(ends, EndReason::toString);
    }

    public long refusedMessages() {
        return sum(errors());
    }

    public long allEnds() {
        return sum(ends());
    }

    private static long sum(Map<String, Long> counts) {
        return counts.values().stream().mapToLong(Long::longValue).sum();
    }

    private static <K extends Enum<K>> Map<String, Long> named(
            @Nullable EnumMap<K, Long> counts, Function<K, String> name) {
        Map<String, Long> all = new LinkedHashMap<>();
        if (counts != null) {
            counts.forEach((kind, count) -> all.put(name.apply(kind), count));
        }
        return all;
    }
}
