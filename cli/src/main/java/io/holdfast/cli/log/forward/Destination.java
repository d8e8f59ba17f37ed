package io.holdfast.cli.log.forward;

import io.holdfast.cli.command.ForwardLimits;
import io.holdfast.journal.Entry;
import java.time.Duration;
import java.util.List;

/** A collector of log messages on another machine. Used by one thread. */
interface Destination {
    /** The result of sending a batch. */
    sealed interface Outcome {}

    /**
     * The collector has the batch.
     *
     * @param rejected how many of its messages the collector has refused for good
     * @param reason the collector's reason if there are any
     */
    record Delivered(long rejected, String reason) implements Outcome {}

    /**
     * The collector refuses what is in the batch; the same batch is never accepted.
     *
     * @param reason the collector's reason
     */
    record Refused(String reason) implements Outcome {}

    /**
     * The collector has the batch or not; it is to be sent again.
     *
     * @param reason the cause
     * @param pause the least time until then, as the collector asks, at most {@link
     *     ForwardLimits#RETRY_AFTER}
     */
    record Retry(String reason, Duration pause) implements Outcome {}

    /**
     * Sends a batch and waits until the collector has confirmed it, for at most {@link
     * ForwardLimits#ANSWER}.
     *
     * @throws InterruptedException if the thread is interrupted; the collector has the batch or not
     */
    Outcome send(List<Entry> batch) throws InterruptedException;
}
