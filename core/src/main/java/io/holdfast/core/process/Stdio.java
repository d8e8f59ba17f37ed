package io.holdfast.core.process;

import io.holdfast.core.Fd;
import java.nio.file.Path;

/** The source or target of a standard stream of a child. */
public sealed interface Stdio
        permits StdioTarget.Inherit,
                StdioTarget.Null,
                StdioTarget.Pipe,
                StdioTarget.Merged,
                StdioTarget.File,
                StdioTarget.Descriptor {
    /** {@return the stream of this process, the default} */
    static Stdio inherit() {
        return new StdioTarget.Inherit();
    }

    /**
     * Returns {@code /dev/null}: at its end for reading, and discards what is written.
     *
     * @return the stream
     */
    static Stdio devNull() {
        return new StdioTarget.Null();
    }

    /**
     * {@return a pipe to or from this process: {@link Child#stdin}, {@link Child#stdout}, {@link
     * Child#stderr}}
     */
    static Stdio pipe() {
        return new StdioTarget.Pipe();
    }

    /**
     * Returns, for standard error only, the same target as the child's standard output.
     *
     * @return the stream
     */
    static Stdio merged() {
        return new StdioTarget.Merged();
    }

    /**
     * Reads the stream from a file. If it is a FIFO, the start waits until a process has opened it
     * for writing.
     *
     * @param path the path
     * @return the stream
     */
    static Stdio from(Path path) {
        return new StdioTarget.File(path, StdioTarget.Mode.READ);
    }

    /**
     * Writes the stream to a file, which is created if missing and truncated otherwise. If it is a
     * FIFO, the start waits until a process has opened it for reading.
     *
     * @param path the path
     * @return the stream
     */
    static Stdio to(Path path) {
        return new StdioTarget.File(path, StdioTarget.Mode.WRITE);
    }

    /**
     * Appends the stream to a file, which is created if missing. A FIFO is waited for as by {@link
     * #to}.
     *
     * @param path the path
     * @return the stream
     */
    static Stdio appendTo(Path path) {
        return new StdioTarget.File(path, StdioTarget.Mode.APPEND);
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
        return new StdioTarget.Descriptor(fd);
    }
}
