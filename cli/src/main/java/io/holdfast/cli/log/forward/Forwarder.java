package io.holdfast.cli.log.forward;

import io.holdfast.cli.command.ForwardLimits;
import io.holdfast.cli.metrics.ForwardMetrics;
import io.holdfast.cli.metrics.ForwardMetrics.Counters;
import io.holdfast.journal.Cursor;
import io.holdfast.journal.Entry;
import io.holdfast.journal.Field;
import io.holdfast.journal.JournalReader;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Sends the entries of a journal to a collector, each at least once:
 *
 * <pre>
 *   read a batch ─▶ send it ─▶ the collector confirms ─▶ replace the cursor file ─▶ …
 *                     ▲ back-off and send again │
 *                     └─────────────────────────┘
 * </pre>
 *
 * <p>What ends this process between two of these steps ends it before the cursor file is replaced:
 * the next process sends the batch again. While a collector is down, messages wait in the journal
 * files, and one batch in memory; the receiver of messages is not involved. One message that the
 * collector refuses for good is dropped and counted, and the others of its batch are sent.
 *
 * <p>{@link #run} belongs to one thread, which may be interrupted; {@link #counters} to any.
 */
final class Forwarder {
    private static final Duration LOOK = Duration.ofSeconds(1);
    private static final Duration FIRST_PAUSE = Duration.ofMillis(500);

    private final JournalReader reader;
    private final Predicate<Entry> wanted;
    private final Destination destination;
    private final CursorFile cursorFile;
    private final Consumer<String> warnings;
    private volatile Counters counters = new Counters(0, 0, 0, 0, 0);
    private boolean hasFailed; // since the last success: one warning is enough

    /**
     * @param reader placed before the first entry to send
     * @param wanted which entries are sent
     * @param warnings receives one line when sending begins to fail, and when it works again
     */
    Forwarder(
            JournalReader reader,
            Predicate<Entry> wanted,
            Destination destination,
            CursorFile cursorFile,
            Consumer<String> warnings) {
        this.reader = reader;
        this.wanted = wanted;
        this.destination = destination;
        this.cursorFile = cursorFile;
        this.warnings = warnings;
    }

    /** {@return what was done so far} */
    ForwardMetrics counters() {
        Counters now = counters;
        return new ForwardMetrics(
                now, now.waitingSince() == 0 ? 0 : micros(Instant.now()) - now.waitingSince());
    }

    /**
     * Forwards until the thread is interrupted.
     *
     * @throws IOException if the cursor file cannot be written
     */
    void run() throws IOException, InterruptedException {
        while (!Thread.currentThread().isInterrupted()) {
            Entry entry = reader.next(LOOK);
            if (entry != null) {
                forward(entry);
            }
        }
    }

    private void forward(Entry first) throws IOException, InterruptedException {
        counters = counters.waiting(first.realtimeMicros());
        List<Entry> batch = new ArrayList<>();
        Cursor last = first.cursor();
        long bytes = 0;
        for (Entry entry = first; entry != null; entry = reader.next()) {
            last = entry.cursor();
            if (wanted.test(entry)) {
                batch.add(entry);
                bytes += entry.fields().stream().mapToLong(Field::size).sum();
            }
            if (batch.size() >= ForwardLimits.BATCH.intValue()
                    || bytes >= ForwardLimits.BATCH_BYTES.intValue()) {
                break;
            }
        }
        if (!batch.isEmpty()) {
            deliver(batch);
        }
        cursorFile.write(last);
        counters = counters.waiting(0);
    }

    private void deliver(List<Entry> batch) throws InterruptedException {
        for (int attempt = 0; ; attempt++) {
            switch (destination.send(batch)) {
                case Destination.Delivered delivered -> {
                    long rejected = Math.clamp(delivered.rejected(), 0, batch.size());
                    counters = counters.sent(batch.size() - rejected).dropped(rejected);
                    if (rejected > 0) {
                        warnings.accept(
                                "the collector has rejected %d of %d messages: %s"
                                        .formatted(rejected, batch.size(), delivered.reason()));
                    }
                    if (hasFailed) {
                        hasFailed = false;
                        warnings.accept("the collector accepts messages again");
                    }
                    return;
                }
                case Destination.Refused refused -> {
                    refused(batch, refused.reason());
                    return;
                }
                case Destination.Retry retry -> {
                    counters = counters.failed();
                    if (!hasFailed) {
                        hasFailed = true;
                        warnings.accept("sending fails and is repeated: " + retry.reason());
                    }
                    Duration pause = pause(attempt);
                    Thread.sleep(pause.compareTo(retry.pause()) > 0 ? pause : retry.pause());
                }
            }
        }
    }

    /** Finds the message that the collector refuses, by halves. */
    private void refused(List<Entry> batch, String reason) throws InterruptedException {
        if (batch.size() == 1) {
            counters = counters.dropped(1);
            warnings.accept(
                    "the collector refuses the message %s: %s"
                            .formatted(batch.getFirst().cursor(), reason));
            return;
        }
        int half = batch.size() / 2;
        deliver(batch.subList(0, half));
        deliver(batch.subList(half, batch.size()));
    }

    /** Doubles from half a second to the limit; a random half of it keeps many senders apart. */
    private static Duration pause(int attempt) {
        long most = ForwardLimits.PAUSE.duration().toMillis();
        long full = Math.min(most, FIRST_PAUSE.toMillis() << Math.min(attempt, 20));
        return Duration.ofMillis(full / 2 + ThreadLocalRandom.current().nextLong(full / 2 + 1));
    }

    private static long micros(Instant time) {
        return time.getEpochSecond() * 1_000_000 + time.getNano() / 1000;
    }
}
