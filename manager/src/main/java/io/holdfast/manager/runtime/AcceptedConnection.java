package io.holdfast.manager.runtime;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.NotSupportedException;
import io.holdfast.core.machine.SubordinateUids;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.sys.socket.SysInet;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.core.wait.FdCloser;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Optional;

/**
 * A connection that a socket unit has accepted. The peer of an AF_UNIX connection is held by its
 * pidfd (SO_PEERPIDFD) for as long as this is open, so that the PID and pidfd id in the name of the
 * instance identify no other process meanwhile.
 *
 * @param fd owned by this connection
 * @param peer present for AF_UNIX
 * @param source the user or IP address that the connection counts for; a subordinate uid counts for
 *     its owner
 * @param ends the end of the instance name, after the number of the connection
 * @param variables describe the peer to the instance
 */
public record AcceptedConnection(
        Fd fd, Optional<Peer> peer, String source, String ends, Map<String, String> variables) {

    /** The name of the descriptor in the service ({@code LISTEN_FDNAMES}). */
    public static final String NAME = "connection";

    /**
     * Makes an accepted connection, and finds out the peer.
     *
     * @param fd owned by the result
     * @param uids the owners of subordinate uids
     * @throws ErrnoException ENOTCONN if the peer has disconnected already; then the caller closes
     *     the descriptor
     */
    public static AcceptedConnection of(Fd fd, SubordinateUids uids) {
        return SysSocket.option(fd, SysSocket.SO_DOMAIN) == SysSocket.AF_UNIX
                ? unix(fd, uids)
                : internet(fd);
    }

    private static AcceptedConnection unix(Fd fd, SubordinateUids uids) {
        UnixAddress address = UnixAddress.ofKernelName(SysSocket.getpeername(fd).text());
        Map<String, String> variables =
                address instanceof UnixAddress.Unnamed
                        ? Map.of()
                        : Map.of("REMOTE_ADDR", address.toString());
        String cookie = cookie(fd);
        Optional<Peer> peer = Peer.of(fd);
        String who = peer.map(AcceptedConnection::who).orElse("unknown");
        String source = peer.map(known -> "user " + uids.ownerOf(known.uid())).orElse("unknown");
        return new AcceptedConnection(fd, peer, source, cookie + "-" + who, variables);
    }

    /** Returns {@code PID_PIDFDID-UID}; a peer of another PID namespace has no PID here. */
    private static String who(Peer peer) {
        if (peer.pid() == 0) {
            return "unknown";
        }
        return peer.pid()
                + peer.pidFd().flatMap(AcceptedConnection::id).orElse("")
                + "-"
                + peer.uid();
    }

    private static Optional<String> id(PidFd process) {
        try {
            return Optional.of("_" + Long.toUnsignedString(process.id()));
        } catch (NotSupportedException e) {
            return Optional.empty(); // before Linux 6.9
        }
    }

    private static AcceptedConnection internet(Fd fd) {
        InetSocketAddress here = SysInet.getsockname(fd);
        InetSocketAddress there = SysInet.getpeername(fd);
        String host = text(there.getAddress());
        return new AcceptedConnection(
                fd,
                Optional.empty(),
                host,
                cookie(fd) + "-" + text(here) + "-" + text(there),
                Map.of("REMOTE_ADDR", host, "REMOTE_PORT", Integer.toString(there.getPort())));
    }

    private static String text(InetSocketAddress address) {
        return text(address.getAddress()) + ":" + address.getPort();
    }

    private static String text(InetAddress address) {
        String text = address.getHostAddress();
        int scope = text.indexOf('%');
        return scope < 0 ? text : text.substring(0, scope);
    }

    private static String cookie(Fd fd) {
        byte[] bytes = SysSocket.optionBytes(fd, SysSocket.SO_COOKIE);
        return bytes == null
                ? "0"
                : Long.toUnsignedString(
                        ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).getLong());
    }

    /**
     * Closes it without waiting. The last close of the socket can block for long: a service or the
     * peer can set SO_LINGER, or leave an unread message with a descriptor that lingers.
     *
     * @param closer by source
     */
    public void close(FdCloser<String> closer) {
        peer.ifPresent(Peer::close);
        closer.close(source, fd);
    }
}
