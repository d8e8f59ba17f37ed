package io.holdfast.journal;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A journal file is damaged, is of an unknown format, or cannot be read or written. The message
 * names the file and the offset.
 */
public final class JournalException extends IOException {
    private static final long serialVersionUID = 1L;

    private final transient Path file;
    private final long offset;

    JournalException(Path file, long offset, String problem) {
        super(file + (offset < 0 ? "" : ": offset " + offset) + ": " + problem);
        this.file = file;
        this.offset = offset;
    }

    JournalException(Path file, String problem, Throwable cause) {
        super(file + ": " + problem, cause);
        this.file = file;
        this.offset = -1;
    }

    /** {@return the file} */
    public Path file() {
        return file;
    }

    /** {@return the offset of the damage in the file; -1 if it concerns the whole file} */
    public long offset() {
        return offset;
    }
}
