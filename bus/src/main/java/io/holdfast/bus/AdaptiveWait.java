package io.holdfast.bus;

import io.holdfast.core.EventLoop;
import java.time.Duration;

/**
 * Waits for the next events of a loop. Waking a sleeping processor takes longer than routing a
 * message, so the thread polls for some microseconds before it sleeps, but only while polling has
 * found events lately. An idle bus sleeps at once and stays asleep.
 */
final class AdaptiveWait {
    private static final long LOOKING_NANOS = 40_000;
    private static final int MOST_CREDIT = 8; // credit after a run of successful polls
    private static final int COST_OF_MISS = 2;
    private static final int TRY_EVERY = 512; // sleeps between two trial polls
    private static final Duration FOR_EVER = Duration.ofMillis(Long.MAX_VALUE);

    private final EventLoop loop;
    private int credit;
    private int sleeps;

    AdaptiveWait(EventLoop loop) {
        this.loop = loop;
    }

    /** Returns the number of events that were handled; 0 if the loop was only woken. */
    int forEvents() {
        int handled = loop.step(Duration.ZERO);
        if (handled == 0 && (credit > 0 || sleeps % TRY_EVERY == 0)) {
            handled = look();
            credit =
                    handled > 0
                            ? Math.min(MOST_CREDIT, credit + 1)
                            : Math.max(0, credit - COST_OF_MISS);
        }
        if (handled == 0) {
            sleeps++;
            handled = loop.step(FOR_EVER);
        }
        return handled;
    }

    private int look() {
        long end = System.nanoTime() + LOOKING_NANOS;
        int handled;
        do {
            handled = loop.step(Duration.ZERO);
        } while (handled == 0 && System.nanoTime() - end < 0);
        return handled;
    }
}
