package io.holdfast.manager.socket;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.file.folder.DirectoryEntry;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.socket.SysInet;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.core.sys.socket.UnixName;
import io.holdfast.manager.unit.section.SocketOption;
import io.holdfast.manager.unit.section.SocketSection;
import io.holdfast.manager.unit.section.SocketSection.Listen;
import io.holdfast.manager.unit.value.ListenAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Optional;

/**
 * One socket or FIFO that a socket unit listens on. It stays open from the start of the unit to its
 * stop, whatever happens to the services that get it.
 *
 * @param fd owned
 * @param node the file that was made for it; owned
 */
public record ListeningSocket(Listen listen, Fd fd, Optional<DirectoryEntry> node)
        implements AutoCloseable {
    private static final int MOST_DISCARDED = 1024; // connections or reads, as in systemd
    private static final int MOST_BYTES = 4096; // of one read; the rest of a datagram is lost

    /**
     * The owner of a node.
     *
     * @param uid -1 for the manager's user
     * @param gid -1 for the manager's group
     */
    record Owner(long uid, long gid) {
        static final Owner OURS = new Owner(-1, -1);
    }

    /**
     * Binds it, and listens. A socket file on which no process listens any more is replaced.
     * Blocking.
     *
     * @throws ErrnoException EADDRINUSE (another process listens there, or the file is not a
     *     socket), EACCES, …
     * @throws IOException if a folder or a node cannot be made or given to its owner
     */
    static ListeningSocket open(Listen listen, SocketSection settings, Owner owner)
            throws IOException {
        return switch (listen.address()) {
            case ListenAddress.Node(String path) when listen.kind() == Listen.Kind.FIFO ->
                    ListeningNode.fifo(listen, path, settings, owner);
            case ListenAddress.Node(String path) when listen.kind() == Listen.Kind.SPECIAL ->
                    OtherListening.special(listen, path, settings);
            case ListenAddress.Netlink netlink -> OtherListening.netlink(listen, netlink, settings);
            case ListenAddress.Queue(String name) ->
                    OtherListening.queue(listen, name, settings, owner);
            case ListenAddress.Node(String path) ->
                    ListeningNode.socket(listen, path, settings, owner);
            case ListenAddress.AbstractName(String name) -> abstractName(listen, name, settings);
            case ListenAddress.Port port -> port(listen, port, settings);
            case ListenAddress.Other _ ->
                    throw new IOException(
                            "Listen" + listen.kind().word() + "= is not supported yet");
        };
    }

    /** Takes over a socket that a killed manager opened. Blocking. */
    static ListeningSocket restored(Listen listen, Fd fd) {
        if (!(listen.address() instanceof ListenAddress.Node(String path))
                || listen.kind() == Listen.Kind.SPECIAL) {
            return new ListeningSocket(listen, fd, Optional.empty());
        }
        try (Directory directory = Directory.ofParent(path)) {
            String name = Directory.nameOf(path);
            Optional<FileStatus> there = directory.stat(name);
            return new ListeningSocket(
                    listen,
                    fd,
                    there.isPresent()
                            ? Optional.of(
                                    new DirectoryEntry(directory.duplicate(), name, there.get()))
                            : Optional.empty());
        } catch (FileException e) {
            return new ListeningSocket(listen, fd, Optional.empty()); // no node to remove
        }
    }

    private static int typeOf(Listen listen) {
        return switch (listen.kind()) {
            case STREAM -> SysSocket.SOCK_STREAM;
            case DATAGRAM -> SysSocket.SOCK_DGRAM;
            case SEQUENTIAL_PACKET -> SysSocket.SOCK_SEQPACKET;
            case FIFO, NETLINK, SPECIAL, MESSAGE_QUEUE, USB_FUNCTION ->
                    throw new IllegalArgumentException("not a socket with an address: " + listen);
        };
    }

    /** Makes an AF_UNIX socket that is not bound yet. */
    static Fd unixSocket(Listen listen, SocketSection settings) {
        int number = SysSocket.socket(typeOf(listen) | SysSocket.SOCK_NONBLOCK);
        Fd fd = Fd.received(ErrnoException.check(number, "socket", listen));
        try {
            pass(fd, SysSocket.SO_PASSCRED, "SO_PASSCRED", settings.passCredentials());
            pass(fd, SysSocket.SO_PASSPIDFD, "SO_PASSPIDFD", settings.passPidfd());
            SocketOptions.beforeBind(listen, fd, settings);
            return fd;
        } catch (RuntimeException e) {
            fd.close();
            throw e;
        }
    }

    private static void pass(Fd fd, int option, String name, boolean wanted) {
        if (wanted) {
            ErrnoException.check(
                    SysSocket.setOption(fd, option, 1), "setsockopt(" + name + ")", fd);
        }
    }

    /** Listens, if the socket is of a kind that accepts connections. */
    static void listen(Listen listen, Fd fd, SocketSection settings) {
        if (listen.kind().isConnected()) {
            ErrnoException.check(SysSocket.listen(fd, settings.backlog()), "listen", listen);
        }
    }

    private static ListeningSocket abstractName(
            Listen listen, String name, SocketSection settings) {
        Fd fd = unixSocket(listen, settings);
        try {
            ErrnoException.check(
                    SysSocket.bind(fd, UnixName.of("\0" + name)), "bind", listen.address());
            listen(listen, fd, settings);
            return new ListeningSocket(listen, fd, Optional.empty());
        } catch (RuntimeException e) {
            fd.close();
            throw e;
        }
    }

    // ---- ports

    private static ListeningSocket port(
            Listen listen, ListenAddress.Port port, SocketSection settings) {
        if (port.host().isPresent()) {
            return port(listen, port.host().get(), port.port(), settings);
        }
        try {
            return port(listen, InetAddress.ofLiteral("::"), port.port(), settings);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.EAFNOSUPPORT && e.errno() != Errno.EADDRNOTAVAIL) {
                throw e;
            }
            return port(listen, InetAddress.ofLiteral("0.0.0.0"), port.port(), settings);
        }
    }

    private static ListeningSocket port(
            Listen listen, InetAddress host, int port, SocketSection settings) {
        int family = SysInet.familyOf(host);
        int protocol = (int) settings.number(SocketOption.PROTOCOL);
        Fd fd = Fd.adopt(SysInet.socket(family, typeOf(listen), protocol), "socket", listen);
        try {
            ErrnoException.check(
                    SysSocket.setOption(fd, SysSocket.SO_REUSEADDR, 1),
                    "setsockopt(SO_REUSEADDR)",
                    fd);
            if (family == SysInet.AF_INET6 && settings.ipv6Only().isPresent()) {
                int only = settings.ipv6Only().get() ? 1 : 0;
                ErrnoException.check(
                        SysInet.setOption(fd, SysInet.IPPROTO_IPV6, SysInet.IPV6_V6ONLY, only),
                        "setsockopt(IPV6_V6ONLY)",
                        fd);
            }
            SocketOptions.beforeBind(listen, fd, settings);
            int r = SysInet.bind(fd, new InetSocketAddress(host, port));
            ErrnoException.check(r, "bind", listen.address());
            listen(listen, fd, settings);
            return new ListeningSocket(listen, fd, Optional.empty());
        } catch (RuntimeException e) {
            fd.close();
            throw e;
        }
    }

    /** Discards the connections or the data that wait. A service may have made it blocking. */
    void discard() {
        if (listen.kind() == Listen.Kind.MESSAGE_QUEUE) {
            return; // read(2) takes no message
        }
        Fcntl.setBlocking(fd, false);
        byte[] data = new byte[MOST_BYTES];
        int r = 1;
        for (int i = 0; i < MOST_DISCARDED && r > 0; i++) {
            if (listen.kind().isConnected()) {
                r = SysSocket.accept(fd);
                if (r > 0) {
                    Fd.received(r).close();
                }
            } else {
                r = Unistd.read(fd, data, 0, data.length);
            }
        }
    }

    /** Closes it; its node stays. */
    @Override
    public void close() {
        node.ifPresent(DirectoryEntry::close);
        fd.close();
    }
}
