package io.holdfast.manager.unit.calendar;

import io.holdfast.manager.unit.Quote;
import io.holdfast.manager.unit.calendar.CalendarSpec.Range;
import io.holdfast.manager.unit.calendar.CalendarSpec.Zone;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Parses one calendar expression: {@code WEEKDAYS DATE TIME ZONE}, of which most parts may be
 * missing, or a shorthand such as {@code weekly}.
 */
final class CalendarParser {
    private static final int MOST_RANGES = 240;
    private static final int FRACTION_DIGITS = 6;
    private static final int FIRST_YEAR = 1970;

    /** A second of the year 3001, which is after all years that an expression can have. */
    private static final long LAST_SECOND = 32_535_216_000L;

    /** The days that not every month has. */
    private static final int UNSURE_DAYS = 3;

    private final String whole;
    private final LocalZone local;
    private String text = "";
    private int at;
    private int weekdays;
    private boolean fromMonthEnd;
    private List<Range> years = List.of();
    private List<Range> months = List.of();
    private List<Range> days = List.of();
    private List<Range> hours = List.of();
    private List<Range> minutes = List.of();
    private List<Range> micros = List.of();
    private Zone zone = Zone.LOCAL;

    CalendarParser(String whole, LocalZone local) {
        this.whole = whole;
        this.local = local;
    }

    CalendarSpec parse() {
        text = splitZone();
        if (text.isEmpty()) {
            throw bad("it has no date and no time");
        }
        if (!shorthand()) {
            weekdays();
            if (!date()) {
                time();
            }
            if (at < text.length()) {
                throw unexpected();
            }
        }
        return checked();
    }

    // ---- the time zone

    /** Returns the text without its time zone. */
    private String splitZone() {
        int space = whole.lastIndexOf(' ');
        if (space < 0 || space == whole.length() - 1) {
            return whole;
        }
        String name = whole.substring(space + 1);
        String before = whole.substring(0, space);
        if (name.equalsIgnoreCase("UTC")) {
            zone = Zone.UTC;
        } else if (before.isEmpty()) {
            return whole;
        } else if (name.equalsIgnoreCase(local.standardName())) {
            zone = new Zone(Zone.Kind.LOCAL_STANDARD, local.standardName());
        } else if (name.equalsIgnoreCase(local.daylightName())) {
            zone = new Zone(Zone.Kind.LOCAL_DAYLIGHT, local.daylightName());
        } else if (LocalZone.isKnown(name)) {
            zone = new Zone(Zone.Kind.NAMED, name);
        } else {
            return whole;
        }
        return before;
    }

    // ---- shorthands

    private boolean shorthand() {
        List<Range> zero = List.of(Range.of(0));
        List<Range> first = List.of(Range.of(1));
        String word = text.toLowerCase(Locale.ROOT);
        switch (word) {
            case "minutely", "hourly", "daily" -> {}
            case "weekly" -> weekdays = 1;
            case "monthly" -> days = first;
            case "quarterly" -> {
                months = List.of(Range.of(1), Range.of(4), Range.of(7), Range.of(10));
                days = first;
            }
            case "biannually", "bi-annually", "semiannually", "semi-annually" -> {
                months = List.of(Range.of(1), Range.of(7));
                days = first;
            }
            case "yearly", "annually", "anually" -> {
                months = first;
                days = first;
            }
            default -> {
                return false;
            }
        }
        micros = zero;
        minutes = word.equals("minutely") ? List.of() : zero;
        hours = word.equals("minutely") || word.equals("hourly") ? List.of() : zero;
        return true;
    }

    // ---- weekdays

    private void weekdays() {
        int rangeFrom = -1;
        for (boolean first = true; ; first = false) {
            int day = CalendarSpec.weekdayAt(text, at);
            if (day < 0) {
                if (first) {
                    return;
                }
                throw unexpected();
            }
            at += CalendarSpec.weekdayLength(text, at, day);
            if (!isNextOneOf("-., ")) {
                throw unexpected();
            }
            if (rangeFrom > day) {
                throw bad("a range of weekdays ends before it begins");
            }
            for (int one = rangeFrom < 0 ? day : rangeFrom; one <= day; one++) {
                weekdays |= 1 << one;
            }
            if (at == text.length() || next() == ' ') {
                skipSpaces();
                return;
            }
            if (next() == ',') {
                at++;
                rangeFrom = -1;
            } else if (rangeFrom >= 0) {
                throw unexpected(); // a range of a range
            } else if (next() == '-') { // an older form
                at++;
                rangeFrom = day;
            } else if (text.startsWith("..", at)) {
                at += 2;
                rangeFrom = day;
            } else {
                throw unexpected();
            }
            if (at == text.length() || next() == ' ') { // a last comma may stand, but no open range
                if (rangeFrom >= 0) {
                    throw bad("a range of weekdays has no end");
                }
                skipSpaces();
                return;
            }
        }
    }

