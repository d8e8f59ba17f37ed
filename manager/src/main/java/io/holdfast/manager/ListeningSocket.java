package io.holdfast.manager;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Fcntl;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.SysInet;
import io.holdfast.core.linux.SysSocket;
import io.holdfast.core.linux.SysStat;
import io.holdfast.core.linux.Unistd;
import io.holdfast.core.linux.UnixName;
import io.holdfast.core.socket.SocketFile;
import io.holdfast.manager.unit.ListenAddress;
import io.holdfast.manager.unit.SocketSection;
import io.holdfast.manager.unit.SocketSection.Listen;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * One thing that a socket unit listens on. It stays open from the start of the unit to its stop,
 * whatever becomes of the services that get it.
 *
 * @param fd owned
 * @param node which file was made for it
 */
record ListeningSocket(Listen listen, Fd fd, Optional<Node> node) implements AutoCloseable {
    private static final int PERMISSIONS = 0777;

    /** A file: its path, and which one it is. */
    record Node(Path path, Object key) {
        static Node of(String path) throws IOException {
            Path file = Path.of(path);
            BasicFileAttributes attributes =
                    Files.readAttributes(
                            file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            return new Node(file, String.valueOf(attributes.fileKey()));
        }

        /** Removes it, unless another file has taken its place. */
        void remove() throws IOException {
            if (Files.exists(path, LinkOption.NOFOLLOW_LINKS) && equals(of(path.toString()))) {
                Files.delete(path);
            }
        }
    }

    /**
     * Whose a node becomes.
     *
     * @param uid -1: ours
     * @param gid -1: ours
     */
    record Owner(long uid, long gid) {
        static final Owner OURS = new Owner(-1, -1);
    }

