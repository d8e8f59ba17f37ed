package io.holdfast.manager.unit.calendar;

import java.time.DayOfWeek;
import java.util.List;
import java.util.OptionalLong;

/**
 * A calendar expression of {@code OnCalendar=}: a set of points in time, such as {@code Mon..Fri
 * *-*-* 09:00 Europe/Berlin}. A text is parsed to its normalized form, which {@link #toString}
 * writes.
 *
 * @param weekdays bit 0 is Monday; all seven bits mean that the weekday does not matter
 * @param fromMonthEnd whether the days count backwards from the last day of the month, which is 1
 * @param years from 1970 to 2199; empty: any, as for all other units
 * @param months from 1 to 12
 * @param days from 1 to 31
 * @param hours from 0 to 23
 * @param minutes from 0 to 59
 * @param micros microseconds within the minute
 * @see <a
 *     href="https://www.freedesktop.org/software/systemd/man/systemd.time.html">systemd.time</a>
 */
public record CalendarSpec(
        int weekdays,
        boolean fromMonthEnd,
        List<Range> years,
        List<Range> months,
        List<Range> days,
        List<Range> hours,
        List<Range> minutes,
        List<Range> micros,
        Zone zone) {
    /** The weekdays if none is named. */
    static final int EVERY_DAY = 0x7f;

    /** The last year in which an expression can elapse. */
    static final int LAST_YEAR = 2199;

    static final int SECOND = 1_000_000;

    private static final String[] WEEKDAYS = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

    /**
     * Some values of one unit of time.
     *
     * @param first the first value, or the only one
     * @param last the last value; negative if there is none
     * @param step the distance between values; 0 if there is only one
     */
    public record Range(int first, int last, int step) implements Comparable<Range> {
        static Range of(int value) {
            return new Range(value, -1, 0);
        }

        boolean hasLast() {
            return last >= 0;
        }

        @Override
        public int compareTo(Range other) {
            int byFirst = Integer.compare(first, other.first);
            int byLast = byFirst != 0 ? byFirst : Integer.compare(last, other.last);
            return byLast != 0 ? byLast : Integer.compare(step, other.step);
        }

        private String format(String number, int unit) {
            StringBuilder text = new StringBuilder(value(number, first, unit));
            if (last > 0) {
                text.append("..").append(value(number, last, unit));
            }
            if (step > 0 && !(last > 0 && step == unit)) {
                text.append('/').append(value("%d", step, unit));
            }
            return text.toString();
        }

        private static String value(String number, int value, int unit) {
            String whole = number.formatted(value / unit);
            int rest = value % unit;
            return rest == 0 ? whole : whole + ".%06d".formatted(rest);
        }
    }

    /**
     * The time zone that the values are in.
     *
     * @param name as in the text; empty for the local zone
     */
    public record Zone(Kind kind, String name) {
        /** How the zone was written. */
        public enum Kind {
            /** Not at all: the zone of the machine. */
            LOCAL,
            /** By the name that the zone of the machine has out of daylight saving time. */
            LOCAL_STANDARD,
            /** By the name that it has in daylight saving time. */
            LOCAL_DAYLIGHT,
            /** {@code UTC}. */
            UTC,
            /** By a name of the tz database. */
            NAMED
        }

        static final Zone LOCAL = new Zone(Kind.LOCAL, "");
        static final Zone UTC = new Zone(Kind.UTC, "UTC");
    }

    public CalendarSpec {
        years = List.copyOf(years);
        months = List.copyOf(months);
        days = List.copyOf(days);
        hours = List.copyOf(hours);
        minutes = List.copyOf(minutes);
        micros = List.copyOf(micros);
    }

    /**
     * Parses an expression.
     *
     * @param local the zone of the machine, whose names the text may use
     * @throws IllegalArgumentException if it is not a calendar expression
     */
    public static CalendarSpec parse(String text, LocalZone local) {
        return new CalendarParser(text, local).parse();
    }

    /**
     * Returns the first point in time after another one, in microseconds since 1970; empty if there
     * is none.
     *
     * @param after microseconds since 1970
     * @param local the zone of the machine
     */
    public OptionalLong next(long after, LocalZone local) {
        return new CalendarSearch(this, local).next(after);
    }

    /** Returns the normalized form: {@code Mon..Fri *-*-* 09:00:00 Europe/Berlin}. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        if (weekdays != EVERY_DAY) {
            text.append(weekdayText()).append(' ');
        }
        text.append(format(years, "%04d", 1))
                .append('-')
                .append(format(months, "%02d", 1))
                .append(fromMonthEnd ? '~' : '-')
                .append(format(days, "%02d", 1))
                .append(' ')
                .append(format(hours, "%02d", 1))
                .append(':')
                .append(format(minutes, "%02d", 1))
                .append(':')
                .append(everySecond() ? "*" : format(micros, "%02d", SECOND));
        if (!zone.name().isEmpty()) {
            text.append(' ').append(zone.name());
        }
        return text.toString();
    }

    private boolean everySecond() {
        return micros.equals(List.of(new Range(0, -1, SECOND)));
    }

    private static String format(List<Range> ranges, String number, int unit) {
        return ranges.isEmpty()
                ? "*"
                : String.join(
                        ",", ranges.stream().map(range -> range.format(number, unit)).toList());
    }

    private String weekdayText() {
        StringBuilder text = new StringBuilder();
        int day = 0;
        while (day < WEEKDAYS.length) {
            int end = day;
            while (isOn(end)) {
                end++;
            }
            if (end > day) {
                text.append(text.isEmpty() ? "" : ",").append(WEEKDAYS[day]);
            }
            if (end > day + 1) {
                text.append(end > day + 2 ? ".." : ",").append(WEEKDAYS[end - 1]);
            }
            day = Math.max(end, day + 1);
        }
        return text.toString();
    }

    /**
     * Returns whether a weekday is one of its own.
     *
     * @param weekday 0 is Monday
     */
    boolean isOn(int weekday) {
        return (weekdays >> weekday & 1) != 0;
    }

    /** Returns the weekday that a text begins with; -1 if there is none. */
    static int weekdayAt(String text, int at) {
        for (int day = 0; day < WEEKDAYS.length; day++) {
            if (text.regionMatches(true, at, WEEKDAYS[day], 0, 3)) {
                return day;
            }
        }
        return -1;
    }

    /** Returns the length of the weekday's name at a place of a text: long or short. */
    static int weekdayLength(String text, int at, int day) {
        String full = DayOfWeek.of(day + 1).name();
        return text.regionMatches(true, at, full, 0, full.length()) ? full.length() : 3;
    }
}
