package io.holdfast.varlink.server;

import static java.lang.System.Logger.Level.ERROR;
import static java.lang.System.Logger.Level.WARNING;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.limit.Charge;
import io.holdfast.core.limit.FairShare;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.DescriptorLimit;
import io.holdfast.core.wait.FdCloser;
import io.holdfast.varlink.ServiceInfo;
import io.holdfast.varlink.server.ClientComplaints.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * A server that serves Varlink interfaces on AF_UNIX sockets. Each connection has its own virtual
 * thread; handlers run there, or on an executor if the server has one, such as the event loop that
 * owns a daemon's state.
 *
 * <p>A faulty client harms only itself: a wrong parameter gets an error reply, a malformed message
 * closes that client's connection with one line in the log, and a client that does not read, or
 * does not finish its message, delays no other client and stays within {@link ServerLimits}.
 *
 * <p>Safe for use by any thread.
 */
public final class VarlinkServer implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger("io.holdfast.varlink");

    /** The number of connections that the kernel queues for a listener until they are accepted. */
    private static final int BACKLOG = 128;

    /** The pause in accepting after a failure for lack of descriptors or memory. */
    private static final Duration ACCEPT_PAUSE = Duration.ofMillis(200);

    private final Services services;
    private final ServerLimits limits;
    private final FairShare<Long> held;
    private final FairShare<Long> descriptors;

    /** Closes the connections and what they bring; what waits there stays charged to its user. */
    private final FdCloser<Long> closer;

    private final ClientComplaints complaints = new ClientComplaints(System::nanoTime);
    private final @Nullable Executor executor;

    // guarded by this
    private final Map<ServerConnection, Thread> connections = new LinkedHashMap<>();

    // guarded by this
    private final Map<Long, ServedUser> users = new HashMap<>();

    // guarded by this
    private final Map<UnixListener, Thread> listeners = new LinkedHashMap<>();

    // guarded by this
    private boolean closed;

    private VarlinkServer(Services services, ServerLimits limits, @Nullable Executor executor) {
        this.services = services;
        this.limits = limits;
        long own = Unistd.geteuid();
        this.held =
                FairShare.<Long>of(
                                "bytes held for clients",
                                limits.maxHeldBytes,
                                "raise ServerLimits.maxHeldBytes")
                        .withTrusted(uid -> uid == 0 || uid == own);
        this.descriptors =
                FairShare.<Long>of(
                                "descriptors held for clients",
                                DescriptorLimit.ofClients(),
                                DescriptorLimit.REMEDY)
                        .withTrusted(uid -> uid == 0 || uid == own);
        this.closer = new FdCloser<>("holdfast-varlink-close", descriptors);
        this.executor = executor;
    }

    /**
     * Returns a builder of a server with a virtual thread for each connection, {@link
     * ServerLimits#standard}, and only the interface {@code org.varlink.service}.
     *
     * @return the builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Binds a socket and serves the clients that connect. The umask determines the mode of its
     * file.
     *
     * @param address the address
     * @throws ErrnoException if the address cannot be bound
     * @throws IllegalStateException if the server is closed
     */
    public void listen(UnixAddress address) {
        serve(UnixListener.listen(address, SocketType.STREAM, BACKLOG));
    }

    /**
     * Binds a socket with the given mode of its file, whatever the umask, and serves the clients
     * that connect.
     *
     * @param address the address
     * @param mode 0 to 0777; users with write permission may connect
     * @throws IllegalArgumentException if the address is no path
     * @throws ErrnoException if the address cannot be bound
     * @throws IllegalStateException if the server is closed
     */
    public void listen(UnixAddress address, int mode) {
        serve(UnixListener.listen(address, SocketType.STREAM, BACKLOG, mode));
    }

    /**
     * Serves the clients that connect to a listener, and closes it with the server.
     *
     * @param listener the listener, owned by the server from now on
     * @throws IllegalStateException if the server is closed; the listener is closed too
     */
    public void serve(UnixListener listener) {
        synchronized (this) {
            if (!closed) {
                Thread thread =
                        Thread.ofVirtual().name("varlink accept").unstarted(() -> accept(listener));
                listeners.put(listener, thread);
                thread.start();
                return;
            }
        }
        listener.close();
        throw new IllegalStateException("the server is closed");
    }

    /**
     * Serves one existing connection, such as an inherited one, and closes it at its end. It counts
     * like all others: beyond a limit it is closed at once.
     *
     * @param connection the connection, owned by the server from now on
     * @throws IllegalStateException if the server is closed; the connection is closed too
     */
    public void serve(UnixSocket connection) {
        if (!admit(connection)) {
            connection.close();
            throw new IllegalStateException("the server is closed");
        }
    }

    /** {@return the current number of connections} */
    public synchronized int connectionCount() {
        return connections.size();
    }

    private void accept(UnixListener listener) {
        while (!isClosed()) {
            try {
                UnixSocket connection = listener.accept();
                if (!admit(connection)) {
                    connection.close();
                }
            } catch (ErrnoException e) {
                if (isClosed()) {
                    return;
                }
                complaints.log(Kind.NOT_ACCEPTED, "cannot accept connections: " + e.getMessage());
                if (!pause()) {
                    return;
                }
            } catch (InterruptedException e) {
                return;
            } catch (IllegalStateException e) {
                if (!isClosed()) {
                    LOG.log(ERROR, "varlink: a listener was closed: {0}", e.getMessage());
                }
                return;
            }
        }
    }

    private static boolean pause() {
        try {
            Thread.sleep(ACCEPT_PAUSE);
            return true;
        } catch (InterruptedException e) {
            return false;
        }
    }

    /**
     * Starts the thread of a connection, or closes the connection if there are too many; returns
     * false if the server is closed.
     */
    private boolean admit(UnixSocket socket) {
        Peer peer;
        try {
            peer = socket.peer();
        } catch (ErrnoException e) {
            Peer.withoutPidFd(socket.fd())
                    .ifPresent(known ->
                            complaints.log(
                                    Kind.REFUSED,
                                    known.uid(),
                                    "refused a connection of "
                                            + ServerConnection.name(known)
                                            + ": "
                                            + e.getMessage()));
            socket.close();
            return true;
        }
        synchronized (this) {
            if (closed) {
                peer.close();
                return false;
            }
            String limit = limitReached(peer.uid());
            if (limit == null) {
                limit = start(socket, peer);
            }
            if (limit == null) {
                return true;
            }
            complaints.log(
                    Kind.REFUSED,
                    peer.uid(),
                    "refused a connection of " + ServerConnection.name(peer) + ": " + limit);
        }
        peer.close();
        socket.close();
        return true;
    }

    /** Starts the thread of a connection; returns why it is refused, or null. */
    // the caller holds the lock
    private @Nullable String start(UnixSocket socket, Peer peer) {
        Charge<Long> memory = held.charge(peer.uid(), ServerConnection.LEAST_BYTES);
        if (memory == null) {
            return held.refusal(peer.uid());
        }
        Charge<Long> open = descriptors.charge(peer.uid(), ServerConnection.LEAST_DESCRIPTORS);
        if (open == null) {
            memory.close();
            return descriptors.refusal(peer.uid());
        }
        socket.fd().closeWith(closer.of(peer.uid()));
        try {
            ServedUser user = users.get(peer.uid());
            if (user == null) {
                user = new ServedUser(limits.maxCallsBegun);
            }
            start(
                    new ServerConnection(
                            socket,
                            peer,
                            user,
                            services,
                            limits,
                            memory,
                            open,
                            complaints,
                            executor));
            users.put(peer.uid(), user);
            user.connected();
            return null;
        } catch (RuntimeException | OutOfMemoryError e) { // no memory for the buffers of a thread
            open.close();
            memory.close();
            return "cannot serve one more connection: " + e.getMessage();
        }
    }

    // the caller holds the lock
    private void start(ServerConnection connection) {
        Thread thread =
                Thread.ofVirtual()
                        .name("varlink connection")
                        .unstarted(() -> {
                            try {
                                connection.run();
                            } finally {
                                ended(connection);
                            }
                        });
        thread.start(); // it cannot end before we release our lock
        connections.put(connection, thread);
    }

    // the caller holds the lock
    private @Nullable String limitReached(long uid) {
        if (connections.size() >= limits.maxConnections) {
            return "there are " + limits.maxConnections + " connections, which is the limit";
        }
        ServedUser user = users.get(uid);
        if (user != null && user.connections() >= limits.maxConnectionsPerUid) {
            return "the user has "
                    + limits.maxConnectionsPerUid
                    + " connections, which is the limit for each";
        }
        return null;
    }

    /** Returns the number of bytes that are held for clients now. */
    long heldBytes() {
        return held.total();
    }

    private synchronized void ended(ServerConnection connection) {
        connections.remove(connection);
        users.computeIfPresent(
                connection.peer().uid(), (_, user) -> user.disconnected() ? null : user);
    }

    private synchronized boolean isClosed() {
        return closed;
    }

    /**
     * Accepts no more connections and ends the open ones: idle connections and streams at once,
     * those with a call under way when it is answered or {@link ServerLimits#closeTimeout} is over.
     * Returns when their threads have ended, or after that time once more, whichever comes first.
     * Idempotent.
     */
    @Override
    public void close() {
        List<Thread> threads;
        List<ServerConnection> open;
        synchronized (this) {
            closed = true;
            threads = new ArrayList<>(listeners.values());
            listeners.forEach((listener, thread) -> {
                listener.close();
                thread.interrupt();
            });
            listeners.clear();
            threads.addAll(connections.values());
            open = List.copyOf(connections.keySet());
        }
        open.forEach(ServerConnection::close);
        boolean interrupted = !join(threads);
        synchronized (this) {
            open = List.copyOf(connections.keySet());
            threads = List.copyOf(connections.values());
        }
        open.forEach(ServerConnection::abort);
        interrupted |= !join(threads);
        closer.close();
        synchronized (this) {
            connections
                    .keySet()
                    .forEach(connection ->
                            LOG.log(
                                    WARNING,
                                    "varlink: the handler of {0} is still running after close",
                                    connection));
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Waits for the threads within the limit; returns false if interrupted meanwhile. */
    private boolean join(List<Thread> threads) {
        long start = System.nanoTime();
        try {
            for (Thread thread : threads) {
                if (thread != Thread.currentThread()) {
                    Duration left = limits.closeTimeout.minusNanos(System.nanoTime() - start);
                    var _ = thread.join(left.isPositive() ? left : Duration.ZERO);
                }
            }
            return true;
        } catch (InterruptedException e) {
            return false;
        }
    }

    /** Configures a server. Not thread-safe. */
    public static final class Builder {
        private String vendor = "Holdfast";
        private String product = "Holdfast";
        private String version = "";
        private String url = "";
        private final List<Service> services = new ArrayList<>();
        private ServerLimits limits = ServerLimits.standard();
        private @Nullable Executor executor;

        private Builder() {}

        /**
         * Sets what {@code GetInfo} returns besides the names of the interfaces.
         *
         * @param vendor the vendor of the service
         * @param product the name of the service
         * @param version the version of the service
         * @param url the address of the service's documentation
         * @return this
         */
        @CanIgnoreReturnValue
        public Builder identity(String vendor, String product, String version, String url) {
            this.vendor = vendor;
            this.product = product;
            this.version = version;
            this.url = url;
            return this;
        }

        /**
         * Adds an interface.
         *
         * @param service the interface and its handlers
         * @return this
         */
        @CanIgnoreReturnValue
        public Builder service(Service service) {
            services.add(service);
            return this;
        }

        /**
         * Sets the limits on what clients may use; {@link ServerLimits#standard} by default.
         *
         * @param limits the limits
         * @return this
         */
        @CanIgnoreReturnValue
        public Builder limits(ServerLimits limits) {
            this.limits = limits;
            return this;
        }

        /**
         * Runs all handlers on this executor, such as an event loop, instead of on the connections'
         * threads. Handlers must not block it; {@link Call#send} then never waits.
         *
         * @param executor runs the handlers
         * @return this
         */
        @CanIgnoreReturnValue
        public Builder executor(Executor executor) {
            this.executor = executor;
            return this;
        }

        /**
         * Makes the server, which does not listen yet.
         *
         * @return the server
         * @throws IllegalArgumentException if an interface was added twice
         */
        public VarlinkServer build() {
            ServiceInfo identity = new ServiceInfo(vendor, product, version, url, List.of());
            return new VarlinkServer(new Services(identity, services), limits, executor);
        }
    }
}
