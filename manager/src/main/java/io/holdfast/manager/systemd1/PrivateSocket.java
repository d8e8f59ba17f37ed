package io.holdfast.manager.systemd1;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.core.limit.Throttle;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.systemd1.caller.Client;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The socket on which single peers talk to the manager without a bus: only the manager's user and
 * root may connect. Every peer gets all signals without a subscription.
 */
final class PrivateSocket implements AutoCloseable {
    private static final int MODE = 0600;
    private static final int FOLDER_MODE = 0755;
    private static final int BACKLOG = 128;
    private static final int GUID_BYTES = 16;
    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final Duration LINE_INTERVAL = Duration.ofSeconds(10);

    /** The limits of what one peer may leave unread, and send at once. */
    private static final ConnectionOptions OPTIONS =
            ConnectionOptions.standard()
                    .withConnectTimeout(Duration.ofSeconds(30))
                    .withIncomingCalls(1024)
                    .withOutgoingBytes(4 << 20)
                    .withMessageBytes(16 << 20);

    private final Systemd1Face face;
    private final UnixListener listener;
    private final Optional<Path> made;
    private final String guid;
    private final Set<UnixSocket> sockets = ConcurrentHashMap.newKeySet();
    private final Set<BusConnection> peers = ConcurrentHashMap.newKeySet();
    private final Throttle complaints = Throttle.of(1, LINE_INTERVAL, 1, this::warn);
    private final Thread acceptor;
    private volatile boolean closed;

    /**
     * @param made the folder of the socket, if it did not exist before
     */
    private PrivateSocket(Systemd1Face face, UnixListener listener, Optional<Path> made) {
        this.face = face;
        this.made = made;
        this.listener = listener;
        byte[] random = new byte[GUID_BYTES];
        new SecureRandom().nextBytes(random);
        this.guid = HexFormat.of().formatHex(random);
        this.acceptor = Thread.ofVirtual().name("systemd1 private").unstarted(this::accept);
    }

    /**
     * Listens at {@code systemd/private} in a folder.
     *
     * @throws ErrnoException EADDRINUSE if another process listens there; EPERM if other users
     *     could change the contents of the folder ({@link TrustedFolder}); other errors if it
     *     cannot be made
     */
    static PrivateSocket open(Systemd1Face face, Path folder) {
        Path parent = folder.resolve("systemd");
        Path socket = parent.resolve("private");
        boolean there = Files.exists(parent);
        TrustedFolder.make(parent, FOLDER_MODE).close();
        UnixAddress address = UnixAddress.path(socket);
        PrivateSocket opened =
                new PrivateSocket(
                        face,
                        face.manager()
                                .listener(
                                        address,
                                        () ->
                                                UnixListener.listen(
                                                        address, SocketType.STREAM, BACKLOG, MODE)),
                        there && !face.manager().isAfterCrash()
                                ? Optional.empty()
                                : Optional.of(parent));
        opened.acceptor.start();
        return opened;
    }

    private void accept() {
        while (true) {
            UnixSocket socket;
            try {
                socket = listener.accept();
            } catch (InterruptedException | IllegalStateException e) {
                return; // closed
            } catch (ErrnoException e) {
                if (!pause(e)) {
                    return;
                }
                continue;
            }
            if (sockets.size() >= ManagerLimits.PRIVATE_PEERS.intValue()) {
                socket.close();
                continue;
            }
            sockets.add(socket);
            var _ = Thread.ofVirtual().name("systemd1 peer").start(() -> serve(socket));
        }
    }

    /**
     * Waits after a failed accept, mostly for lack of descriptors, which passes. Returns false if
     * this was closed meanwhile.
     */
    private boolean pause(ErrnoException e) {
        try {
            complaints.log("accept", "the private socket accepts no connection: " + e.getMessage());
            Thread.sleep(PAUSE);
            return true;
        } catch (InterruptedException | RejectedExecutionException closed) {
            return false;
        }
    }

    private void warn(String line) {
        face.manager().loop().post(() -> face.manager().warn(line));
    }

    private void serve(UnixSocket socket) {
        AtomicReference<@Nullable Client> shown = new AtomicReference<>();
        try {
            BusConnection connection =
                    BusConnection.accept(
                            socket, guid, OPTIONS, made -> shown.set(face.show(made, false)));
            peers.add(connection);
            try {
                connection.awaitEnd();
            } finally {
                peers.remove(connection);
                connection.close();
            }
        } catch (ConnectionLostException | ErrnoException | InterruptedException e) {
            // not a D-Bus peer, or disconnected
        } catch (IllegalStateException e) {
            if (!closed) { // otherwise its socket was closed early
                throw e;
            }
        } finally {
            sockets.remove(socket);
            Client client = shown.get();
            if (client != null) {
                face.hide(client);
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        listener.close();
        peers.forEach(BusConnection::close);
        sockets.forEach(UnixSocket::close);
        made.ifPresent(this::remove);
    }

    private void remove(Path folder) {
        try {
            boolean _ = Files.deleteIfExists(folder);
        } catch (DirectoryNotEmptyException e) {
            // other files were put there
        } catch (IOException e) {
            face.manager()
                    .loop()
                    .postEnding(() -> face.manager().warn("cannot remove " + folder + ": " + e));
        }
    }
}
