package io.holdfast.bus;

import io.holdfast.core.EventLoop;
import java.time.Duration;

/**
 * Waits for the next events of a loop. To wake a processor that sleeps takes longer than to route a
 * message, so it looks again for some microseconds before it sleeps: but only as long as that has
 * paid lately. A bus that nobody uses sleeps at once, and stays asleep.
 */
final class AdaptiveWait {
    private static final long LOOKING_NANOS = 40_000;
    private static final int MOST_CREDIT = 8; // looks in vain that are afforded after a good time
    private static final int COST_OF_MISS = 2;
    private static final int TRY_EVERY = 512; // sleeps: whether it would pay by now
    private static final Duration FOR_EVER = Duration.ofMillis(Long.MAX_VALUE);

    private final EventLoop loop;
    private int credit;
    private int sleeps;

    AdaptiveWait(EventLoop loop) {
        this.loop = loop;
    }

    /** What was handled; 0 if it was only woken. */
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