    // ---- the date

    /** Returns whether the date is a timestamp, which includes the time. */
    private boolean date() {
        if (at == text.length()) {
            return false;
        }
        if (next() == '@') {
            timestamp();
            return true;
        }
        int start = at;
        List<Range> one = ranges(false);
        if (at == text.length() || next() == ':') {
            at = start; // it is an hour
            return false;
        }
        boolean endsAfterMonth = separator();
        List<Range> two = ranges(false);
        if (at == text.length() || next() == ' ') {
            months = one;
            days = two;
            fromMonthEnd = endsAfterMonth;
            skipSpaces();
            return false;
        }
        if (endsAfterMonth) {
            throw unexpected();
        }
        fromMonthEnd = separator();
        days = ranges(false);
        if (at < text.length() && next() != ' ') {
            throw unexpected();
        }
        years = one;
        months = two;
        skipSpaces();
        return false;
    }

    /** Takes {@code -} or {@code ~}; returns whether the days that follow count from the end. */
    private boolean separator() {
        if (!isNextOneOf("-~") || at == text.length()) {
            throw unexpected();
        }
        return text.charAt(at++) == '~';
    }

    /** Reads {@code @SECONDS}, which is always in UTC. */
    private void timestamp() {
        at++;
        long seconds = 0;
        for (int start = at; isDigit() || at == start; ) {
            if (!isDigit()) {
                throw unexpected();
            }
            seconds = Math.min(seconds * 10 + digit(), LAST_SECOND);
        }
        LocalDateTime time = LocalDateTime.ofEpochSecond(seconds, 0, ZoneOffset.UTC);
        years = List.of(Range.of(time.getYear()));
        months = List.of(Range.of(time.getMonthValue()));
        days = List.of(Range.of(time.getDayOfMonth()));
        hours = List.of(Range.of(time.getHour()));
        minutes = List.of(Range.of(time.getMinute()));
        micros = List.of(Range.of(time.getSecond() * CalendarSpec.SECOND));
        zone = Zone.UTC;
    }

    // ---- the time of day

    private void time() {
        hours = List.of(Range.of(0));
        minutes = hours;
        micros = hours;
        if (at == text.length()) {
            return;
        }
        hours = ranges(false);
        if (at == text.length() || next() != ':') {
            throw unexpected();
        }
        at++;
        minutes = ranges(false);
        if (at < text.length() && next() == ':') {
            at++;
            micros = ranges(true);
        }
    }

    // ---- values of one unit

    /**
     * Reads {@code *}, or values with commas.
     *
     * @param seconds whether the values are seconds with a fraction
     */
    private List<Range> ranges(boolean seconds) {
        if (isNextOneOf("*") && at < text.length()) {
            at++;
            return seconds ? List.of(new Range(0, -1, CalendarSpec.SECOND)) : List.of();
        }
        List<Range> ranges = new ArrayList<>();
        while (true) {
            if (ranges.size() > MOST_RANGES) {
                throw bad("more than " + MOST_RANGES + " values of one unit");
            }
            ranges.add(range(seconds));
            if (!isNextOneOf(",") || at == text.length()) {
                return ranges;
            }
            at++;
        }
    }

    private Range range(boolean seconds) {
        int first = number(seconds);
        int last = -1;
        int step = 0;
        if (text.startsWith("..", at)) {
            at += 2;
            last = number(seconds);
            step = seconds ? CalendarSpec.SECOND : 1;
        }
        if (at < text.length() && next() == '/') {
            at++;
            step = number(seconds);
            if (step == 0) {
                throw bad("a repetition of 0");
            }
        } else if (seconds && last >= 0 && first + step > last) {
            throw bad("a range below one second needs a repetition");
        }
        if (!isNextOneOf(" ,-~:")) {
            throw unexpected();
        }
        return new Range(first, last, step);
    }

