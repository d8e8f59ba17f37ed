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
 * <p>The property is read once, when the limit is made. A property that is no positive number
 * leaves the default in force; {@link #problem} says so, and a daemon refuses to start with it. A
 * program changes a limit with {@code -DPROPERTY=NUMBER}; the daemons of the command {@code
 * holdfast} take that from the environment variable {@code JDK_JAVA_OPTIONS}. Immutable.
 */
public final class Limit {
    /** What a limit counts. */
    public enum Unit {
        /** How many there are. */
        COUNT(""),
        /** Memory. */
        BYTES(" bytes"),
        /** Time. */
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

    /** The number in a text; -1 if there is none in the range. */
    private static long positive(String text, long most) {
        try {
            long number = Long.parseLong(text.strip());
            return number < 1 || number > most ? -1 : number;
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    /**
     * {@return a limit on how many there may be}
     *
     * @param property names it, and is the system property that changes it
     * @param standard the default, 1 or more
     * @param what is counted, in the plural: "units that are loaded"
     */
    public static Limit count(String property, int standard, String what) {
        return new Limit(property, standard, what, Unit.COUNT, Integer.MAX_VALUE);
    }

    /**
     * {@return a limit on memory}
     *
     * @param property names it, and is the system property that changes it
     * @param standard the default in bytes, 1 or more
     * @param what takes them: "bytes of replies that wait to be sent"
     */
    public static Limit bytes(String property, long standard, String what) {
        return new Limit(property, standard, what, Unit.BYTES, Long.MAX_VALUE);
    }

    /**
     * {@return a limit on how long something takes}
     *
     * @param property names it, and is the system property that changes it, in milliseconds
     * @param standard the default, 1 ms or more
     * @param what takes that long: "time in which a spawned process may take its descriptors"
     */
    public static Limit time(String property, Duration standard, String what) {
        return new Limit(property, standard.toMillis(), what, Unit.MILLISECONDS, Long.MAX_VALUE);
    }

    /** {@return the limit that is in force, 1 or more} */
    public long value() {
        return value;
    }

    /**
     * {@return the limit that is in force}
     *
     * @throws ArithmeticException if a limit of bytes does not fit
     */
    public int intValue() {
        return Math.toIntExact(value);
    }

    /**
     * {@return the limit that is in force}
     *
     * @throws IllegalStateException if it does not limit a time
     */
    public Duration duration() {
        if (unit != Unit.MILLISECONDS) {
            throw new IllegalStateException(property + " is not a time");
        }
        return Duration.ofMillis(value);
    }

    /** {@return the name of the limit, which is also that of its system property} */
    public String property() {
        return property;
    }

    /** {@return the thing that is limited, for people} */
    public String what() {
        return what;
    }

    /** {@return what the limit is counted in} */
    public Unit unit() {
        return unit;
    }

    /** {@return the value of the limit without its property} */
    public long standard() {
        return standard;
    }

    /**
     * {@return why the property was not used: one line for people} Empty if nothing is wrong with
     * it.
     */
    public Optional<String> problem() {
        return problem.isEmpty() ? Optional.empty() : Optional.of(problem);
    }

    /** {@return how to raise the limit: the end of a refusal} */
    public String remedy() {
        return "raise it with -D" + property + "=NUMBER";
    }

    /** The name, the value and the unit. */
    @Override
    public String toString() {
        return property + "=" + value + unit.suffix;
    }
}
