package io.holdfast.core;

import java.util.concurrent.atomic.LongAdder;

/**
 * What this library holds and has done in this JVM, for metrics.
 *
 * <pre>{@code
 * gauge("holdfast.descriptors", () -> Counters.now().descriptors());
 * }</pre>
 *
 * <p>Counted while others count on, so numbers of one moment need not agree with each other.
 *
 * @param descriptors open ones that an {@link Fd} owns
 * @param waits threads and callbacks that wait for a descriptor ({@link Readiness}); not what event
 *     loops watch
 * @param mergedSignals signals that came before an {@linkplain EventLoop#onSignal event loop} had
 *     got to the same one, so that both were handled as one
 */
public record Counters(long descriptors, long waits, long mergedSignals) {
    static final LongAdder DESCRIPTORS = new LongAdder();
    static final LongAdder WAITS = new LongAdder();
    static final LongAdder MERGED_SIGNALS = new LongAdder();

    /** {@return the counters as of now} By any thread. */
    public static Counters now() {
        return new Counters(DESCRIPTORS.sum(), WAITS.sum(), MERGED_SIGNALS.sum());
    }
}