    private int number(boolean seconds) {
        long value = 0;
        int start = at;
        while (isDigit()) {
            value = value * 10 + digit();
            if (value > Integer.MAX_VALUE) {
                throw bad("a number is too large");
            }
        }
        if (at == start) {
            throw unexpected();
        }
        if (seconds) {
            value *= CalendarSpec.SECOND;
            boolean hasFraction = at < text.length() && next() == '.' && !text.startsWith("..", at);
            value += hasFraction ? fraction() : 0;
        }
        if (value > Integer.MAX_VALUE) {
            throw bad("a number is too large");
        }
        return (int) value;
    }

    /** Reads a fraction, rounded to a microsecond. */
    private int fraction() {
        at++;
        if (!isDigit()) {
            throw unexpected();
        }
        int value = 0;
        for (int i = 0; i < FRACTION_DIGITS; i++) {
            value = value * 10 + (isDigit() ? digit() : 0);
        }
        boolean up = isDigit() && next() >= '5';
        while (isDigit()) {
            at++;
        }
        return up ? value + 1 : value;
    }

    // ---- the result

    private CalendarSpec checked() {
        if (zone.kind() == Zone.Kind.NAMED && zone.name().equals("UTC")) {
            zone = Zone.UTC;
        }
        boolean fromEnd = fromMonthEnd && !days.isEmpty();
        years = years.stream().map(CalendarParser::withCentury).toList();
        return new CalendarSpec(
                weekdays == 0 ? CalendarSpec.EVERY_DAY : weekdays,
                fromEnd,
                checked("year", years, FIRST_YEAR, CalendarSpec.LAST_YEAR, false),
                checked("month", months, 1, 12, false),
                checked("day", days, 1, 31, fromEnd),
                checked("hour", hours, 0, 23, false),
                checked("minute", minutes, 0, 59, false),
                checked("second", micros, 0, 60 * CalendarSpec.SECOND - 1, false),
                zone);
    }

    private static Range withCentury(Range range) {
        return new Range(withCentury(range.first()), withCentury(range.last()), range.step());
    }

    private static int withCentury(int year) {
        if (year < 0 || year >= 100) {
            return year;
        }
        return year < 70 ? year + 2000 : year + 1900;
    }

    /**
     * Returns the ranges in order.
     *
     * @param fromEnd whether they count from the end of the month. Then each range must end three
     *     days earlier than the one before it, as in systemd
     */
    private List<Range> checked(
            String unit, List<Range> ranges, int low, int highest, boolean fromEnd) {
        List<Range> normal =
                ranges.stream().map(CalendarParser::normalized).sorted().distinct().toList();
        int high = highest;
        for (Range range : normal) {
            high -= fromEnd ? UNSURE_DAYS : 0;
            int end = range.hasLast() ? range.last() : range.first();
            if (range.first() < low || range.first() > high || end < low || end > high) {
                throw bad("the " + unit + " is out of range");
            }
            boolean repeats =
                    range.hasLast()
                            ? range.first() + range.step() <= range.last()
                            : fromEnd
                                    ? range.first() - range.step() >= low
                                    : range.first() + range.step() <= high;
            if (range.step() > high - low || !repeats) {
                throw bad("a range of the " + unit + " ends before it repeats");
            }
        }
        return normal;
    }

    /** Returns a range that ends with its last value. */
    private static Range normalized(Range range) {
        int last = range.last();
        if (last > range.first() && range.step() > 0) {
            last -= (last - range.first()) % range.step();
        }
        boolean isOne =
                last == range.first()
                        || (last > range.first()
                                && range.step() > 0
                                && range.first() + range.step() > last);
        return isOne ? Range.of(range.first()) : new Range(range.first(), last, range.step());
    }

    // ---- characters

    private char next() {
        return text.charAt(at);
    }

    /** Returns whether the text ends here, or one of the characters comes next. */
    private boolean isNextOneOf(String characters) {
        return at == text.length() || characters.indexOf(next()) >= 0;
    }

    private boolean isDigit() {
        return at < text.length() && next() >= '0' && next() <= '9';
    }

    private int digit() {
        return text.charAt(at++) - '0';
    }

    private void skipSpaces() {
        while (at < text.length() && next() == ' ') {
            at++;
        }
    }

    private IllegalArgumentException unexpected() {
        String word = text.substring(at).strip();
        return bad(word.isEmpty() ? "it ends too early" : "not understood from " + Quote.of(word));
    }

    private IllegalArgumentException bad(@Nullable String why) {
        return new IllegalArgumentException(
                "not a calendar expression: "
                        + Quote.of(whole)
                        + ": "
                        + why
                        + " (try daily, Mon 09:00, *-*-01 04:00:00)");
    }
}
