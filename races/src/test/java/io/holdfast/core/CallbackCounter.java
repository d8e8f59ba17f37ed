package io.holdfast.core;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Counts the calls of a readiness callback, and waits for one that must come. */
final class CallbackCounter implements Readiness.Callback {
    private static final long PAUSE_NANOS = 10_000;
    private static final long TIMEOUT_NANOS = 20_000_000_000L;

    private final AtomicInteger calls = new AtomicInteger();

    @Override
    public void ready(int events) {
        int _ = calls.incrementAndGet();
    }

    int calls() {
        return calls.get();
    }

    /**
     * Waits for the first call, which the poller's thread may be about to make, and returns the
     * count.
     */
    String awaited() {
        long deadline = System.nanoTime() + TIMEOUT_NANOS;
        while (calls.get() == 0) {
            if (System.nanoTime() > deadline) {
                return "never";
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        return calls.get() == 1 ? "once" : calls.get() + " times";
    }
}
