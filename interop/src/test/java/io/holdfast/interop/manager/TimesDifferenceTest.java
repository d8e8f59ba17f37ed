package io.holdfast.interop.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.run.Run;
import io.holdfast.core.run.RunResult;
import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.unit.calendar.CalendarSpec;
import io.holdfast.manager.unit.calendar.LocalZone;
import io.holdfast.manager.unit.value.TimeSpan;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Tests that calendar expressions and time spans mean what systemd-analyze(1) says, with
 * expressions that are mostly valid: 3,000 of each in the long suite.
 */
@Needs(programs = "systemd-analyze")
class TimesDifferenceTest {
    private static final int CASES = 3;
    private static final int TEXTS = 10;
    private static final int ELAPSES = 5;
    private static final long SECOND = 1_000_000;
    private static final List<String> ZONES =
            List.of(
                    "UTC",
                    "Europe/Berlin",
                    "Europe/Dublin",
                    "America/New_York",
                    "Australia/Lord_Howe",
                    "America/Sao_Paulo",
                    "Asia/Kolkata");

    /** Days on and next to which a zone above changes its offset, and others. */
    private static final List<String> DAYS =
            List.of(
                    "2026-03-08",
                    "2026-03-28",
                    "2026-04-04",
                    "2026-06-15",
                    "2026-10-03",
                    "2026-10-25",
                    "2026-11-01",
                    "2026-12-31",
                    "2028-02-29");

    private static final DateTimeFormatter BASE = format("yyyy-MM-dd HH:mm:ss 'UTC'");
    private static final DateTimeFormatter ELAPSE = format("EEE yyyy-MM-dd HH:mm:ss 'UTC'");

    private static DateTimeFormatter format(String pattern) {
        return DateTimeFormatter.ofPattern(pattern, Locale.US).withZone(ZoneOffset.UTC);
    }

