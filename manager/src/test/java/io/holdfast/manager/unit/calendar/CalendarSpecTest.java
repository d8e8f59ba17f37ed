package io.holdfast.manager.unit.calendar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class CalendarSpecTest {
    private static final long SECOND = 1_000_000;
    private static final DateTimeFormatter BASE =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss 'UTC'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);
    private static final DateTimeFormatter ELAPSE =
            DateTimeFormatter.ofPattern("EEE yyyy-MM-dd HH:mm:ss 'UTC'", Locale.US)
                    .withZone(ZoneOffset.UTC);

    /** An expression as systemd-analyze calendar of systemd 257 reads it. */
    record Recorded(String zone, long base, String text, String normalized, List<String> elapses) {
        static Recorded of(String line) {
            String[] fields = line.split("\t", -1);
            List<String> elapses =
                    fields[4].isEmpty() ? List.of() : List.of(fields[4].split(";", -1));
            return new Recorded(fields[0], micros(fields[1]), fields[2], fields[3], elapses);
        }

        boolean isRefused() {
            return normalized.equals("-");
        }
    }

    private static long micros(String utc) {
        return Instant.from(BASE.parse(utc)).getEpochSecond() * SECOND;
    }

    static Stream<Recorded> recorded() throws IOException {
        try (InputStream in =
                Objects.requireNonNull(
                        CalendarSpecTest.class.getResourceAsStream("calendar.tsv"))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines().toList().stream().map(Recorded::of);
        }
    }

    static Stream<Recorded> accepted() throws IOException {
        return recorded().filter(one -> !one.isRefused());
    }

    @ParameterizedTest
    @MethodSource("accepted")
    void elapsesWhenSystemdElapses(Recorded one) {
        LocalZone zone = LocalZone.of(one.zone());
        CalendarSpec spec = CalendarSpec.parse(one.text(), zone);
        assertThat(spec).hasToString(one.normalized());
        assertThat(CalendarSpec.parse(one.normalized(), zone)).isEqualTo(spec);
        assertThat(elapses(spec, zone, one.base(), 5)).isEqualTo(one.elapses());
    }

    @ParameterizedTest
    @MethodSource("recorded")
    void refusesWhatSystemdRefuses(Recorded one) {
        if (one.isRefused()) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> CalendarSpec.parse(one.text(), LocalZone.of(one.zone())))
                    .withMessageContaining("not a calendar expression");
        }
    }

    private static List<String> elapses(CalendarSpec spec, LocalZone zone, long base, int count) {
        List<String> elapses = new ArrayList<>();
        long at = base;
        while (elapses.size() < count) {
            OptionalLong next = spec.next(at, zone);
            if (next.isEmpty()) {
                break;
            }
            assertThat(next.getAsLong()).isGreaterThan(at);
            at = next.getAsLong();
            elapses.add(ELAPSE.format(Instant.ofEpochSecond(at / SECOND)));
        }
        return elapses;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    2026-03-28 00:00:00 UTC | 02:30 | Sat 2026-03-28 01:30:00 UTC | Mon 2026-03-30 00:30:00 UTC
                    2026-10-24 12:00:00 UTC | 02:30 | Sun 2026-10-25 00:30:00 UTC | Mon 2026-10-26 01:30:00 UTC
                    2026-10-25 01:10:00 UTC | *:0/15 | Sun 2026-10-25 01:15:00 UTC | Sun 2026-10-25 01:30:00 UTC
                    2026-10-25 00:50:00 UTC | *:0/15 | Sun 2026-10-25 02:00:00 UTC | Sun 2026-10-25 02:15:00 UTC
                    """)
    void changesToAndFromDaylightSavingTimeNeitherRepeatNorInvent(
            String base, String text, String first, String second) {
        LocalZone berlin = LocalZone.of("Europe/Berlin");
        CalendarSpec spec = CalendarSpec.parse(text, berlin);
        assertThat(elapses(spec, berlin, micros(base), 2)).containsExactly(first, second);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    Europe/Dublin     | 2024-03-30 12:00:00 UTC | 01:30     | Mon 2024-04-01 00:30:00 UTC
                    Europe/Dublin     | 2024-03-31 00:15:00 UTC | *:15      | Sun 2024-03-31 01:15:00 UTC
                    Europe/Dublin     | 2024-03-09 20:00:00 UTC | 02:30 GMT | Sun 2024-03-10 02:30:00 UTC
                    Europe/Dublin     | 2024-06-09 20:00:00 UTC | 02:30 IST | Mon 2024-06-10 01:30:00 UTC
                    Africa/Casablanca | 2024-04-14 00:30:00 UTC | 0/2:30    | Sun 2024-04-14 23:30:00 UTC
                    """)
    void daylightSavingTimeMayBeBehindStandardTime(
            String name, String base, String text, String next) {
        LocalZone zone = LocalZone.of(name);
        CalendarSpec spec = CalendarSpec.parse(text, zone);
        assertThat(elapses(spec, zone, micros(base), 1)).containsExactly(next);
    }

    @Test
    void aTimeOfDaylightSavingTimeElapsesOnceOnTheDayOfItsEnd() {
        LocalZone berlin = LocalZone.of("Europe/Berlin");
        CalendarSpec spec = CalendarSpec.parse("02:30 CEST", berlin);
        long base = micros("2024-10-26 20:00:00 UTC");
        assertThat(elapses(spec, berlin, base, 2)).containsExactly("Sun 2024-10-27 00:30:00 UTC");
    }

    @Test
    void theNamesOfTheLocalZoneAreZones() {
        LocalZone berlin = LocalZone.of("Europe/Berlin");
        assertThat(berlin.standardName()).isEqualTo("CET");
        assertThat(berlin.daylightName()).isEqualTo("CEST");
        assertThat(CalendarSpec.parse("12:00 cest", berlin)).hasToString("*-*-* 12:00:00 CEST");
    }

    @Test
    void microsecondsAreKept() {
        CalendarSpec spec = CalendarSpec.parse("*:*:3/0.25", LocalZone.UTC);
        assertThat(spec.next(3 * SECOND, LocalZone.UTC)).hasValue(3_250_000);
        assertThat(spec.next(3_250_000, LocalZone.UTC)).hasValue(3_500_000);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    Mond 09:00 | not understood from "d 09:00"
                    Fri..Mon | a range of weekdays ends before it begins
                    25:00 | the hour is out of range
                    12:00 Mars/City | not understood from "Mars/City"
                    *-*-1/0 | a repetition of 0
                    fortnightly | not understood from "fortnightly"
                    *-13-01 | the month is out of range
                    """)
    void aRefusalNamesTheFault(String text, String fault) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CalendarSpec.parse(text, LocalZone.UTC))
                .withMessageContaining(fault);
    }
}
