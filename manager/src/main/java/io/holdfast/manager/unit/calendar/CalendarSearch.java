package io.holdfast.manager.unit.calendar;

import io.holdfast.manager.unit.calendar.CalendarSpec.Range;
import io.holdfast.manager.unit.calendar.CalendarSpec.Zone;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.YearMonth;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.temporal.ChronoField;
import java.time.temporal.ChronoUnit;
import java.time.zone.ZoneOffsetTransition;
import java.time.zone.ZoneRules;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The search for the next point in time of a calendar expression.
 *
 * <p>It keeps the fields of a local time, and moves each one, from the year down, to the next value
 * that the expression has. A field that has none left carries to the field above it. Fields that do
 * not exist as a time, such as 31 April or an hour that daylight saving time skips, are corrected
 * as mktime(3) does, and the search goes on from there: so a time in a skipped hour does not elapse
 * on that day. Where the change ends daylight saving time, as in Dublin, mktime(3) goes back: then
 * nothing more elapses on that day. A time that comes twice elapses at the first one.
 */
final class CalendarSearch {
    private static final int YEAR = 0;
    private static final int MONTH = 1;
    private static final int DAY = 2;
    private static final int HOUR = 3;
    private static final int MINUTE = 4;

    /** The microsecond within the minute. */
    private static final int MICRO = 5;

    private static final int[] LOWEST = {0, 1, 1, 0, 0, 0};

    /**
     * Zones whose standard time is the summer's, or that of all months but Ramadan: their daylight
     * saving time is behind it. The JDK's database names the two the other way round.
     */
    private static final Set<String> DAYLIGHT_BEHIND_STANDARD =
            Set.of("Europe/Dublin", "Eire", "Africa/Casablanca", "Africa/El_Aaiun");

    /** More rounds than any expression needs; an impossible date ends the search. */
    private static final int MOST_ROUNDS = 1000;

    private enum Move {
        NONE,
        FORWARD,
        BACK
    }

    private final CalendarSpec spec;
    private final ZoneRules rules;
    private final boolean daylightIsBehind;
    private final List<List<Range>> values;
    private int[] fields = LOWEST.clone();
    private boolean ended; // no year is left

    CalendarSearch(CalendarSpec spec, LocalZone local) {
        this.spec = spec;
        values =
                List.of(
                        spec.years(),
                        spec.months(),
                        spec.days(),
                        spec.hours(),
                        spec.minutes(),
                        spec.micros());
        ZoneId zone =
                switch (spec.zone().kind()) {
                    case UTC -> ZoneOffset.UTC;
                    case NAMED -> LocalZone.zone(spec.zone().name());
                    default -> local.id();
                };
        rules = zone.getRules();
        daylightIsBehind = DAYLIGHT_BEHIND_STANDARD.contains(zone.getId());
    }

    OptionalLong next(long after) {
        try {
            Instant from = Instant.EPOCH.plus(Math.addExact(after, 1), ChronoUnit.MICROS);
            fields =
                    fieldsOf(
                            LocalDateTime.ofEpochSecond(
                                    from.getEpochSecond(), from.getNano(), rules.getOffset(from)));
            return search() ? OptionalLong.of(result(after)) : OptionalLong.empty();
        } catch (DateTimeException | ArithmeticException e) {
            return OptionalLong.empty(); // beyond all years
        }
    }

    private boolean search() {
        for (int round = 0; round < MOST_ROUNDS; round++) {
            int[] real = corrected(false);
            if (Arrays.compare(real, fields) > 0) { // mktime(3) may go back, the search never
                fields = real;
            }
            int stuck = YEAR;
            while (stuck <= MICRO && settle(stuck)) {
                stuck++;
            }
            if (stuck > MICRO) {
                return true;
            }
            if (ended) {
                return false;
            }
        }
        return false;
    }

    /** Moves one field to its next value; returns false if the search has to begin again. */
    private boolean settle(int unit) {
        int next = nextValue(unit);
        if (next > fields[unit]) {
            fields[unit] = next;
            reset(unit + 1);
        }
        Move move = next < 0 ? Move.BACK : correct();
        if (move == Move.BACK || fields[YEAR] > CalendarSpec.LAST_YEAR) {
            ended = unit == YEAR;
            carry(unit - 1);
            return false;
        }
        if (move == Move.FORWARD) {
            ended = unit == YEAR;
            return false;
        }
        if (unit == DAY
                && !spec.isOn(
                        LocalDate.of(fields[YEAR], fields[MONTH], fields[DAY])
                                        .getDayOfWeek()
                                        .getValue()
                                - 1)) {
            carry(DAY);
            return false;
        }
        return true;
    }

    /** Moves a field on by one, and those below it to their lowest values. */
    private void carry(int unit) {
        if (unit >= YEAR) {
            fields[unit]++;
            reset(unit + 1);
        }
    }

