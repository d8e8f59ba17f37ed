package io.holdfast.cli.log;

import io.holdfast.manager.unit.value.TimeSpan;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;

/** Parses the points in time of {@code --since} and {@code --until}, after systemd.time(7). */
final class LogTime {
    private static final int DATE = "2026-12-01".length();

    private LogTime() {}

    /**
     * Parses a point in time: {@code now}, {@code today}, {@code yesterday}, {@code -1h}, {@code 1h
     * ago}, {@code @1764547200}, {@code 2026-12-01}, {@code 12:00}, {@code 2026-12-01 12:00:30}.
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
                return Instant.ofEpochSecond(Long.parseLong(text.substring(1)));
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
            ZoneId zone = now.getZone();
            if (text.indexOf('-') < 0) {
                return now.toLocalDate().atTime(time(text)).atZone(zone).toInstant();
            }
            LocalDate day = LocalDate.parse(text.substring(0, Math.min(DATE, text.length())));
            String rest = text.length() > DATE ? text.substring(DATE + 1) : "00:00";
            return day.atTime(time(rest)).atZone(zone).toInstant();
        } catch (DateTimeException | IllegalArgumentException e) {
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
