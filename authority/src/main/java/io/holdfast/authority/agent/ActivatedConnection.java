package io.holdfast.authority.agent;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.socket.ListenFds;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Unistd;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/**
 * The connection that a service manager has accepted for this process ({@code Accept=yes}): the
 * only descriptor of {@code LISTEN_FDS} (sd_listen_fds(3)), or else standard input.
 */
final class ActivatedConnection {
    private ActivatedConnection() {}

    /**
     * Takes over the connection.
     *
     * @throws IOException if there is none; the message explains how to start this program
     */
    static UnixSocket take(Map<String, String> environment) throws IOException {
        List<ListenFds.Named> passed = passed(environment);
        try (Fd fd = passed.isEmpty() ? Unistd.duplicateStandard(0) : passed.getFirst().fd()) {
            UnixSocket connection = UnixSocket.adopt(fd);
            if (connection.type() != SocketType.STREAM) {
                connection.close();
                throw new IOException("a " + connection.type() + " socket");
            }
            return connection;
        } catch (ErrnoException | IOException e) {
            throw new IOException(
                    (passed.isEmpty() ? "standard input" : "descriptor " + ListenFds.START)
                            + " is no connection of an agent: this is started by a socket unit with"
                            + " Accept=yes ("
                            + e.getMessage()
                            + ")",
                    e);
        }
    }

    private static List<ListenFds.Named> passed(Map<String, String> environment)
            throws IOException {
        List<ListenFds.Named> passed;
        try {
            passed = ListenFds.take(environment);
        } catch (IllegalStateException | ErrnoException e) {
            throw new IOException(e.getMessage(), e);
        }
        if (passed.size() > 1) {
            passed.forEach(each -> each.fd().close());
            throw new IOException("one connection is served, and LISTEN_FDS=" + passed.size());
        }
        return passed;
    }
}
