package io.holdfast.manager.unit.value;

import io.holdfast.manager.unit.Quote;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/**
 * A time span with systemd's precision, or {@link #INFINITY}.
 *
 * @param micros 0 to {@link Long#MAX_VALUE}, which means infinity
 * @see <a
 *     href="https://www.freedesktop.org/software/systemd/man/systemd.time.html">systemd.time</a>
 */
public record TimeSpan(long micros) implements Comparable<TimeSpan> {
    /** An infinite span. */
    public static final TimeSpan INFINITY = new TimeSpan(Long.MAX_VALUE);

    /** An empty span. */
    public static final TimeSpan ZERO = new TimeSpan(0);

    private static final long SECOND = 1_000_000;
    private static final long MINUTE = 60 * SECOND;
    private static final long HOUR = 60 * MINUTE;
    private static final long DAY = 24 * HOUR;
    private static final long WEEK = 7 * DAY;
    private static final long MONTH = 2629800 * SECOND; // 30.4375 days
    private static final long YEAR = 31557600 * SECOND; // 365.25 days

    private record Unit(String name, long micros) {}

    /** The units in the order in which they are matched: a longer name before its own prefix. */
    private static final Unit[] UNITS = {
        new Unit("seconds", SECOND), new Unit("second", SECOND), new Unit("sec", SECOND),
        new Unit("s", SECOND), new Unit("minutes", MINUTE), new Unit("minute", MINUTE),
        new Unit("min", MINUTE), new Unit("months", MONTH), new Unit("month", MONTH),
        new Unit("M", MONTH), new Unit("msec", 1000), new Unit("ms", 1000),
        new Unit("m", MINUTE), new Unit("hours", HOUR), new Unit("hour", HOUR),
        new Unit("hr", HOUR), new Unit("h", HOUR), new Unit("days", DAY),
        new Unit("day", DAY), new Unit("d", DAY), new Unit("weeks", WEEK),
        new Unit("week", WEEK), new Unit("w", WEEK), new Unit("years", YEAR),
        new Unit("year", YEAR), new Unit("y", YEAR), new Unit("usec", 1),
        new Unit("us", 1), new Unit("\u03bcs", 1), new Unit("\u00b5s", 1),
    };

    /** The units in the order in which they are written. */
    private static final Unit[] WRITTEN = {
        new Unit("y", YEAR), new Unit("month", MONTH), new Unit("w", WEEK), new Unit("d", DAY),
        new Unit("h", HOUR), new Unit("min", MINUTE), new Unit("s", SECOND), new Unit("ms", 1000),
        new Unit("us", 1),
    };

    /**
     * Checks a span.
     *
     * @throws IllegalArgumentException if it is negative
     */
    public TimeSpan {
        if (micros < 0) {
            throw new IllegalArgumentException("a negative time span: " + micros + " us");
        }
    }

    /**
     * Returns a span of seconds.
     *
     * @param seconds 0 or more
     * @throws IllegalArgumentException if it is negative
     * @throws ArithmeticException if it is beyond 2^63 microseconds, on either side
     */
    public static TimeSpan seconds(long seconds) {
        return new TimeSpan(Math.multiplyExact(seconds, SECOND));
    }

    /**
     * Returns a span of milliseconds.
     *
     * @param millis 0 or more
     * @throws IllegalArgumentException if it is negative
     * @throws ArithmeticException if it is beyond 2^63 microseconds, on either side
     */
    public static TimeSpan millis(long millis) {
        return new TimeSpan(Math.multiplyExact(millis, 1000L));
    }

    /**
     * Parses {@code 5min 20s}, {@code 1.5h}, {@code infinity}; a number without unit counts
     * seconds.
     *
     * @throws IllegalArgumentException if it is not a time span, or too long
     */
    public static TimeSpan parse(String text) {
        return parse(text, SECOND);
    }

    /** Parses as {@link #parse(String)}, but a number without unit counts microseconds. */
    static TimeSpan parseMicros(String text) {
        return parse(text, 1);
    }

