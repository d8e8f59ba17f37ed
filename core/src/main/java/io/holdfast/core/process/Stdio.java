package io.holdfast.core.process;

import io.holdfast.core.Fd;
import java.nio.file.Path;

/** The source or target of a standard stream of a child. */
public sealed interface Stdio {
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
     * @param path the path
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

    /**
     * A descriptor, lent until the child is started.
     *
     * @param fd the descriptor
     */
    record Descriptor(Fd fd) implements Stdio {}

    /** {@return the stream of this process, the default} */
    static Stdio inherit() {
        return new Inherit();
    }

    /**
     * Returns {@code /dev/null}: at its end for reading, and discards what is written.
     *
     * @return the stream
     */
    static Stdio devNull() {
        return new Null();
    }

    /**
     * {@return a pipe to or from this process: {@link Child#stdin}, {@link Child#stdout}, {@link
     * Child#stderr}}
     */
    static Stdio pipe() {
        return new Pipe();
    }

    /**
     * Returns, for standard error only, the same target as the child's standard output.
     *
     * @return the stream
     */
    static Stdio merged() {
        return new Merged();
    }

    /**
     * Reads the stream from a file. If it is a FIFO, the start waits until a process has opened it
     * for writing.
     *
     * @param path the path
     * @return the stream
     */
    static Stdio from(Path path) {
        return new File(path, Mode.READ);
    }

    /**
     * Writes the stream to a file, which is created if missing and truncated otherwise. If it is a
     * FIFO, the start waits until a process has opened it for reading.
     *
     * @param path the path
     * @return the stream
     */
    static Stdio to(Path path) {
        return new File(path, Mode.WRITE);
    }

    /**
     * Appends the stream to a file, which is created if missing. A FIFO is waited for as by {@link
     * #to}.
     *
     * @param path the path
     * @return the stream
     */
    static Stdio appendTo(Path path) {
        return new File(path, Mode.APPEND);
    }

    /**
     * {@return the equivalent of a redirection of {@code ProcessBuilder}}
     *
     * @param redirect the redirection
     */
    static Stdio of(ProcessBuilder.Redirect redirect) {
        return switch (redirect.type()) {
            case PIPE -> pipe();
            case INHERIT -> inherit();
            case READ -> from(redirect.file().toPath());
            case WRITE -> to(redirect.file().toPath());
            case APPEND -> appendTo(redirect.file().toPath());
        };
    }

    /**
     * {@return a stream on a descriptor of the caller}
     *
     * @param fd the descriptor, lent until {@link Spawn#start} returns
     */
    static Stdio descriptor(Fd fd) {
        return new Descriptor(fd);
    }
}
