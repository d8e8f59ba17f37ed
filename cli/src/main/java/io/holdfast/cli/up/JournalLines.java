package io.holdfast.cli.up;

import io.holdfast.core.sys.Unistd;
import io.holdfast.journal.Entry;
import io.holdfast.journal.Field;
import io.holdfast.journal.JournalReader;
import io.holdfast.manager.log.ManagerListener;
import io.holdfast.manager.survival.Keeper;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Prints the lines of units by following the files of the receiver: what is received from now on,
 * or, after a killed manager, from the entry on that it printed last.
 *
 * <p>A thread reads the files; it waits for the reader of standard output, so that no line is
 * dropped. The position is recorded after the lines have been written: a killed manager may repeat
 * a few lines on the terminal, and none is missing there. The files have each line once.
 */
final class JournalLines implements AutoCloseable {
    private static final Duration WAIT = Duration.ofMinutes(1);
    private static final int BATCH = 64; // entries between two records of the position

    private final JournalReader reader;
    private final EventLines lines;
    private final Optional<PrintedPosition> position;
    private final String user = Long.toString(Unistd.geteuid());
    private final Thread thread;
    private volatile boolean ending;

    /**
     * Begins to follow.
     *
     * @param place of the files, which may not exist yet
     * @param keeper keeps the position; lent
     */
    JournalLines(JournalPlace place, EventLines lines, Optional<Keeper> keeper) {
        this.lines = lines;
        position = keeper.map(each -> PrintedPosition.open(each.store()));
        reader = JournalReader.openFolders(place.folders());
        position.ifPresentOrElse(each -> each.seek(reader), reader::seekTail);
        thread = Thread.ofPlatform().daemon().name("holdfast-follow").start(this::follow);
    }

    private void follow() {
        try {
            while (!ending) {
                print(reader.next(WAIT));
            }
        } catch (InterruptedException e) {
            // the receiver has stopped, or the manager ends
        } catch (IOException e) {
            lines.event(
                    ManagerListener.Level.WARNING,
                    "the output of units is not printed: " + e.getMessage());
        }
        try {
            boolean _ = reader.refresh();
            print(reader.next());
        } catch (InterruptedException e) {
            // the reader of the output has stalled
        }
    }

    /** Prints an entry and those after it that are there already, and records the position. */
    private void print(@Nullable Entry first) throws InterruptedException {
        Entry last = first;
        int count = 0;
        for (Entry entry = first; entry != null; entry = reader.next()) {
            printEntry(entry);
            last = entry;
            if (++count % BATCH == 0) {
                record(entry);
            }
        }
        if (last != null) {
            record(last);
        }
    }

    private void record(Entry printed) throws InterruptedException {
        while (!lines.isWritten()) {
            if (ending) {
                throw new InterruptedException();
            }
        }
        position.ifPresent(each -> each.record(printed.cursor()));
    }

    private void printEntry(Entry entry) {
        String transport = entry.text("_TRANSPORT").orElse("");
        boolean isOwn =
                transport.equals("journal")
                        && entry.text("SYSLOG_IDENTIFIER")
                                .filter(EventJournal.IDENTIFIER::equals)
                                .isPresent()
                        && entry.text("_UID").filter(user::equals).isPresent();
        boolean isPrinted =
                switch (transport) {
                    case "stdout", "syslog", "journal" -> !isOwn; // own ones were printed
                    case "driver" -> true;
                    default -> false;
                };
        if (isPrinted) {
            String source = UnitMessages.unitOf(entry).orElseGet(() -> source(entry, transport));
            String program = // a line of a stream is the unit's own
                    transport.equals("syslog")
                            ? entry.text("SYSLOG_IDENTIFIER").map(name -> name + ": ").orElse("")
                            : "";
            entry.field("MESSAGE")
                    .map(Field::text)
                    .ifPresent(text ->
                            text.lines().forEach(line -> lines.output(source, program + line)));
        }
    }

    private static String source(Entry entry, String transport) {
        return transport.equals("driver")
                ? JournalPlace.RECEIVER.text()
                : "user " + entry.text("_UID").orElse("unknown");
    }

    /** Prints what the files have, and ends. The receiver has stopped. */
    @Override
    public void close() {
        ending = true;
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return; // the thread uses the reader
        }
        reader.close();
        position.ifPresent(PrintedPosition::close);
    }
}
