package io.holdfast.manager.timer;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Gen;
import io.holdfast.manager.loop.DualTimestamp;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.calendar.CalendarSpec;
import io.holdfast.manager.unit.calendar.LocalZone;
import io.holdfast.manager.unit.section.TimerUnit;
import io.holdfast.manager.unit.section.TimerUnit.Base;
import io.holdfast.manager.unit.section.TimerUnit.Trigger;
import io.holdfast.manager.unit.value.TimeSpan;
import io.holdfast.manager.view.UnitTimes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** When a timer elapses, on a clock of the test. */
class TimerScheduleTest {
    private static final long SECOND = 1_000_000;
    private static final long HOUR = 3600 * SECOND;
    private static final long DAY = 24 * HOUR;

    /** Midnight of a day in UTC. */
    private static final long MIDNIGHT = 20_000 * DAY;

    /** The monotonic clock began at this time of the wall clock. */
    private static final long BOOT = MIDNIGHT - 5 * DAY;

    private static final LocalZone ZONE = LocalZone.UTC;
    private DualTimestamp now = at(MIDNIGHT + 9 * HOUR);
    private DualTimestamp last = DualTimestamp.NEVER;
    private DualTimestamp started = at(MIDNIGHT - DAY);
    private UnitTimes timer = UnitTimes.NEVER;
    private UnitTimes triggered = UnitTimes.NEVER;
    private boolean active;
    private boolean clockSet;
    private boolean defer;
    private long offset;

    private static DualTimestamp at(long realtime) {
        return new DualTimestamp(realtime, realtime - BOOT);
    }

    private static UnitTimes times(long up, long down) {
        DualTimestamp exit = up == 0 ? DualTimestamp.NEVER : at(up);
        DualTimestamp enter = down == 0 ? DualTimestamp.NEVER : at(down);
        return new UnitTimes(exit, exit, exit, enter, enter);
    }

    private static Trigger calendar(String text) {
        return new Trigger.Calendar(CalendarSpec.parse(text, ZONE));
    }

    private static Trigger after(Base base, long micros) {
        return new Trigger.After(base, new TimeSpan(micros));
    }

    private TimerSchedule schedule(Trigger... triggers) {
        return schedule(Set.of(), triggers);
    }

    private TimerSchedule schedule(Set<Integer> spent, Trigger... triggers) {
        TimerUnit.Section section =
                new TimerUnit.Section(
                        List.of(triggers),
                        UnitName.of("a.service"),
                        TimeSpan.seconds(60),
                        TimeSpan.ZERO,
                        false,
                        TimeSpan.ZERO,
                        false,
                        false,
                        false,
                        false,
                        true,
                        defer);
        return TimerSchedule.of(
                section,
                new TimerSchedule.Facts(
                        now, last, timer, active, triggered, 0, started, ZONE, clockSet, offset),
                spent);
    }

    @Test
    void aCalendarExpressionElapsesNextAfterTheStart() {
        assertThat(schedule(calendar("daily"), calendar("10:30")).realtime())
                .hasValue(MIDNIGHT + 10 * HOUR + HOUR / 2);
    }

    @Test
    void anElapseDuringTheLastRunIsMadeUpForOnce() {
        active = true;
        last = at(MIDNIGHT - 10 * HOUR);
        triggered = times(MIDNIGHT - 10 * HOUR, MIDNIGHT + 9 * HOUR);
        assertThat(schedule(calendar("hourly")).realtime()).hasValue(MIDNIGHT - 9 * HOUR);
        last = now;
        assertThat(schedule(calendar("hourly")).realtime()).hasValue(MIDNIGHT + 10 * HOUR);
    }

    @Test
    void deferReactivationCountsFromTheEndOfTheRun() {
        active = true;
        defer = true;
        last = at(MIDNIGHT - 10 * HOUR);
        triggered = times(MIDNIGHT - 10 * HOUR, MIDNIGHT + 9 * HOUR);
        assertThat(schedule(calendar("hourly")).realtime()).hasValue(MIDNIGHT + 10 * HOUR);
    }

    @Test
    void anElapseThatWasMissedWhileTheMachineWasOffCountsFromTheStartOfTheManager() {
        last = new DualTimestamp(MIDNIGHT - 100 * DAY, 0); // of a stamp file
        assertThat(schedule(calendar("weekly")).realtime()).hasValue(started.realtime());
    }

    @Test
    void aFixedOffsetMovesEveryElapse() {
        offset = 20 * 60 * SECOND;
        now = at(MIDNIGHT + 10 * HOUR + 10 * 60 * SECOND);
        assertThat(schedule(calendar("hourly")).realtime()).hasValue(MIDNIGHT + 10 * HOUR + offset);
    }

