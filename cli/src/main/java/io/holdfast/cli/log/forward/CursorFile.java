package io.holdfast.cli.log.forward;

import io.holdfast.journal.Cursor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * The file that has the cursor of the last message that a collector has confirmed. It is replaced
 * as a whole and made durable, so that after a SIGKILL or a power loss it has the old cursor or the
 * new one.
 */
record CursorFile(Path path) {
    /** The content is one cursor of some 200 characters; a larger file is something else. */
    private static final long LONGEST = 4096;

    /**
     * Reads the cursor; empty if there is no such file.
     *
     * @throws IOException if the file cannot be read, or has no cursor
     */
    Optional<Cursor> read() throws IOException {
        try {
            if (Files.size(path) > LONGEST) {
                throw new IOException(path + ": not a cursor file: it is too large");
            }
            return Optional.of(Cursor.parse(Files.readString(path).strip()));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            throw new IOException(
                    path + ": not a cursor file: " + e.getMessage() + "; remove it to begin anew",
                    e);
        }
    }

    /** Replaces the cursor. */
    void write(Cursor cursor) throws IOException {
        Path next = path.resolveSibling(path.getFileName() + ".new");
        try (FileOutputStream file = new FileOutputStream(next.toFile())) { // no interrupt ends it
            file.write((cursor + "\n").getBytes(StandardCharsets.US_ASCII));
            file.getFD().sync();
        }
        var _ = Files.move(next, path, StandardCopyOption.ATOMIC_MOVE);
        try (FileChannel folder =
                FileChannel.open(path.resolveSibling(""), StandardOpenOption.READ)) {
            folder.force(true);
        } catch (ClosedByInterruptException e) {
            // replaced; a power loss now costs a repetition
        }
    }
}
