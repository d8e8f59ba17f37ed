package io.holdfast.cli.log;

import io.holdfast.manager.unit.value.TimeSpan;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Parses the points in time of {@code --since} and {@code --until}, after systemd.time(7). */
final class LogTime {
    /** With the day of the week, a time, and its zone, as journalctl(1) prints it, too. */
    private static final Pattern DATE =
            Pattern.compile(
                    "(?:[A-Z][a-z]{2} )?(?<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
                            + "(?:[ T](?<time>[0-9:.]+) ?(?<zone>UTC|Z|[-+][0-9]{2}:?[0-9]{2})?)?");

    private static final String DAY = "day";
    private static final String TIME = "time";
    private static final String ZONE = "zone";

    private LogTime() {}

    /**
     * Parses a point in time: {@code now}, {@code today}, {@code yesterday}, {@code -1h}, {@code 1h
     * ago}, {@code @1764547200.25}, {@code 2026-12-01}, {@code 12:00}, {@code 2026-12-01 12:00:30},
     * {@code Tue 2026-12-01 12:00:30 UTC}, {@code 2026-12-01T12:00:30+01:00}.
     *
     * @throws IllegalArgumentException if it is none
     */
    static Instant parse(String text, ZonedDateTime now) {
        ZonedDateTime today = now.truncatedTo(ChronoUnit.DAYS);
        return switch (text) {
            case "now" -> now.toInstant();
            case "today" -> today.toInstant();
            case "yesterday" -> today.minusDays(1).toInstant();
            case "tomorrow" -> today.plusDays(1).toInstant();
            default -> other(text, now);
        };
    }

    private static Instant other(String text, ZonedDateTime now) {
        try {
            if (text.startsWith("@")) {
                BigDecimal micros =
                        new BigDecimal(text.substring(1))
                                .movePointRight(6)
                                .setScale(0, RoundingMode.DOWN);
                return Instant.EPOCH.plus(micros.longValueExact(), ChronoUnit.MICROS);
            }
            if (text.startsWith("-") || text.endsWith(" ago")) {
                return now.toInstant()
                        .minus(
                                span(
                                        text.startsWith("-")
                                                ? text.substring(1)
                                                : text.substring(0, text.length() - 4)));
            }
            if (text.startsWith("+")) {
                return now.toInstant().plus(span(text.substring(1)));
            }
            Matcher date = DATE.matcher(text);
            if (!date.matches()) {
                return now.toLocalDate().atTime(time(text)).atZone(now.getZone()).toInstant();
            }
            String time = date.group(TIME);
            return LocalDate.parse(date.group(DAY))
                    .atTime(time == null ? LocalTime.MIDNIGHT : time(time))
                    .atZone(date.group(ZONE) == null ? now.getZone() : ZoneId.of(date.group(ZONE)))
                    .toInstant();
        } catch (DateTimeException | ArithmeticException | IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "no point in time: "
                            + text
                            + "; write it as \"2026-12-01 12:00\", yesterday, -1h or @SECONDS",
                    e);
        }
    }

    private static java.time.Duration span(String text) {
        return TimeSpan.parse(text.strip())
                .duration()
                .orElseThrow(() -> new IllegalArgumentException("infinity"));
    }

    private static LocalTime time(String text) {
        return LocalTime.parse(text);
    }
}