    @Test
    void spansCountFromTheirEvent() {
        active = true;
        timer = times(MIDNIGHT + 8 * HOUR, 0);
        triggered = times(MIDNIGHT + 6 * HOUR, MIDNIGHT + 7 * HOUR);
        assertThat(
                        schedule(
                                        after(Base.ACTIVE, 2 * HOUR),
                                        after(Base.BOOT, 11 * DAY),
                                        after(Base.STARTUP, 9 * DAY),
                                        after(Base.UNIT_ACTIVE, 9 * HOUR),
                                        after(Base.UNIT_INACTIVE, 9 * HOUR))
                                .each())
                .containsExactly(
                        at(MIDNIGHT + 10 * HOUR).monotonic(),
                        11 * DAY,
                        at(MIDNIGHT + 8 * DAY).monotonic(),
                        at(MIDNIGHT + 15 * HOUR).monotonic(),
                        at(MIDNIGHT + 16 * HOUR).monotonic());
    }

    @Test
    void aSpanAfterAnEventThatNeverCameDoesNotElapse() {
        TimerSchedule schedule =
                schedule(after(Base.UNIT_ACTIVE, HOUR), after(Base.UNIT_INACTIVE, HOUR));
        assertThat(schedule.monotonic()).isEmpty();
        assertThat(schedule.mayReturn()).isTrue();
    }

    @Test
    void aSpanAfterTheBootElapsesOnce() {
        active = true;
        assertThat(schedule(after(Base.BOOT, HOUR)).monotonic()).hasValue(HOUR);
        last = at(MIDNIGHT + 8 * HOUR);
        TimerSchedule over = schedule(after(Base.BOOT, HOUR));
        assertThat(over.monotonic()).isEmpty();
        assertThat(over.spent()).containsExactly(0);
        last = DualTimestamp.NEVER;
        assertThat(schedule(over.spent(), after(Base.BOOT, HOUR)).monotonic()).isEmpty();
    }

    static Stream<Gen> cases() {
        return Gen.cases(100);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void aTimerElapsesWithinItsAccuracy(Gen gen) {
        long earliest = Math.floorMod(gen.anyLong(), 100 * DAY);
        long room = Math.floorMod(gen.anyLong(), gen.oneOf(1L, SECOND, 60 * SECOND, HOUR));
        long shift = Math.floorMod(gen.anyLong(), 1L << 32);
        assertThat(TimerSchedule.within(earliest, room, shift))
                .isBetween(earliest, earliest + room);
    }

    @Test
    void timersWithinOneMinuteElapseTogether() {
        List<Long> times = new ArrayList<>();
        for (long i = 0; i < 1000; i++) {
            times.add(TimerSchedule.within(MIDNIGHT + i * 59_000, 60 * SECOND, 12_345_678));
        }
        assertThat(Set.copyOf(times)).hasSizeLessThanOrEqualTo(2);
    }

    /** Runs a timer for simulated days: it elapses at each time of its expression, once. */
    @ParameterizedTest
    @MethodSource("cases")
    void everyElapseIsLaterThanTheOneBefore(Gen gen) {
        active = true;
        Trigger[] triggers =
                Stream.generate(() ->
                                gen.oneOf(
                                        calendar("*-*-* 0/" + gen.between(1, 5) + ":00"),
                                        calendar("hourly"),
                                        after(Base.UNIT_ACTIVE, gen.between(1, 7200) * SECOND),
                                        after(Base.ACTIVE, gen.between(1, 7200) * SECOND)))
                        .limit(gen.between(1, 4))
                        .toArray(Trigger[]::new);
        timer = times(now.realtime(), 0);
        Set<Integer> spent = Set.of();
        for (int i = 0; i < 20; i++) {
            TimerSchedule next = schedule(spent, triggers);
            spent = next.spent();
            long realtime =
                    Math.min(
                            next.realtime().orElse(Long.MAX_VALUE),
                            next.monotonic().orElse(Long.MAX_VALUE - BOOT) + BOOT);
            if (realtime == Long.MAX_VALUE) {
                return;
            }
            long elapse = Math.max(realtime, now.realtime());
            assertThat(elapse).isLessThanOrEqualTo(now.realtime() + DAY);
            now = at(elapse);
            last = now;
            long end = elapse + gen.between(0, 3 * 3600) * SECOND;
            triggered = times(elapse, end);
            now = at(end + 1);
        }
    }
}
