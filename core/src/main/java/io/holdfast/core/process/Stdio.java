package io.holdfast.core.process;

import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import java.nio.file.Path;

/** What a standard stream of a child is. */
public sealed interface Stdio {
    /** Ours. */
    record Inherit() implements Stdio {}

    /** {@code /dev/null}. */
    record Null() implements Stdio {}

    /** A pipe, whose other end the {@link Child} has. */
    record Pipe() implements Stdio {}

    /** The same as its standard output; for standard error only. */
    record Merged() implements Stdio {}

    /**
     * A file that is opened when the child is started.
     *
     * @param path the path
     * @param flags of {@code open(2)}
     */
    record File(Path path, int flags) implements Stdio {}

    /**
     * A descriptor, lent until the child is started.
     *
     * @param fd the descriptor
     */
    record Descriptor(Fd fd) implements Stdio {}

    /** {@return the stream of this process; what a child has unless said otherwise} */
    static Stdio inherit() {
        return new Inherit();
    }

    /**
     * {@code /dev/null}: reads nothing, swallows what is written.
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
     * For standard error: the same as the child's standard output, whatever that is.
     *
     * @return the stream
     */
    static Stdio merged() {
        return new Merged();
    }

    /**
     * Reads a file.
     *
     * @param path the path
     * @return the stream
     */
    static Stdio from(Path path) {
        return new File(path, Fcntl.O_RDONLY);
    }

    /**
     * Writes a file from its start: made if it is not there, emptied if it is.
     *
     * @param path the path
     * @return the stream
     */
    static Stdio to(Path path) {
        return new File(path, Fcntl.O_WRONLY | Fcntl.O_CREAT | Fcntl.O_TRUNC);
    }

    /**
     * Writes at the end of a file, made if it is not there.
     *
     * @param path the path
     * @return the stream
     */
    static Stdio appendTo(Path path) {
        return new File(path, Fcntl.O_WRONLY | Fcntl.O_CREAT | Fcntl.O_APPEND);
    }

    /**
     * {@return what a redirection of {@code ProcessBuilder} says}
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
     * {@return a descriptor of the caller's}
     *
     * @param fd lent until {@link Spawn#start} returns
     */
    static Stdio descriptor(Fd fd) {
        return new Descriptor(fd);
    }
}
