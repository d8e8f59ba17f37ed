package io.holdfast.manager.loop;

import io.holdfast.core.EventLoop;
import io.holdfast.manager.unit.value.TimeSpan;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A time limit that can be set, prolonged and lifted. On the loop. */
public final class TimeLimit {
    private final EventLoop loop;
    private EventLoop.@Nullable Timer timer;
    private Runnable late = () -> {};
    private long at; // of System.nanoTime

    public TimeLimit(EventLoop loop) {
        this.loop = loop;
    }

    /**
     * Sets the limit anew.
     *
     * @param span 0 and infinity mean no limit
     * @param late run when the limit expires
     */
    public void set(TimeSpan span, Runnable late) {
        lift();
        span.duration()
                .filter(duration -> !duration.isZero())
                .ifPresent(duration -> set(duration, late));
    }

    /** Sets the limit anew; a zero duration expires at once. */
    public void set(Duration duration, Runnable late) {
        lift();
        this.late = late;
        at = System.nanoTime() + nanos(duration);
        timer =
                loop.after(
                        duration,
                        () -> {
                            timer = null;
                            late.run();
                        });
    }

    /** Moves the expiry to at least this span from now; does nothing if no limit is set. */
    public void prolong(TimeSpan span) {
        if (timer == null) {
            return;
        }
        if (span.isInfinite()) {
            lift();
            return;
        }
        span.duration()
                .filter(duration -> System.nanoTime() + nanos(duration) - at > 0)
                .ifPresent(duration -> set(duration, late));
    }

    /** Returns when the limit expires, by {@link System#nanoTime}; 0 if no limit is set. */
    public long at() {
        return timer == null ? 0 : at;
    }

    /**
     * Sets the limit anew to a value of {@link #at} from this process or another one; does nothing
     * if that is 0.
     */
    public void restore(long before, Runnable task) {
        if (before != 0) {
            set(Duration.ofNanos(Math.max(0, before - System.nanoTime())), task);
        }
    }

    public boolean isSet() {
        return timer != null;
    }

    public void lift() {
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
    }

    private static long nanos(Duration duration) {
        return duration.toDays() > 10_000 ? Long.MAX_VALUE / 4 : duration.toNanos();
    }
}
