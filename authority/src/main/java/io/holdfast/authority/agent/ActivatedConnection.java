package io.holdfast.authority.agent;

import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.Feature;
import io.holdfast.core.linux.Unistd;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import java.io.IOException;
import java.util.Map;

/**
 * The connection that a service manager has accepted for this process ({@code Accept=yes}): the one
 * descriptor of {@code LISTEN_FDS} (sd_listen_fds(3)), or else standard input.
 */
final class ActivatedConnection {
    private static final int FIRST = 3;

    private ActivatedConnection() {}

    /**
     * Takes it over.
     *
     * @throws IOException if there is none: how to start this instead
     */
    static UnixSocket take(Map<String, String> environment) throws IOException {
        String count = environment.get("LISTEN_FDS");
        boolean passed = count != null && isForUs(environment);
        if (passed && !"1".equals(count)) {
            throw new IOException("one connection is served, and LISTEN_FDS=" + count);
        }
        try (Fd fd = passed ? Fd.inherited(FIRST) : Unistd.duplicateStandard(0)) {
            UnixSocket connection = UnixSocket.adopt(fd);
            if (connection.type() != SocketType.STREAM) {
                connection.close();
                throw new IOException("a " + connection.type() + " socket");
            }
            return connection;
        } catch (ErrnoException | IOException e) {
            throw new IOException(
                    (passed ? "descriptor 3" : "standard input")
                            + " is no connection of an agent: this is started by a socket unit with"
                            + " Accept=yes ("
                            + e.getMessage()
                            + ")",
                    e);
        }
    }

    private static boolean isForUs(Map<String, String> environment) {
        if (!Integer.toString(Unistd.getpid()).equals(environment.get("LISTEN_PID"))) {
            return false;
        }
        String id = environment.get("LISTEN_PIDFDID"); // since systemd 259
        if (id == null || !Feature.PIDFS.isPresent()) {
            return true;
        }
        try (PidFd self = PidFd.self()) {
            return id.equals(Long.toUnsignedString(self.id()));
        }
    }
}