    /**
     * Binds it, and listens. A socket file on which nobody listens any more is replaced. Blocking.
     *
     * @throws ErrnoException EADDRINUSE (somebody listens there, or it is no socket), EACCES, …
     * @throws IOException if a folder or a node cannot be made or given away
     */
    static ListeningSocket open(Listen listen, SocketSection settings, Owner owner)
            throws IOException {
        return switch (listen.address()) {
            case ListenAddress.Node(String path) when listen.kind() == Listen.Kind.FIFO ->
                    fifo(listen, path, settings, owner);
            case ListenAddress.Node(String path) -> node(listen, path, settings, owner);
            case ListenAddress.AbstractName(String name) -> abstractName(listen, name, settings);
            case ListenAddress.Port port -> port(listen, port, settings);
            case ListenAddress.Other _ ->
                    throw new IOException(
                            "Listen" + listen.kind().word() + "= is not supported yet");
        };
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

    private static Fd unixSocket(Listen listen, SocketSection settings) {
        Fd fd =
                Fd.adopt(
                        SysSocket.socket(typeOf(listen) | SysSocket.SOCK_NONBLOCK),
                        "socket",
                        listen);
        try {
            pass(fd, SysSocket.SO_PASSCRED, "SO_PASSCRED", settings.passCredentials());
            pass(fd, SysSocket.SO_PASSPIDFD, "SO_PASSPIDFD", settings.passPidfd());
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

    private static void listen(Listen listen, Fd fd, SocketSection settings) {
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

    // ---- nodes

    /**
     * A socket file has the permissions of its socket, less the umask, from the moment of its
     * birth: nobody is let in at any moment who may not be.
     */
    private static ListeningSocket node(
            Listen listen, String path, SocketSection settings, Owner owner) throws IOException {
        makeParents(Path.of(path), settings.directoryMode());
        Fd fd = unixSocket(listen, settings);
        SocketFile file = null;
        try {
            int mode = settings.mode() & PERMISSIONS;
            ErrnoException.check(SysStat.fchmod(fd, mode), "fchmod", listen);
            file = bind(fd, path);
            give(path, owner, mode, file::isThis);
            listen(listen, fd, settings);
            file.requireThere();
            return new ListeningSocket(listen, fd, Optional.of(Node.of(path)));
        } catch (IOException | RuntimeException e) {
            if (file != null) {
                file.removeIfSame();
            }
            fd.close();
            throw e;
        }
    }

    private static SocketFile bind(Fd fd, String path) {
        try {
            return SocketFile.bind(fd, path);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.EADDRINUSE) {
                throw e;
            }
            throw new ErrnoException(
                    "bind", path, Errno.EADDRINUSE, "somebody listens there, or it is no socket");
        }
    }

    private static ListeningSocket fifo(
            Listen listen, String path, SocketSection settings, Owner owner) throws IOException {
        Path file = Path.of(path);
        makeParents(file, settings.directoryMode());
        int mode = settings.mode() & PERMISSIONS;
        Optional<Node> made = Optional.empty();
        try (Fd folder = Fcntl.open(parent(file).toString(), Fcntl.O_PATH | Fcntl.O_DIRECTORY)) {
            int r = SysStat.mkfifoat(folder, name(file), mode);
            if (r != -Errno.EEXIST) {
                ErrnoException.check(r, "mkfifo", path);
                made = Optional.of(Node.of(path));
            }
        }
        try {
            return fifo(listen, path, mode, owner);
        } catch (IOException | RuntimeException e) {
            if (made.isPresent()) {
                removeAfter(e, made.get());
            }
            throw e;
        }
    }

    private static void removeAfter(Exception failure, Node made) {
        try {
            made.remove();
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    /** One that is there. */
    private static ListeningSocket fifo(Listen listen, String path, int mode, Owner owner)
            throws IOException {
        // for both directions: else it would be at its end whenever the last writer goes
        Fd fd =
                Fcntl.open(
                        path, Fcntl.O_RDWR | Fcntl.O_NONBLOCK | Fcntl.O_NOCTTY | Fcntl.O_NOFOLLOW);
        try {
            SysStat.Stat stat = SysStat.stat(fd);
            boolean ours = stat.uid() == Unistd.geteuid() || stat.uid() == owner.uid();
            if (!stat.isPipe() || !ours) {
                throw new ErrnoException(
                        "open", path, Errno.EEXIST, "it is there, and no FIFO of ours");
            }
            give(
                    path,
                    owner,
                    mode,
                    there -> there.device() == stat.device() && there.inode() == stat.inode());
            return new ListeningSocket(listen, fd, Optional.of(Node.of(path)));
        } catch (IOException | RuntimeException e) {
            fd.close();
            throw e;
        }
    }

    /** Sets the owner of the very node that is ours, and then what the umask took of its mode. */
    private static void give(String path, Owner owner, int mode, Predicate<SysStat.Stat> isOurs)
            throws IOException {
        try (Fd file = Fcntl.open(path, Fcntl.O_PATH | Fcntl.O_NOFOLLOW)) {
            SysStat.Stat stat = SysStat.stat(file);
            if (!isOurs.test(stat)) {
                throw new ErrnoException("chmod", path, Errno.ESTALE, "another file is there now");
            }
            String itself = file.with(number -> "/proc/self/fd/" + number);
            if (owner.gid() >= 0 && owner.gid() != stat.gid()) {
                Path _ = Files.setAttribute(Path.of(itself), "unix:gid", (int) owner.gid());
            }
            if (owner.uid() >= 0 && owner.uid() != stat.uid()) {
                Path _ = Files.setAttribute(Path.of(itself), "unix:uid", (int) owner.uid());
            }
            if ((stat.mode() & PERMISSIONS) != mode) {
                ErrnoException.check(SysStat.fchmodat(file, itself, mode), "chmod", path);
            }
        }
    }

    private static Path parent(Path file) {
        Path parent = file.getParent();
        return parent == null ? Path.of("/") : parent;
    }

    private static String name(Path file) {
        return String.valueOf(file.getFileName());
    }

    private static void makeParents(Path file, int mode) throws IOException {
        Path folder = parent(file);
        if (Files.isDirectory(folder)) {
            return;
        }
        makeParents(folder, mode);
        Path above = parent(folder);
        try (Fd directory = Fcntl.open(above.toString(), Fcntl.O_PATH | Fcntl.O_DIRECTORY)) {
            int r = SysStat.mkdirat(directory, name(folder), mode);
            if (r == -Errno.EEXIST) {
                return; // made by another one meanwhile
            }
            ErrnoException.check(r, "mkdir", folder);
        }
        Path _ = Files.setAttribute(folder, "unix:mode", mode); // whatever the umask
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
        Fd fd = Fd.adopt(SysInet.socket(family, typeOf(listen)), "socket", listen);
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
            int r = SysInet.bind(fd, new InetSocketAddress(host, port));
            ErrnoException.check(r, "bind", listen.address());
            listen(listen, fd, settings);
            return new ListeningSocket(listen, fd, Optional.empty());
        } catch (RuntimeException e) {
            fd.close();
            throw e;
        }
    }

    /** Closes it; its node stays. */
    @Override
    public void close() {
        fd.close();
    }
}
