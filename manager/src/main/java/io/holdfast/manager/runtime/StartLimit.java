package io.holdfast.manager.runtime;

import io.holdfast.core.state.Fields;
import io.holdfast.manager.unit.section.UnitSection;
import java.time.Duration;
import java.util.Optional;

/**
 * Counts the starts of a unit, and limits them to a number within one interval. An interval begins
 * with the first start after the previous interval is over. Owned by one thread.
 */
public final class StartLimit {
    private static final long NANOS_PER_MICRO = 1000;

    private final UnitSection.StartLimit limit;
    private final long intervalNanos;
    private long begin;
    private int starts;
    private boolean hit;

    public StartLimit(UnitSection.StartLimit limit) {
        this.limit = limit;
        long micros = limit.interval().micros();
        this.intervalNanos =
                micros > Long.MAX_VALUE / NANOS_PER_MICRO
                        ? Long.MAX_VALUE
                        : micros * NANOS_PER_MICRO;
    }

    /**
     * Counts a start, unless there have been too many.
     *
     * @param now of {@link System#nanoTime}
     * @return whether the unit may start
     */
    public boolean tryStart(long now) {
        if (limit.isUnlimited()) {
            return true;
        }
        if (starts == 0 || now - begin >= intervalNanos) {
            begin = now;
            starts = 0;
        }
        hit = starts >= limit.burst();
        if (!hit) {
            starts++;
        }
        return !hit;
    }

    /** Returns for how long further starts are refused, if the last one was; otherwise empty. */
    public Optional<Duration> hitFor(long now) {
        return hit
                ? Optional.of(Duration.ofNanos(Math.max(0, intervalNanos - (now - begin))))
                : Optional.empty();
    }

    /** Records how often the unit was started. */
    public void record(Fields fields) {
        fields.put("starts", starts).put("starts-since", begin).put("start-limit-hit", hit);
    }

    /** Restores what {@link #record} wrote. */
    public void restore(Fields fields) {
        starts = Math.toIntExact(fields.number("starts"));
        begin = fields.number("starts-since");
        hit = fields.is("start-limit-hit");
    }

    /** Forgets all starts ({@code reset-failed}). */
    public void reset() {
        starts = 0;
        hit = false;
    }
}
