package io.holdfast.core.process;

import io.holdfast.core.Fd;
import java.nio.file.Path;

/** The kinds of {@link Stdio}. */
final class StdioTarget {
    private StdioTarget() {}

    /** The stream of this process. */
    record Inherit() implements Stdio {}

    /** {@code /dev/null}. */
    record Null() implements Stdio {}

    /** A pipe, whose other end the {@link Child} object has. */
    record Pipe() implements Stdio {}

    /** The same as its standard output; for standard error only. */
    record Merged() implements Stdio {}

    /**
     * A file that is opened when the child is started. The start waits until the other end of a
     * FIFO is open; an interrupt of the thread ends that wait.
     *
     * @param mode how it is opened
     */
    record File(Path path, Mode mode) implements Stdio {}

    /** How the file of a stream is opened. */
    enum Mode {
        /** For reading. */
        READ,
        /** For writing: created if missing, truncated otherwise. */
        WRITE,
        /** For writing at its end: created if missing. */
        APPEND
    }

    /** A descriptor, lent until the child is started. */
    record Descriptor(Fd fd) implements Stdio {}
}