    static Stream<Gen> cases() {
        return Gen.cases(CASES);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void calendarExpressions(Gen gen) throws Exception {
        for (int i = 0; i < TEXTS; i++) {
            String text = new Calendars(gen).expression();
            String zone = gen.oneOf(ZONES);
            String base =
                    "%s %02d:%02d:%02d UTC"
                            .formatted(
                                    gen.oneOf(DAYS),
                                    gen.between(0, 23),
                                    gen.between(0, 59),
                                    gen.between(0, 59));
            RunResult result =
                    Run.of(
                                    "env",
                                    "TZ=" + zone,
                                    "systemd-analyze",
                                    "calendar",
                                    "--iterations=" + ELAPSES,
                                    "--base-time=" + base,
                                    "--",
                                    text)
                            .run();
            if (!result.error().contains("Infinite loop")) { // a fault of systemd's, at a gap
                assertThat(ours(text, LocalZone.of(zone), base))
                        .as("%s in %s after %s", text, zone, base)
                        .isEqualTo(systemd(result));
            }
        }
    }

    /** Returns the normalized form and the elapses; empty if the text is refused. */
    private static List<String> systemd(RunResult result) {
        List<String> found = new ArrayList<>();
        if (!result.exit().isSuccess()) {
            return found;
        }
        for (String line : result.output().lines().toList()) {
            String key = line.substring(0, Math.max(0, line.indexOf(": "))).strip();
            String value = line.substring(line.indexOf(": ") + 2);
            boolean elapses = key.equals("Next elapse") || key.startsWith("Iteration");
            if (key.equals("Normalized form")
                    || key.equals("(in UTC)")
                    || (elapses && value.endsWith(" UTC"))) {
                found.add(value);
            }
        }
        return found;
    }

    private static List<String> ours(String text, LocalZone zone, String base) {
        List<String> found = new ArrayList<>();
        try {
            CalendarSpec spec = CalendarSpec.parse(text, zone);
            found.add(spec.toString());
            long at = Instant.from(BASE.parse(base)).getEpochSecond() * SECOND;
            OptionalLong next = spec.next(at, zone);
            while (next.isPresent() && found.size() <= ELAPSES) {
                found.add(ELAPSE.format(Instant.ofEpochSecond(next.getAsLong() / SECOND)));
                next = spec.next(next.getAsLong(), zone);
            }
        } catch (IllegalArgumentException e) {
            return List.of();
        }
        return found;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void timeSpans(Gen gen) throws Exception {
        for (int i = 0; i < TEXTS; i++) {
            String text = span(gen);
            RunResult result = Run.of("systemd-analyze", "timespan", "--", text).run();
            List<String> systemd =
                    result.output()
                            .lines()
                            .filter(line -> line.contains("s: ") || line.contains("Human: "))
                            .map(line -> line.substring(line.indexOf(": ") + 2))
                            .toList();
            List<String> ours;
            try {
                TimeSpan span = TimeSpan.parse(text);
                ours = List.of(Long.toString(span.micros()), span.toString());
            } catch (IllegalArgumentException e) {
                ours = List.of();
            }
            assertThat(ours).as(text).isEqualTo(systemd);
        }
    }

    private static String span(Gen gen) {
        StringBuilder text = new StringBuilder();
        int parts = gen.between(1, 4);
        for (int i = 0; i < parts; i++) {
            text.append(gen.oneOf("", " ")).append(gen.between(0, gen.oneOf(9, 99, 9999)));
            if (gen.chance(0.3)) {
                text.append('.').append(gen.between(0, 9999));
            }
            text.append(gen.oneOf("", " "))
                    .append(
                            gen.oneOf(
                                    "us", "usec", "ms", "msec", "s", "sec", "second", "seconds",
                                    "m", "min", "minute", "minutes", "h", "hr", "hour", "hours",
                                    "d", "day", "days", "w", "week", "weeks", "M", "month",
                                    "months", "y", "year", "years"));
        }
        return gen.chance(0.1) ? mutated(gen, text.toString()) : text.toString();
    }

    private static String mutated(Gen gen, String text) {
        int at = gen.between(0, text.length() - 1);
        return text.substring(0, at)
                + gen.oneOf("", "x", " ", "-", ".", "7")
                + text.substring(at + 1);
    }

    /** Makes calendar expressions. */
    private record Calendars(Gen gen) {
        String expression() {
            String text = gen.chance(0.05) ? shorthand() : parts();
            if (gen.chance(0.2)) {
                text += " " + gen.oneOf("UTC", "CET", "CEST", "EST", "Mars/City", gen.oneOf(ZONES));
            }
            return gen.chance(0.08) ? mutated(gen, text) : text;
        }

        private String shorthand() {
            return gen.oneOf(
                    "minutely",
                    "hourly",
                    "Daily",
                    "weekly",
                    "monthly",
                    "quarterly",
                    "yearly",
                    "semiannually",
                    "bi-annually",
                    "@1234567890",
                    "@" + gen.between(0, 999_999_999));
        }

        private String parts() {
            String weekdays = gen.chance(0.3) ? weekdays() + " " : "";
            return switch (gen.between(0, 3)) {
                case 0 -> weekdays + date();
                case 1 -> weekdays + time();
                default -> weekdays + date() + " " + time();
            };
        }

        private String weekdays() {
            return joined(
                    gen.between(1, 3),
                    () -> weekday() + (gen.chance(0.4) ? gen.oneOf("..", "-") + weekday() : ""));
        }

        private String weekday() {
            return gen.oneOf("Mon", "tue", "Wed", "Thursday", "FRI", "Saturday", "sun", "Tuesday");
        }

        private String date() {
            String separator = gen.chance(0.2) ? "~" : "-";
            String year =
                    gen.oneOf("", "*-", gen.between(2020, 2060) + "-", values(0, 99, false) + "-");
            return year + values(1, 12, false) + separator + values(1, 31, false);
        }

        private String time() {
            String seconds = gen.chance(0.6) ? ":" + values(0, 59, true) : "";
            return values(0, 23, false) + ":" + values(0, 59, false) + seconds;
        }

        private String values(int low, int high, boolean fractions) {
            return gen.chance(0.3)
                    ? "*"
                    : joined(gen.oneOf(1, 1, 2, 3), () -> range(low, high, fractions));
        }

        private String range(int low, int high, boolean fractions) {
            int first = gen.between(low, high);
            String text = number(first, fractions);
            if (gen.chance(0.35)) {
                text += ".." + number(gen.between(Math.min(first + 1, high), high), fractions);
            }
            return gen.chance(0.3)
                    ? text + "/" + number(gen.between(1, Math.max(1, (high - low) / 3)), fractions)
                    : text;
        }

        private String number(int value, boolean fractions) {
            String text = gen.chance(0.5) ? "%02d".formatted(value) : Integer.toString(value);
            return fractions && gen.chance(0.2) ? text + "." + gen.between(0, 999_999) : text;
        }

        private static String joined(int count, Supplier<String> one) {
            return String.join(",", IntStream.range(0, count).mapToObj(_ -> one.get()).toList());
        }
    }
}
