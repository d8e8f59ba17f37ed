package io.holdfast.cli.log.forward;

import io.holdfast.cli.metrics.ForwardMetrics;
import io.holdfast.journal.Field;
import io.holdfast.journal.JournalReader;
import io.holdfast.journal.JournalWriter;
import io.holdfast.journal.WriterOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A journal with a forwarder that runs, as in a process of its own. */
final class ForwardStage implements AutoCloseable {
    final List<String> warnings = new CopyOnWriteArrayList<>();
    private final CursorFile cursor;
    private final JournalReader reader;
    private final Forwarder forwarder;
    private final Thread thread;

    ForwardStage(Path folder, Destination destination) throws IOException {
        cursor = new CursorFile(folder.resolve("cursor"));
        reader = JournalReader.openFolders(List.of(folder));
        reader.seekHead();
        cursor.read().ifPresent(reader::seekAfter);
        forwarder = new Forwarder(reader, _ -> true, destination, cursor, warnings::add);
        thread = Thread.ofVirtual().start(this::run);
    }

    static JournalWriter writer(Path folder) throws IOException {
        return JournalWriter.open(folder.resolve("system.journal"), WriterOptions.standard());
    }

    static void write(JournalWriter writer, String... messages) throws IOException {
        for (String message : messages) {
            long _ =
                    writer.append(
                            List.of(
                                    Field.of("MESSAGE", message),
                                    Field.of("PRIORITY", "3"),
                                    Field.of("_SYSTEMD_UNIT", "web.service")));
        }
    }

    private void run() {
        try {
            forwarder.run();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            // closed
        }
    }

    ForwardMetrics counters() {
        return forwarder.counters();
    }

    /** Returns whether all messages were sent, and the cursor file says so. */
    boolean isIdleAfter(long sent) {
        ForwardMetrics now = counters();
        return now.counters().sent() >= sent && now.lagMicros() == 0;
    }

    @Override
    public void close() {
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        reader.close();
    }
}
