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
    private boolean isUnbegun;
    private boolean isDiskFull;

    JournalException(Path file, long offset, String problem) {
        super(file + (offset < 0 ? "" : ": offset " + offset) + ": " + problem);
        this.file = file;
        this.offset = offset;
    }

    /** The file is empty, or begins with zeros: its writer has not made its header yet. */
    static JournalException unbegun(Path file) {
        JournalException problem =
                new JournalException(file, 0, "the file is empty; its writer has not begun it");
        problem.isUnbegun = true;
        return problem;
    }

    /** The file cannot grow. */
    static JournalException diskFull(Path file, long offset, String problem) {
        JournalException full = new JournalException(file, offset, problem);
        full.isDiskFull = true;
        return full;
    }

    JournalException(Path file, String problem, Throwable cause) {
        super(file + ": " + problem, cause);
        this.file = file;
        this.offset = -1;
    }

    boolean isUnbegun() {
        return isUnbegun;
    }

    /** {@return whether the file system has no room for the file, or the user's quota has none} */
    public boolean isDiskFull() {
        return isDiskFull;
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
