package io.holdfast.core.limit;

import java.time.Duration;
import java.util.Optional;

/**
 * A named bound, with its default and the system property that changes it.
 *
 * <pre>{@code
 * static final Limit UNITS = Limit.count("io.holdfast.manager.units", 4096, "units that are loaded");
 *
 * if (units.size() >= UNITS.intValue()) {
 *     throw refused(units.size() + " units are loaded; " + UNITS.remedy());
 * }
 * }</pre>
 *
 * <p>The property is read once, when the limit is made. If it is not a positive number, the default
 * applies and {@link #problem} reports it; a daemon then refuses to start. A program changes a
 * limit with {@code -DPROPERTY=NUMBER}; the daemons of the command {@code holdfast} read that from
 * the environment variable {@code JDK_JAVA_OPTIONS}. Immutable.
 */
public final class Limit {
    /** The unit of a limit. */
    public enum Unit {
        /** A number of objects. */
        COUNT(""),
        /** An amount of memory or data. */
        BYTES(" bytes"),
        /** A time. */
        MILLISECONDS(" ms");

        private final String suffix;

        Unit(String suffix) {
            this.suffix = suffix;
        }
    }

    private final String property;
    private final String what;
    private final Unit unit;
    private final long standard;
    private final long value;
    private final String problem;

    private Limit(String property, long standard, String what, Unit unit, long most) {
        if (standard < 1 || standard > most) {
            throw new IllegalArgumentException(property + " has the default " + standard);
        }
        this.property = property;
        this.what = what;
        this.unit = unit;
        this.standard = standard;
        String text = System.getProperty(property);
        long read = text == null ? standard : positive(text, most);
        this.value = read < 0 ? standard : read;
        this.problem =
                read < 0
                        ? "%s: \"%s\" is not a number from 1 to %d; the default is %d"
                                .formatted(property, text, most, standard)
                        : "";
    }

    /** Parses a number from 1 to {@code most}; returns -1 if the text is anything else. */
    private static long positive(String text, long most) {
        try {
            long number = Long.parseLong(text.strip());
            return number < 1 || number > most ? -1 : number;
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    /**
     * {@return a limit on a number of objects}
     *
     * @param property the system property that changes the limit, and its name
     * @param standard the default, 1 or more
     * @param what the counted objects, in the plural: "units that are loaded"
     */
    public static Limit count(String property, int standard, String what) {
        return new Limit(property, standard, what, Unit.COUNT, Integer.MAX_VALUE);
    }

    /**
     * {@return a limit on memory}
     *
     * @param property the system property that changes the limit, and its name
     * @param standard the default in bytes, 1 or more
     * @param what the use of the memory: "bytes of replies that wait to be sent"
     */
    public static Limit bytes(String property, long standard, String what) {
        return new Limit(property, standard, what, Unit.BYTES, Long.MAX_VALUE);
    }

    /**
     * {@return a limit on a time}
     *
     * @param property the system property that changes the limit, in milliseconds, and its name
     * @param standard the default, 1 ms or more
     * @param what the time: "time in which a spawned process may take its descriptors"
     */
    public static Limit time(String property, Duration standard, String what) {
        return new Limit(property, standard.toMillis(), what, Unit.MILLISECONDS, Long.MAX_VALUE);
    }

    /** {@return the value that applies, 1 or more} */
    public long value() {
        return value;
    }

    /**
     * {@return the value that applies}
     *
     * @throws ArithmeticException if it does not fit an {@code int}
     */
    public int intValue() {
        return Math.toIntExact(value);
    }

    /**
     * {@return the value that applies}
     *
     * @throws IllegalStateException if this is not a limit on a time
     */
    public Duration duration() {
        if (unit != Unit.MILLISECONDS) {
            throw new IllegalStateException(property + " is not a time");
        }
        return Duration.ofMillis(value);
    }

    /** {@return the name of the limit and of its system property} */
    public String property() {
        return property;
    }

    /** {@return the limited resource, for messages} */
    public String what() {
        return what;
    }

    /** {@return the unit of the limit} */
    public Unit unit() {
        return unit;
    }

    /** {@return the default, which applies without the property} */
    public long standard() {
        return standard;
    }

    /**
     * {@return the reason why the property was ignored, on one line; empty if it is valid or not
     * set}
     */
    public Optional<String> problem() {
        return problem.isEmpty() ? Optional.empty() : Optional.of(problem);
    }

    /** {@return how to raise the limit, for the end of a refusal} */
    public String remedy() {
        return "raise it with -D" + property + "=NUMBER";
    }

    /** Returns the name, the value and the unit. */
    @Override
    public String toString() {
        return property + "=" + value + unit.suffix;
    }
}
