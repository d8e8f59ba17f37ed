package io.holdfast.core;

import java.util.concurrent.atomic.LongAdder;

/**
 * A snapshot of this library's counters in this JVM, for metrics.
 *
 * <pre>{@code
 * gauge("holdfast.descriptors", () -> Counters.now().descriptors());
 * }</pre>
 *
 * <p>The counters are read one after the other while other threads change them, so they need not be
 * consistent with each other.
 *
 * @param descriptors open descriptors that an {@link Fd} owns
 * @param waits threads and callbacks that wait for a descriptor ({@link Readiness}), without the
 *     watches of event loops
 * @param mergedSignals signals that arrived before an {@linkplain EventLoop#onSignal event loop}
 *     had handled the one before, so that both were handled as one
 */
public record Counters(long descriptors, long waits, long mergedSignals) {
    static final LongAdder DESCRIPTORS = new LongAdder();
    static final LongAdder WAITS = new LongAdder();
    static final LongAdder MERGED_SIGNALS = new LongAdder();

    /** {@return the current counters} May be called by any thread. */
    public static Counters now() {
        return new Counters(DESCRIPTORS.sum(), WAITS.sum(), MERGED_SIGNALS.sum());
    }
}