    private static TimeSpan parse(String text, long defaultUnit) {
        if (text.strip().equals("infinity")) {
            return INFINITY;
        }
        try {
            return new Parser(text, defaultUnit).parse();
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("too long a time span: " + Quote.of(text), e);
        }
    }

    /** {@return whether it is {@link #INFINITY}} */
    public boolean isInfinite() {
        return equals(INFINITY);
    }

    /** {@return the duration; empty for {@link #INFINITY}} */
    public Optional<Duration> duration() {
        return isInfinite()
                ? Optional.empty()
                : Optional.of(Duration.ofSeconds(micros / SECOND, micros % SECOND * 1000));
    }

    @Override
    public int compareTo(TimeSpan other) {
        return Long.compare(micros, other.micros);
    }

    /**
     * Returns {@code 1min 30s}, {@code 1.500000s}, {@code 0}, {@code infinity}, which parse to an
     * equal span.
     */
    @Override
    public String toString() {
        if (isInfinite()) {
            return "infinity";
        }
        if (micros == 0) {
            return "0";
        }
        StringBuilder text = new StringBuilder();
        long left = micros;
        for (Unit unit : WRITTEN) {
            if (left < unit.micros) {
                continue;
            }
            text.append(text.isEmpty() ? "" : " ").append(left / unit.micros);
            long rest = left % unit.micros;
            if (left < MINUTE && rest > 0) {
                int digits = unit.micros == SECOND ? 6 : 3;
                text.append('.').append(String.format(Locale.ROOT, "%0" + digits + "d", rest));
                rest = 0;
            }
            text.append(unit.name);
            left = rest;
        }
        return text.toString();
    }

    /**
     * Parses numbers with an optional fraction, each followed by an optional unit, with blanks
     * anywhere.
     */
    private static final class Parser {
        private final String text;
        private final long defaultUnit;
        private int at;

        Parser(String text, long defaultUnit) {
            this.text = text;
            this.defaultUnit = defaultUnit;
        }

        TimeSpan parse() {
            long sum = 0;
            skipBlanks();
            if (at == text.length()) {
                throw bad();
            }
            while (at < text.length()) {
                String whole = digits();
                String fraction = "";
                if (at < text.length() && text.charAt(at) == '.') {
                    at++;
                    fraction = digits();
                    if (fraction.isEmpty()) {
                        throw bad();
                    }
                } else if (whole.isEmpty()) {
                    throw bad();
                }
                int numberEnd = at;
                skipBlanks();
                long unit = unit();
                if (at == numberEnd && at < text.length()) {
                    throw bad(); // two numbers without a blank between them
                }
                long number = whole.isEmpty() ? 0 : parseLong(whole);
                sum = Math.addExact(sum, Math.multiplyExact(number, unit));
                long scale = unit;
                for (int i = 0; i < fraction.length() && scale > 0; i++) {
                    scale /= 10;
                    sum = Math.addExact(sum, (fraction.charAt(i) - '0') * scale);
                }
                skipBlanks();
            }
            if (sum == INFINITY.micros) {
                throw new ArithmeticException("the last value stands for infinity");
            }
            return new TimeSpan(sum);
        }

        private static long parseLong(String digits) {
            try {
                return Long.parseLong(digits);
            } catch (NumberFormatException e) {
                ArithmeticException tooLong = new ArithmeticException(e.getMessage());
                tooLong.initCause(e);
                throw tooLong;
            }
        }

        private String digits() {
            int start = at;
            while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
                at++;
            }
            return text.substring(start, at);
        }

        private long unit() {
            for (Unit unit : UNITS) {
                if (text.startsWith(unit.name, at)) {
                    at += unit.name.length();
                    return unit.micros;
                }
            }
            return defaultUnit;
        }

        private void skipBlanks() {
            while (at < text.length() && " \t\n\r".indexOf(text.charAt(at)) >= 0) {
                at++;
            }
        }

        private IllegalArgumentException bad() {
            return new IllegalArgumentException(
                    "not a time span: " + Quote.of(text) + " (try 90, 1min 30s, infinity)");
        }
    }
}
