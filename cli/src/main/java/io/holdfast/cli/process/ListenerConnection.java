package io.holdfast.cli.process;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import picocli.CommandLine.ParseResult;

/** Connects to an AF_UNIX socket, only to identify the process that listens there. */
final class ListenerConnection {
    private ListenerConnection() {}

    /**
     * Returns whether the word names a socket and not a process: it contains a slash, or begins
     * with @.
     */
    static boolean namesSocket(String word) {
        return word.startsWith("@") || word.indexOf('/') >= 0;
    }

    /**
     * Connects; the caller closes the socket.
     *
     * @throws CommandException if no process listens there, or connecting fails
     */
    static UnixSocket open(String word, ParseResult line) throws InterruptedException {
        return connect(address(word, line));
    }

    private static UnixAddress address(String text, ParseResult line) {
        try {
            return UnixAddress.parse(text);
        } catch (IllegalArgumentException e) {
            throw Command.misuse(line, "not a socket: '" + text + "', " + e.getMessage());
        }
    }

    private static UnixSocket connect(UnixAddress address) throws InterruptedException {
        for (SocketType type : new SocketType[] {SocketType.STREAM, SocketType.SEQPACKET}) {
            try {
                return UnixSocket.connect(address, type);
            } catch (ErrnoException e) {
                if (e.errno() != Errno.EPROTOTYPE) {
                    throw new CommandException(why(address, e), e);
                }
            }
        }
        throw new CommandException(address + " is a datagram socket, and has no listening process");
    }

    private static String why(UnixAddress address, ErrnoException e) {
        return switch (e.errno()) {
            case Errno.ENOENT -> address + ": no such socket";
            case Errno.ECONNREFUSED ->
                    isPlainFile(address)
                            ? address + " is not a socket"
                            : "no process listens on " + address;
            case Errno.EACCES -> address + ": permission denied (EACCES)";
            default -> String.valueOf(e.getMessage());
        };
    }

    private static boolean isPlainFile(UnixAddress address) {
        try {
            return address instanceof UnixAddress.PathName(String path)
                    && !Files.readAttributes(Path.of(path), BasicFileAttributes.class).isOther();
        } catch (IOException e) {
            return false;
        }
    }
}
