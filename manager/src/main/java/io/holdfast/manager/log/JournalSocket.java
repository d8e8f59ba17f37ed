package io.holdfast.manager.log;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.manager.unit.UnitName;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;

/**
 * The socket on which a receiver of log messages accepts the output of units, by the stdout
 * protocol of journald: seven header lines, then the output itself. The unit and the receiver hold
 * the two ends of the connection, so that the death of this manager neither loses nor repeats
 * output. Behind the unit's name, a space and the invocation id of its run follow, so that lines
 * that are read after the end of the run belong to it, too. Thread-safe.
 *
 * @param path of the socket
 * @param passedOn the units that do not connect: the manager reads their output from a pipe and
 *     passes it on, because they start before the receiver, or must not start it
 * @param units of the receiver itself, which are stopped after all others
 */
public record JournalSocket(Path path, Set<UnitName> passedOn, Set<UnitName> units) {
    /** What a unit may write while the receiver restarts, as in systemd. */
    private static final int SEND_BUFFER = 8 << 20;

    /**
     * What the receiver is told of a unit's lines.
     *
     * @param invocationId of the run
     * @param identifier of the program
     * @param priority facility and level of lines without a prefix
     * @param levelPrefix whether a line may begin with its level
     * @param console whether the receiver may show the lines on the console, too
     */
    public record Description(
            String invocationId,
            String identifier,
            int priority,
            boolean levelPrefix,
            boolean console) {}

    public JournalSocket {
        passedOn = Set.copyOf(passedOn);
        units = Set.copyOf(units);
    }

    /**
     * Connects without waiting, and describes what follows.
     *
     * @param description of the lines
     * @return the socket for the unit's process, owned by the caller
     * @throws ErrnoException ENOENT or ECONNREFUSED (no receiver), ETIMEDOUT (it does not accept)
     */
    public UnixSocket connect(UnitName unit, Description description) throws InterruptedException {
        UnixSocket socket =
                UnixSocket.connect(
                        new UnixAddress.PathName(path.toString()),
                        SocketType.STREAM,
                        Duration.ZERO);
        try {
            if (SysSocket.setOption(socket.fd(), SysSocket.SO_SNDBUFFORCE, SEND_BUFFER) < 0) {
                int _ = SysSocket.setOption(socket.fd(), SysSocket.SO_SNDBUF, SEND_BUFFER);
            }
            String header =
                    "%s\n%s %s\n%d\n%d\n0\n0\n%d\n"
                            .formatted(
                                    description.identifier(),
                                    unit.text(),
                                    description.invocationId(),
                                    description.priority(),
                                    description.levelPrefix() ? 1 : 0,
                                    description.console() ? 1 : 0);
            socket.sendFully(ByteBuffer.wrap(header.getBytes(UTF_8))); // into an empty buffer
            return socket;
        } catch (ErrnoException | InterruptedException e) {
            socket.close();
            throw e;
        }
    }
}
