package io.holdfast.manager.loop;

import io.holdfast.core.EventLoop;
import io.holdfast.manager.unit.value.TimeSpan;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A limit of time that is set, prolonged and lifted. On the loop. */
public final class Deadline {
    private final EventLoop loop;
    private EventLoop.@Nullable Timer timer;
    private Runnable late = () -> {};
    private long at; // of System.nanoTime

    public Deadline(EventLoop loop) {
        this.loop = loop;
    }

    /**
     * Sets it anew.
     *
     * @param span 0 and infinity are no limit
     * @param late what is done when it is over
     */
    public void set(TimeSpan span, Runnable late) {
        lift();
        span.duration()
                .filter(duration -> !duration.isZero())
                .ifPresent(duration -> set(duration, late));
    }

    /** Sets it anew, also to no time at all. */
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

    /** It is not over before this span is, counted from now. Nothing if it is not set. */
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

    /** When it is over, by {@link System#nanoTime}; 0 if it is not set. */
    public long at() {
        return timer == null ? 0 : at;
    }

    /**
     * Sets it anew to what {@link #at} told, of this process or of another; nothing if that is 0.
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
