package io.holdfast.cli.up;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysMemfd;
import io.holdfast.journal.Cursor;
import io.holdfast.journal.Id128;
import io.holdfast.journal.JournalReader;
import io.holdfast.manager.survival.DescriptorStore;
import io.holdfast.manager.survival.Keeper;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The journal entry that was printed last, or the time since which entries are to be printed, in a
 * file of memory that outlives the manager. Used by one thread.
 */
final class PrintedPosition implements AutoCloseable {
    private static final int SIZE = 256; // of one cursor, padded with zeros

    private static final String BEGIN = "begin ";

    private final Fd file;

    private PrintedPosition(Fd file) {
        this.file = file;
    }

    /** Opens the position that an earlier manager has recorded, or a new one. */
    static PrintedPosition open(DescriptorStore store) {
        List<Fd> kept = store.read(Keeper.PRINTED_LINES);
        if (kept.size() == 1) {
            return new PrintedPosition(kept.getFirst());
        }
        kept.forEach(Fd::close);
        Fd file = SysMemfd.make("holdfast-printed");
        write(file, BEGIN + System.nanoTime()); // CLOCK_MONOTONIC
        try {
            Optional<String> _ = store.put(Keeper.PRINTED_LINES, List.of(file));
        } catch (ErrnoException e) {
            // the next manager begins at the end of the files
        }
        return new PrintedPosition(file);
    }

    /** Moves a reader to the first entry that is not printed yet. */
    void seek(JournalReader reader) {
        byte[] bytes = new byte[SIZE];
        int n = Math.max(0, Unistd.pread(file, bytes, 0, SIZE, 0));
        String text = new String(bytes, 0, n, US_ASCII).replace("\0", "");
        try {
            if (text.startsWith(BEGIN)) {
                long since = Long.parseLong(text.substring(BEGIN.length()));
                reader.seekMonotonic(Id128.boot(), Duration.ofNanos(since));
            } else {
                reader.seekAfter(Cursor.parse(text));
            }
        } catch (IllegalArgumentException | IOException e) { // cut by a kill, or without /proc
            reader.seekTail();
        }
    }

    void record(Cursor printed) {
        write(file, printed.toString());
    }

    private static void write(Fd file, String text) {
        byte[] bytes = Arrays.copyOf(text.getBytes(US_ASCII), SIZE);
        int _ = Unistd.pwrite(file, bytes, 0, SIZE, 0);
    }

    @Override
    public void close() {
        file.close();
    }
}
