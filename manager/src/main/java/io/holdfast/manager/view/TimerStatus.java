package io.holdfast.manager.view;

import io.holdfast.manager.loop.DualTimestamp;
import io.holdfast.manager.unit.UnitName;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The state of a timer beyond its {@link UnitStatus}.
 *
 * @param triggers the unit that it starts
 * @param last when it last elapsed
 * @param nextRealtime when it elapses by the calendar, in microseconds since 1970; 0: never
 * @param nextMonotonic when it elapses by a time span, in microseconds of CLOCK_MONOTONIC; 0: never
 * @param nextOfEach the next elapse of each line of the unit; 0: never
 */
public record TimerStatus(
        UnitName unit,
        UnitName triggers,
        DualTimestamp last,
        long nextRealtime,
        long nextMonotonic,
        List<Long> nextOfEach)
        implements UnitDetails {
    public TimerStatus {
        nextOfEach = List.copyOf(nextOfEach);
    }

    /** Returns when it elapses next, in microseconds since 1970; empty if it does not. */
    public OptionalLong next(DualTimestamp now) {
        long spans = nextMonotonic == 0 ? 0 : nextMonotonic - now.monotonic() + now.realtime();
        if (nextRealtime == 0 || spans == 0) {
            long only = Math.max(nextRealtime, spans);
            return only == 0 ? OptionalLong.empty() : OptionalLong.of(only);
        }
        return OptionalLong.of(Math.min(nextRealtime, spans));
    }

    @Override
    public Optional<List<UnitName>> triggered() {
        return Optional.of(List.of(triggers));
    }
}
