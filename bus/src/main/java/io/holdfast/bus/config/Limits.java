package io.holdfast.bus.config;

import static java.util.Objects.requireNonNull;

import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A value for each {@link Limit}. Immutable. */
public final class Limits {
    /** Of a time: none. */
    public static final long NONE = -1;

    /** What dbus-daemon(1) has built in: for a bus that users share. */
    public static final Limits BUILT_IN = new Limits(builtIn());

    private final Map<Limit, Long> values;

    private Limits(Map<Limit, Long> values) {
        this.values = values;
    }

    private static Map<Limit, Long> builtIn() {
        Map<Limit, Long> values = new EnumMap<>(Limit.class);
        for (Limit limit : Limit.values()) {
            values.put(limit, limit.builtIn());
        }
        return values;
    }

    /** Milliseconds, bytes, or a number of things. */
    public long get(Limit limit) {
        return requireNonNull(values.get(limit));
    }

    /** The value for an int, at most the largest one. */
    public int getInt(Limit limit) {
        return (int) Math.min(get(limit), Integer.MAX_VALUE);
    }

    /**
     * The same but for one.
     *
     * @param value 0 or more; {@link #NONE} only for {@link Limit#REPLY_TIMEOUT}
     */
    public Limits with(Limit limit, long value) {
        if (value < 0 && !(value == NONE && limit == Limit.REPLY_TIMEOUT)) {
            throw new IllegalArgumentException(limit + " of " + value);
        }
        Map<Limit, Long> changed = new EnumMap<>(values);
        changed.put(limit, value);
        return new Limits(changed);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Limits limits && values.equals(limits.values);
    }

    @Override
    public int hashCode() {
        return values.hashCode();
    }

    /** Those that differ from {@link #BUILT_IN}. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("Limits[");
        String separator = "";
        for (Limit limit : Limit.values()) {
            if (get(limit) != limit.builtIn()) {
                text.append(separator).append(limit).append('=').append(get(limit));
                separator = ", ";
            }
        }
        return text.append(']').toString();
    }
}
