package io.holdfast.manager.timer;

import io.holdfast.manager.loop.DualTimestamp;
import io.holdfast.manager.unit.calendar.LocalZone;
import io.holdfast.manager.unit.section.TimerUnit;
import io.holdfast.manager.unit.section.TimerUnit.Base;
import io.holdfast.manager.unit.section.TimerUnit.Trigger;
import io.holdfast.manager.unit.value.TimeSpan;
import io.holdfast.manager.view.UnitTimes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;

/**
 * When a timer elapses next, computed from its lines and the times of the units alone.
 *
 * <p>A calendar expression elapses at its first time after the last elapse, or after the start of
 * the timer if it never elapsed. If that time is over, it elapses at once: so an elapse that was
 * missed, because the machine was suspended or the triggered unit was still up, is made up for, but
 * only one.
 *
 * @param realtime the next elapse by the calendar, in microseconds since 1970
 * @param monotonic the next elapse by a time span, in microseconds of CLOCK_MONOTONIC
 * @param each the next elapse of each line; 0 if it has none
 * @param spent the lines whose only elapse is over
 * @param mayReturn whether a change of the triggered unit can make it elapse again
 */
record TimerSchedule(
        OptionalLong realtime,
        OptionalLong monotonic,
        List<Long> each,
        Set<Integer> spent,
        boolean mayReturn) {
    /** Times on a perturbed grid let timers with room elapse together. */
    private static final long[] GRID = {60_000_000, 10_000_000, 1_000_000, 250_000};

    TimerSchedule {
        each = List.copyOf(each);
        spent = Set.copyOf(spent);
    }

    /**
     * The facts that it depends on.
     *
     * @param last the last elapse
     * @param timer the times of the timer
     * @param isActive whether the timer is active
     * @param triggered the times of the triggered unit
     * @param booted the beginning of {@code OnBootSec=}
     * @param started the start of the manager
     * @param clockSet whether this is asked because the clock was set
     * @param offset the part of {@code RandomizedOffsetSec=} that applies, in microseconds
     */
    record Facts(
            DualTimestamp now,
            DualTimestamp last,
            UnitTimes timer,
            boolean isActive,
            UnitTimes triggered,
            long booted,
            DualTimestamp started,
            LocalZone zone,
            boolean clockSet,
            long offset) {}

    static TimerSchedule of(TimerUnit.Section section, Facts facts, Set<Integer> spentBefore) {
        OptionalLong realtime = OptionalLong.empty();
        OptionalLong monotonic = OptionalLong.empty();
        List<Long> each = new ArrayList<>();
        Set<Integer> spent = new HashSet<>(spentBefore);
        boolean mayReturn = false;
        for (int line = 0; line < section.triggers().size(); line++) {
            OptionalLong next = OptionalLong.empty();
            switch (section.triggers().get(line)) {
                case Trigger.Calendar(var spec) -> {
                    long after = calendarBase(section, facts);
                    next = spec.next(after - facts.offset(), facts.zone());
                    if (next.isPresent()) {
                        long at = Math.max(next.getAsLong() + facts.offset(), startedAt(facts));
                        next = OptionalLong.of(at);
                        realtime = earlier(realtime, at);
                    }
                }
                case Trigger.After(Base base, TimeSpan span) -> {
                    mayReturn |= base.ofTriggered();
                    next = spent.contains(line) ? next : after(base, span, facts);
                    boolean isOver =
                            next.isPresent()
                                    && !base.ofTriggered()
                                    && !facts.clockSet()
                                    && !facts.last().equals(DualTimestamp.NEVER)
                                    && next.getAsLong() < facts.now().monotonic();
                    if (isOver) {
                        spent.add(line);
                        next = OptionalLong.empty();
                    } else if (next.isPresent()) {
                        monotonic = earlier(monotonic, next.getAsLong());
                    }
                }
            }
            each.add(next.orElse(0));
        }
        return new TimerSchedule(realtime, monotonic, each, spent, mayReturn);
    }

    private static OptionalLong earlier(OptionalLong one, long other) {
        return OptionalLong.of(one.isPresent() ? Math.min(one.getAsLong(), other) : other);
    }

    private static long calendarBase(TimerUnit.Section section, Facts facts) {
        long last = facts.last().realtime();
        long down = facts.triggered().inactiveEnter().realtime();
        if (section.deferReactivation() && down != 0) {
            return Math.max(last, down);
        }
        if (last != 0) {
            return last;
        }
        long begun = facts.timer().inactiveExit().realtime();
        return facts.isActive() && begun != 0 ? begun : facts.now().realtime();
    }

    /**
     * Returns the start of the manager by the present wall clock. No elapse is earlier, so that a
     * random delay also spreads those that were missed while the machine was off.
     */
    private static long startedAt(Facts facts) {
        return facts.now().realtime() - (facts.now().monotonic() - facts.started().monotonic());
    }

    private static OptionalLong after(Base base, TimeSpan span, Facts facts) {
        long from =
                switch (base) {
                    case ACTIVE ->
                            facts.isActive()
                                    ? facts.timer().inactiveExit().monotonic()
                                    : facts.now().monotonic();
                    case BOOT -> facts.booted();
                    case STARTUP -> facts.started().monotonic();
                    case UNIT_ACTIVE ->
                            Math.max(
                                    facts.triggered().inactiveExit().monotonic(),
                                    facts.last().monotonic());
                    case UNIT_INACTIVE ->
                            Math.max(
                                    facts.triggered().inactiveEnter().monotonic(),
                                    facts.last().monotonic());
                };
        boolean unknown = base.ofTriggered() && from <= 0;
        return unknown || span.isInfinite() || span.micros() > Long.MAX_VALUE - from
                ? OptionalLong.empty()
                : OptionalLong.of(from + span.micros());
    }

    /**
     * Returns a time within a window that timers with a similar window choose too: as late as
     * possible on the coarsest grid that has a point in the window.
     *
     * @param shift moves the grid, so that not all machines wake at the same time
     */
    static long within(long earliest, long room, long shift) {
        if (room <= 0 || earliest > Long.MAX_VALUE - room) {
            return earliest;
        }
        long latest = earliest + room;
        for (long step : GRID) {
            long at = latest - Math.floorMod(latest - shift % step, step);
            if (at >= earliest) {
                return at;
            }
        }
        return latest;
    }
}
