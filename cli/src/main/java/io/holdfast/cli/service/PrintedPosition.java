package io.holdfast.cli.service;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysMemfd;
import io.holdfast.journal.Cursor;
import io.holdfast.manager.survival.DescriptorStore;
import io.holdfast.manager.survival.Keeper;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The journal entry that was printed last, in a file of memory that outlives the manager. Used by
 * one thread.
 */
final class PrintedPosition implements AutoCloseable {
    private static final int SIZE = 256; // of one cursor, padded with zeros

    private final Fd file;
    private final Optional<Cursor> cursor;

    private PrintedPosition(Fd file) {
        this.file = file;
        byte[] text = new byte[SIZE];
        int n = Math.max(0, Unistd.pread(file, text, 0, SIZE, 0));
        cursor = parse(new String(text, 0, n, US_ASCII).replace("\0", ""));
    }

    private static Optional<Cursor> parse(String text) {
        try {
            return text.isEmpty() ? Optional.empty() : Optional.of(Cursor.parse(text));
        } catch (IllegalArgumentException e) {
            return Optional.empty(); // cut by a kill
        }
    }

    /** Opens the position that an earlier manager has recorded, or a new one. */
    static PrintedPosition open(DescriptorStore store) {
        List<Fd> kept = store.read(Keeper.PRINTED_LINES);
        if (kept.size() == 1) {
            return new PrintedPosition(kept.getFirst());
        }
        kept.forEach(Fd::close);
        Fd file = SysMemfd.make("holdfast-printed");
        try {
            Optional<String> _ = store.put(Keeper.PRINTED_LINES, List.of(file));
        } catch (ErrnoException e) {
            // the next manager begins at the end of the files
        }
        return new PrintedPosition(file);
    }

    /** {@return the entry that an earlier manager has printed last} */
    Optional<Cursor> cursor() {
        return cursor;
    }

    void record(Cursor printed) {
        byte[] text = Arrays.copyOf(printed.toString().getBytes(US_ASCII), SIZE);
        int _ = Unistd.pwrite(file, text, 0, SIZE, 0);
    }

    @Override
    public void close() {
        file.close();
    }
}
