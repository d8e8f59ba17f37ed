package io.holdfast.core.socket;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.socket.SysInet;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The descriptors that a service manager passed to this process (sd_listen_fds(3)): {@code
 * LISTEN_FDS} of them from number 3 on, if {@code LISTEN_PID} is our PID and {@code
 * LISTEN_PIDFDID}, where it is set, our pidfs id. Safe for use by any thread.
 */
public final class ListenFds {
    /** The number of the first descriptor. */
    public static final int START = 3;

    /** The highest valid value of {@code LISTEN_FDS}: if it is higher, no descriptor is taken. */
    public static final int MAX = 8192;

    /** The name that systemd gives to a descriptor without a name. */
    private static final String UNKNOWN = "unknown";

    private static final AtomicBoolean TAKEN = new AtomicBoolean();

    private ListenFds() {}

    /**
     * A descriptor and its name.
     *
     * @param name the name in {@code LISTEN_FDNAMES}
     * @param fd the descriptor
     */
    public record Named(String name, Fd fd) {
        /**
         * Returns the address of a TCP or UDP socket.
         *
         * @return the local address
         * @throws ErrnoException ENOTSOCK; EAFNOSUPPORT (neither IPv4 nor IPv6)
         */
        public InetSocketAddress inetAddress() {
            return SysInet.getsockname(fd);
        }

        /**
         * Makes a channel of a listening TCP socket, for everything that takes one: selectors, HTTP
         * servers, virtual threads. Accepted channels are as of any other server.
         *
         * <pre>{@code
         * for (ListenFds.Named passed : ListenFds.take()) {
         *     ServerSocketChannel server = passed.serverChannel();
         *     SocketChannel client = server.accept();
         * }
         * }</pre>
         *
         * <p>For a moment, another socket listens on a free port of the loopback address. Java
         * noted that address: {@link #inetAddress}, asked before, returns the true one, and {@link
         * ServerSocketChannel#getLocalAddress} that of the placeholder.
         *
         * @return the channel, in blocking mode, owned by the caller; the descriptor is closed
         * @throws ErrnoException EINVAL (it does not listen: a connection is read and written by
         *     {@link io.holdfast.core.FdChannel}), EPROTOTYPE (not TCP), EAFNOSUPPORT (AF_UNIX: see
         *     {@link UnixListener#adopt}), ENOTSOCK; the descriptor stays open
         * @throws IOException if Java cannot open a channel; the descriptor stays open
         */
        public ServerSocketChannel serverChannel() throws IOException {
            return InetChannels.server(fd);
        }

        /**
         * Makes a channel of a UDP socket, as {@link #serverChannel} does of a TCP socket.
         *
         * @return the channel, in blocking mode, owned by the caller; the descriptor is closed
         * @throws ErrnoException EPROTOTYPE (not UDP), EAFNOSUPPORT (AF_UNIX: see {@link
         *     UnixSocket#adopt}), ENOTSOCK; the descriptor stays open
         * @throws IOException if Java cannot open a channel; the descriptor stays open
         */
        public DatagramChannel datagramChannel() throws IOException {
            return InetChannels.datagram(fd);
        }
    }

    /**
     * Takes the descriptors, which is possible once in the life of the process.
     *
     * @return the descriptors, owned by the caller; empty if none were passed to this process
     * @throws IllegalStateException if they were taken before, or the variables are invalid
     */
    public static List<Named> take() {
        return take(System.getenv());
    }

    /**
     * Takes the descriptors as {@link #take()} does, by the variables of another environment.
     *
     * @param environment used instead of the environment of this process
     * @return the descriptors, owned by the caller
     */
    public static List<Named> take(Map<String, String> environment) {
        if (!arePassed(environment)) {
            return List.of();
        }
        int count = count(environment.getOrDefault("LISTEN_FDS", ""));
        String[] names = environment.getOrDefault("LISTEN_FDNAMES", "").split(":", -1);
        if (TAKEN.getAndSet(true)) {
            throw new IllegalStateException("LISTEN_FDS: the descriptors were taken before");
        }
        List<Named> taken = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                String name = i < names.length && !names[i].isEmpty() ? names[i] : UNKNOWN;
                taken.add(new Named(name, Fd.inherited(START + i)));
            }
            return List.copyOf(taken);
        } catch (RuntimeException e) {
            taken.forEach(each -> each.fd().close());
            throw e;
        }
    }

    /** {@return whether descriptors were passed to this process, even if they were taken since} */
    public static boolean arePassed() {
        return arePassed(System.getenv());
    }

    private static boolean arePassed(Map<String, String> environment) {
        String pid = environment.get("LISTEN_PID");
        String id = environment.get("LISTEN_PIDFDID");
        if (pid == null || environment.get("LISTEN_FDS") == null) {
            return false;
        }
        try (PidFd self = PidFd.self()) {
            return pid.equals(Integer.toString(self.pid()))
                    && (id == null
                            || self.processId().pidfdId().isEmpty()
                            || id.equals(
                                    Long.toUnsignedString(self.processId().pidfdId().getAsLong())));
        }
    }

    private static int count(String text) {
        if (!text.matches("[1-9][0-9]{0,3}") || Integer.parseInt(text) > MAX) {
            throw new IllegalStateException(
                    "LISTEN_FDS=" + text + " is not a number from 1 to " + MAX);
        }
        return Integer.parseInt(text);
    }
}
