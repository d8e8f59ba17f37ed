package io.holdfast.cli.metrics;

/**
 * The metrics of forwarding.
 *
 * @param counters what was done so far
 * @param lagMicros the age of the oldest message that waits for the collector's confirmation, 0 if
 *     there is none
 */
public record ForwardMetrics(Counters counters, long lagMicros) {
    /**
     * Counts messages.
     *
     * @param sent messages that the collector has confirmed
     * @param dropped messages that the collector has refused for good
     * @param retried attempts to send that have failed
     * @param batches batches that were confirmed
     * @param waitingSince the time of the oldest message that is being sent, in µs since 1970; 0 if
     *     there is none
     */
    public record Counters(long sent, long dropped, long retried, long batches, long waitingSince) {
        /** Counts a batch that was confirmed. */
        public Counters sent(long count) {
            return new Counters(sent + count, dropped, retried, batches + 1, waitingSince);
        }

        /** Counts messages that were refused. */
        public Counters dropped(long count) {
            return new Counters(sent, dropped + count, retried, batches, waitingSince);
        }

        /** Counts an attempt that has failed. */
        public Counters failed() {
            return new Counters(sent, dropped, retried + 1, batches, waitingSince);
        }

        /** Notes the time of the oldest message that is being sent. */
        public Counters waiting(long since) {
            return new Counters(sent, dropped, retried, batches, since);
        }
    }

    /** Returns the metrics in the OpenMetrics format. */
    public String text() {
        MetricFamilies families = new MetricFamilies("holdfast_forward_");
        families.counter("sent", "Messages that the collector has confirmed.", counters.sent());
        families.counter(
                "dropped", "Messages that the collector has refused for good.", counters.dropped());
        families.counter("retried", "Attempts to send that have failed.", counters.retried());
        families.counter("batches", "Batches that were confirmed.", counters.batches());
        families.gauge(
                "lag_milliseconds",
                "Age of the oldest message that the collector has not confirmed.",
                lagMicros / 1000);
        return families.text();
    }
}
