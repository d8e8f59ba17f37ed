package io.holdfast.bus.config;

import static java.util.Objects.requireNonNull;

import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A value for each {@link BusLimit}. Immutable. */
public final class Limits {
    /** The value of a timeout that never ends. */
    public static final long NONE = -1;

    /** The values that dbus-daemon(1) has built in, for a bus that several users share. */
    public static final Limits BUILT_IN = new Limits(builtIn(), Map.of(), Map.of());

    private final Map<BusLimit, Long> values;
    private final Map<String, Map<BusLimit, Long>> users;
    private final Map<String, Map<BusLimit, Long>> names;

    private Limits(
            Map<BusLimit, Long> values,
            Map<String, Map<BusLimit, Long>> users,
            Map<String, Map<BusLimit, Long>> names) {
        this.values = values;
        this.users = users;
        this.names = names;
    }

    private static Map<BusLimit, Long> builtIn() {
        Map<BusLimit, Long> values = new EnumMap<>(BusLimit.class);
        for (BusLimit limit : BusLimit.values()) {
            values.put(limit, limit.builtIn());
        }
        return values;
    }

    /** Returns a limit: milliseconds, bytes, or a number of things. */
    public long get(BusLimit limit) {
        return requireNonNull(values.get(limit));
    }

    /** Returns a limit as an int, at most {@link Integer#MAX_VALUE}. */
    public int getInt(BusLimit limit) {
        return (int) Math.min(get(limit), Integer.MAX_VALUE);
    }

    /**
     * Returns the same limits with another value for one of them.
     *
     * @param value 0 or more; {@link #NONE} only for {@link BusLimit#REPLY_TIMEOUT}
     */
    public Limits with(BusLimit limit, long value) {
        if (value < 0 && !(value == NONE && limit == BusLimit.REPLY_TIMEOUT)) {
            throw new IllegalArgumentException(limit + " of " + value);
        }
        Map<BusLimit, Long> changed = new EnumMap<>(values);
        changed.put(limit, value);
        return new Limits(changed, users, names);
    }

    /**
     * Returns the same limits with another value of one limit for a user and each of its
     * connections.
     *
     * @param user a name or number
     * @throws IllegalArgumentException if it is not {@linkplain BusLimit#isOfUser a limit of users}
     */
    public Limits withForUser(String user, BusLimit limit, long value) {
        if (!limit.isOfUser() || value < 0) {
            throw new IllegalArgumentException(limit + " of " + value + " for user " + user);
        }
        return new Limits(values, put(users, user, limit, value), names);
    }

    /**
     * Returns the same limits with another value of one limit for the connection that owns a name.
     * It takes precedence over the value for the user of the connection; of several names the
     * largest value counts.
     *
     * @throws IllegalArgumentException if it is not {@linkplain BusLimit#isOfConnection a limit of
     *     connections}
     */
    public Limits withForName(String name, BusLimit limit, long value) {
        if (!limit.isOfConnection() || value < 0) {
            throw new IllegalArgumentException(limit + " of " + value + " for name " + name);
        }
        return new Limits(values, users, put(names, name, limit, value));
    }

    private static Map<String, Map<BusLimit, Long>> put(
            Map<String, Map<BusLimit, Long>> before, String key, BusLimit limit, long value) {
        Map<String, Map<BusLimit, Long>> after = new LinkedHashMap<>(before);
        Map<BusLimit, Long> ofKey = new EnumMap<>(BusLimit.class);
        ofKey.putAll(before.getOrDefault(key, Map.of()));
        ofKey.put(limit, value);
        after.put(key, Collections.unmodifiableMap(ofKey));
        return Collections.unmodifiableMap(after);
    }

    /** Returns the values that differ for users, by name or number, in the order of the files. */
    public Map<String, Map<BusLimit, Long>> ofUsers() {
        return users;
    }

    /** Returns the values that differ for the owners of names. */
    public Map<String, Map<BusLimit, Long>> ofNames() {
        return names;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Limits limits
                && values.equals(limits.values)
                && users.equals(limits.users)
                && names.equals(limits.names);
    }

    @Override
    public int hashCode() {
        return Objects.hash(values, users, names);
    }

    /** Returns the values that differ from {@link #BUILT_IN}. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("Limits[");
        String separator = "";
        for (BusLimit limit : BusLimit.values()) {
            if (get(limit) != limit.builtIn()) {
                text.append(separator).append(limit).append('=').append(get(limit));
                separator = ", ";
            }
        }
        users.forEach((user, own) -> text.append(", of user ").append(user).append(own));
        names.forEach((name, own) -> text.append(", of name ").append(name).append(own));
        return text.append(']').toString();
    }
}
