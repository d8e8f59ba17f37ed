package io.holdfast.dbus.address.transport;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.core.socket.ListenFds;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.address.BusAddressException;
import io.holdfast.dbus.address.transport.Transport.AbstractSocket;
import io.holdfast.dbus.address.transport.Transport.Folder;
import io.holdfast.dbus.address.transport.Transport.Inherited;
import io.holdfast.dbus.address.transport.Transport.Program;
import io.holdfast.dbus.address.transport.Transport.RuntimeSocket;
import io.holdfast.dbus.address.transport.Transport.SocketFile;
import io.holdfast.dbus.address.transport.Transport.Unsupported;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A socket on which a bus listens.
 *
 * @param listener the listening socket, owned
 * @param address the address to which clients connect, without a GUID
 */
public record BusListener(UnixListener listener, BusAddress address) implements AutoCloseable {
    private static final int BACKLOG = 4096; // capped by net.core.somaxconn
    private static final int FOR_ALL = 0666; // the bus policy decides who may connect
    private static final int TRIES = 100;
    private static final int RANDOM_LETTERS = 8;
    private static final String LETTERS =
            "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    /**
     * Listens on an address. A socket file is replaced if certainly no process listens on it any
     * more (a connection is refused). The bus and the folder of the file decide who may connect,
     * not the mode of the file. A folder in which another user could replace the file is refused:
     * that user could direct clients to another server.
     *
     * @return one listener, or for {@code systemd:} as many as were passed
     * @throws BusAddressException if it is impossible to listen on such an address
     * @throws ErrnoException EADDRINUSE, EACCES, ENOENT (no such folder), EPERM (see {@link
     *     TrustedFolder#requireForSocket})
     */
    public static List<BusListener> listen(BusAddress address) {
        return listen(address, System.getenv());
    }

    static List<BusListener> listen(BusAddress address, Map<String, String> environment) {
        return switch (Transport.of(address)) {
            case SocketFile(var path) -> List.of(file(path.path()));
            case AbstractSocket(var name) ->
                    List.of(of(UnixListener.listen(name, SocketType.STREAM, BACKLOG)));
            case Folder(_, var folder) -> List.of(random(folder));
            case RuntimeSocket() -> List.of(file(Transport.runtimeSocket(environment)));
            case Inherited() -> inherited(environment);
            case Program _ -> throw refused(address, "a program can be connected to only");
            case Unsupported unsupported -> throw refused(address, unsupported.reason());
        };
    }

    /**
     * {@return whether a service manager passed sockets to this process, for {@code systemd:}
     * (sd_listen_fds(3))}
     */
    public static boolean areInherited() {
        return ListenFds.arePassed();
    }

    private static List<BusListener> inherited(Map<String, String> environment) {
        List<ListenFds.Named> passed;
        try {
            passed = ListenFds.take(environment);
        } catch (IllegalStateException | ErrnoException e) {
            throw failed("\"systemd:\": " + e.getMessage(), e);
        }
        if (passed.isEmpty()) {
            throw new BusAddressException(
                    "\"systemd:\": no sockets were passed to this process by LISTEN_FDS and"
                            + " LISTEN_PID: not started by a socket?");
        }
        List<BusListener> listeners = new ArrayList<>();
        try {
            for (int i = 0; i < passed.size(); i++) {
                listeners.add(adopted(ListenFds.START + i, passed.get(i)));
            }
            return List.copyOf(listeners);
        } catch (BusAddressException e) {
            closeAll(listeners);
            passed.forEach(each -> each.fd().close());
            throw e;
        }
    }

    private static BusListener adopted(int number, ListenFds.Named passed) {
        try {
            if (SysSocket.option(passed.fd(), SysSocket.SO_TYPE) != SysSocket.SOCK_STREAM) {
                throw new IllegalArgumentException("another type");
            }
            return of(UnixListener.adopt(passed.fd()));
        } catch (ErrnoException | IllegalArgumentException e) {
            throw failed(
                    "\"systemd:\": descriptor %d (%s) is no listening AF_UNIX stream socket: %s"
                            .formatted(number, passed.name(), e.getMessage()),
                    e);
        }
    }

    private static BusAddressException failed(String message, Throwable cause) {
        BusAddressException made = new BusAddressException(message);
        var _ = made.initCause(cause);
        return made;
    }

    private static BusAddressException refused(BusAddress address, String reason) {
        return new BusAddressException("cannot listen on \"" + address + "\": " + reason);
    }

    private static BusListener file(String path) {
        int slash = path.lastIndexOf('/');
        TrustedFolder.requireForSocket(Path.of(slash < 0 ? "." : path.substring(0, slash + 1)));
        UnixAddress address = new UnixAddress.PathName(path);
        return of(UnixListener.listen(address, SocketType.STREAM, BACKLOG, FOR_ALL));
    }

    private static BusListener random(String folder) {
        SecureRandom random = new SecureRandom();
        for (int i = 0; ; i++) {
            StringBuilder name = new StringBuilder("dbus-");
            for (int j = 0; j < RANDOM_LETTERS; j++) {
                name.append(LETTERS.charAt(random.nextInt(LETTERS.length())));
            }
            try {
                return file(folder + "/" + name);
            } catch (ErrnoException e) {
                if (e.errno() != Errno.EADDRINUSE || i == TRIES) {
                    throw e;
                }
            }
        }
    }

    /** Makes a listener for a socket that listens already. */
    static BusListener of(UnixListener listener) {
        Transport transport =
                switch (listener.address()) {
                    case UnixAddress.PathName path -> new SocketFile(path);
                    case UnixAddress.AbstractName name -> new AbstractSocket(name);
                    case UnixAddress.Unnamed _ -> {
                        listener.close();
                        throw new BusAddressException("a listening socket without a name");
                    }
                };
        return new BusListener(listener, transport.address());
    }

    /** Closes all listeners. */
    static void closeAll(List<BusListener> listeners) {
        new ArrayList<>(listeners).forEach(BusListener::close);
    }

    /** Stops listening, and removes the socket file, if one was made. */
    @Override
    public void close() {
        listener.close();
    }
}