    private void reset(int from) {
        for (int unit = from; unit <= MICRO; unit++) {
            fields[unit] = LOWEST[unit];
        }
    }

    /**
     * Returns the lowest value of a field that is not below its present one; -1 if none is left.
     */
    private int nextValue(int unit) {
        int now = fields[unit];
        List<Range> ranges = values.get(unit);
        int best = ranges.isEmpty() ? now : -1;
        for (Range range : ranges) {
            int value = nextValue(unit == DAY && spec.fromMonthEnd() ? fromEnd(range) : range, now);
            if (value >= 0 && (best < 0 || value < best)) {
                best = value;
            }
        }
        return best;
    }

    private static int nextValue(Range range, int now) {
        if (range.first() >= now) {
            return range.first();
        }
        if (range.step() == 0) {
            return -1;
        }
        int steps = Math.ceilDiv(now - range.first(), range.step());
        int value = Math.addExact(range.first(), Math.multiplyExact(steps, range.step()));
        return range.hasLast() && value > range.last() ? -1 : value;
    }

    /** Returns the days of the present month that a range means that counts from its end. */
    private Range fromEnd(Range range) {
        int length = YearMonth.of(fields[YEAR], fields[MONTH]).lengthOfMonth();
        int first = length + 1 - range.first();
        return range.hasLast()
                ? new Range(length + 1 - range.last(), first, range.step())
                : new Range(first, -1, range.step());
    }

    // ---- from fields to times

    /** Corrects fields that are not a time. */
    private Move correct() {
        int[] real = corrected(daylightIsBehind);
        for (int unit = YEAR; unit <= MICRO; unit++) {
            if (real[unit] < fields[unit]) {
                return Move.BACK;
            }
            if (real[unit] > fields[unit]) {
                fields = real;
                reset(unit + 1);
                return Move.FORWARD;
            }
        }
        return Move.NONE;
    }

    private int[] corrected(boolean back) {
        LocalDateTime local = local();
        ZoneOffset offset = offset(local, back);
        Instant instant = local.toInstant(offset);
        return fieldsOf(LocalDateTime.ofInstant(instant, rules.getOffset(instant)));
    }

    private LocalDateTime local() {
        return LocalDateTime.of(fields[YEAR], 1, 1, 0, 0)
                .plusMonths(fields[MONTH] - 1L)
                .plusDays(fields[DAY] - 1L)
                .plusHours(fields[HOUR])
                .plusMinutes(fields[MINUTE])
                .plusNanos(fields[MICRO] * 1000L);
    }

    private static int[] fieldsOf(LocalDateTime time) {
        return new int[] {
            time.getYear(),
            time.getMonthValue(),
            time.getDayOfMonth(),
            time.getHour(),
            time.getMinute(),
            time.getSecond() * CalendarSpec.SECOND + time.getNano() / 1000
        };
    }

    /**
     * Returns the offset of a local time.
     *
     * @param after whether it is that after the change if the time comes twice or is skipped
     */
    private ZoneOffset offset(LocalDateTime local, boolean after) {
        boolean daylight = spec.zone().kind() == Zone.Kind.LOCAL_DAYLIGHT;
        if (daylight || spec.zone().kind() == Zone.Kind.LOCAL_STANDARD) {
            return offsetWith(local, daylight);
        }
        ZoneOffsetTransition change = rules.getTransition(local);
        if (change == null) {
            return rules.getOffset(local);
        }
        return after ? change.getOffsetAfter() : change.getOffsetBefore();
    }

    /** Returns the offset that the zone has in or out of daylight saving time, next to a time. */
    private ZoneOffset offsetWith(LocalDateTime local, boolean daylight) {
        Instant near = local.toInstant(rules.getOffset(local));
        if (isDaylight(near) == daylight) {
            return rules.getOffset(near);
        }
        ZoneOffsetTransition after = rules.nextTransition(near);
        if (after != null && isDaylight(after.getInstant()) == daylight) {
            return after.getOffsetAfter();
        }
        ZoneOffsetTransition before = rules.previousTransition(near);
        return before == null ? rules.getOffset(near) : before.getOffsetBefore();
    }

    private boolean isDaylight(Instant time) {
        return rules.isDaylightSavings(time) != daylightIsBehind;
    }

    /** Returns the time of the fields; the second one of two if the first is over. */
    private long result(long after) {
        LocalDateTime local = local();
        long first = micros(local, offset(local, false));
        return first > after ? first : micros(local, offset(local, true));
    }

    private static long micros(LocalDateTime local, ZoneOffset offset) {
        return local.toEpochSecond(offset) * CalendarSpec.SECOND
                + local.get(ChronoField.MICRO_OF_SECOND);
    }
}
