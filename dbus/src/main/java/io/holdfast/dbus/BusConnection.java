package io.holdfast.dbus;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Registration;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Deadline;
import io.holdfast.dbus.ConnectionLostException.Reason;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.address.BusAddressException;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.marshal.Syntax;
import io.holdfast.dbus.stream.ConnectedSocket;
import io.holdfast.dbus.stream.Handshake;
import io.holdfast.dbus.stream.Outgoing;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.match.MatchRule;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * A connection to a message bus, or to a single peer.
 *
 * <pre>{@code
 * try (BusConnection bus = BusConnection.system()) {
 *     RemoteObject login = bus.object("org.freedesktop.login1", "/org/freedesktop/login1");
 *     List<Object> sessions = login.call("org.freedesktop.login1.Manager", "ListSessions");
 *     try (Subscription sleeps = bus.subscribe("member='PrepareForSleep'")) {
 *         Message sleep = sleeps.take();
 *     }
 * }
 * }</pre>
 *
 * <p>Made for virtual threads: a method that waits parks only the calling thread, and an interrupt
 * does no harm to the connection. Safe for use by any thread. One thread reads the socket ({@link
 * ConnectionOptions#withReader}), a virtual one by default; what it reads waits in bounded queues
 * ({@link ConnectionOptions}), and no handler runs on it but {@link AsyncMethodHandler}. When the
 * connection ends, every call and subscription that waits on it ends with {@link
 * ConnectionLostException}.
 */
public final class BusConnection implements AutoCloseable {
    /** The account of queries that are not made for a caller. */
    private static final Object OWN = "this process";

    private static final Signature STRING = Signature.of("s");

    private final Link link;
    private final ConnectionOptions options;
    private final boolean isBus;
    private final CredentialQueries credentialQueries =
            new CredentialQueries(CredentialQueries.MAX);
    private final Subscriptions subscriptions;
    private final ExportedObjects objects;
    private String uniqueName = "";

    /** Makes a connection that is not {@link #started} yet. */
    BusConnection(
            ConnectedSocket connected,
            Handshake handshake,
            boolean isBus,
            String name,
            ConnectionOptions options) {
        this.options = options;
        this.isBus = isBus;
        this.link = new Link(connected, options, handshake, new Incoming(), name);
        this.subscriptions = new Subscriptions(this, link, isBus, options.queuedSignals);
        CallsUnderWay underWay = new CallsUnderWay(options, isBus, this::userOf);
        this.objects = new ExportedObjects(this, link, underWay, isBus);
    }

    /**
     * Connects to the system bus ({@link BusAddress#system}).
     *
     * @return the connection, owned by the caller
     * @throws ConnectionLostException if the bus cannot be reached or refuses the connection
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public static BusConnection system() throws InterruptedException {
        return connect(BusAddress.system(), ConnectionOptions.standard());
    }

    /**
     * Connects to the session bus ({@link BusAddress#session}).
     *
     * @return the connection, owned by the caller
     * @throws BusAddressException if the address of the session bus is not known
     * @throws ConnectionLostException if the bus cannot be reached or refuses the connection
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public static BusConnection session() throws InterruptedException {
        return connect(BusAddress.session(), ConnectionOptions.standard());
    }

    /**
     * Connects to a bus.
     *
     * @param addresses server addresses, as {@code unix:path=/run/bus;unix:abstract=bus}, tried in
     *     turn
     * @return the connection, owned by the caller
     * @throws BusAddressException if the addresses are malformed, or the only one cannot be used
     * @throws ConnectionLostException if no address leads to a bus that accepts the connection
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public static BusConnection connect(String addresses) throws InterruptedException {
        return connect(BusAddress.parseList(addresses), ConnectionOptions.standard());
    }

    /**
     * Connects to a bus with options.
     *
     * @param addresses the addresses, tried in turn
     * @param options the options
     * @return the connection, owned by the caller
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public static BusConnection connect(List<BusAddress> addresses, ConnectionOptions options)
            throws InterruptedException {
        return Connector.connect(addresses, options);
    }

    /** Prepares each new connection of {@link BusConnection#keep}. */
    @FunctionalInterface
    public interface Setup {
        /**
         * Exports objects, subscribes to signals, requests names, and passes the connection on to
         * those who call over it.
         *
         * @param connection a new connection, which is closed when it is lost or not kept any more
         * @throws Exception any failure: the connection is closed, and the next one is tried later
         */
        void run(BusConnection connection) throws Exception;
    }

    /**
     * Keeps a connection to a bus: connects, and connects again whenever the connection is lost or
     * cannot be opened, after a pause that grows from 100 ms to 10 s while no attempt succeeds. A
     * bus knows nothing of an earlier connection: so each connection is set up anew, on a virtual
     * thread. Calls that were under way fail with {@link ConnectionLostException}, and are not
     * repeated, as the object may have carried them out.
     *
     * <pre>{@code
     * Registration kept = BusConnection.keep(BusAddress.system(), ConnectionOptions.standard(), bus -> {
     *     Export.of(bus, "/org/example/Clock", Clock.class, clock);
     *     bus.requestName("org.example.Clock");
     * });
     * }</pre>
     *
     * @param addresses the addresses, tried in turn
     * @param options the options of each connection
     * @param setup called with each new connection
     * @return any thread may cancel it, which closes the connection
     */
    public static Registration keep(
            List<BusAddress> addresses, ConnectionOptions options, Setup setup) {
        return new KeptConnection(addresses, options, setup).started();
    }

    /**
     * Connects to a single peer without a bus, over a connected socket, as the client.
     *
     * @param socket the connected socket, owned by the connection from now on
     * @param options the options
     * @return the connection, owned by the caller
     * @throws ConnectionLostException if the peer refuses the authentication or disconnects
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public static BusConnection withPeer(UnixSocket socket, ConnectionOptions options)
            throws InterruptedException {
        return Connector.withPeer(socket, options);
    }

    /**
     * Accepts a single peer without a bus, over an accepted socket. Accepts only a peer of our own
     * user or of root; with {@link ConnectionOptions#withAnonymous}, any peer that can connect.
     *
     * @param socket the accepted socket, owned by the connection from now on
     * @param guid the GUID of the server address: 32 lower-case hexadecimal digits
     * @param options the options
     * @return the connection, owned by the caller
     * @throws IllegalArgumentException if the GUID is malformed
     * @throws ErrnoException ENOTCONN, EMFILE, if the peer credentials cannot be read
     * @throws ConnectionLostException if the peer does not authenticate
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public static BusConnection accept(UnixSocket socket, String guid, ConnectionOptions options)
            throws InterruptedException {
        return accept(socket, guid, options, _ -> {});
    }

    /**
     * Accepts a single peer without a bus, and lets the caller export objects before the peer's
     * first call is read.
     *
     * @param socket owned from now on
     * @param guid the GUID of the server address
     * @param options the options
     * @param prepared called with the connection before anything is read; it may export objects
     * @return the connection, owned by the caller
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public static BusConnection accept(
            UnixSocket socket,
            String guid,
            ConnectionOptions options,
            Consumer<BusConnection> prepared)
            throws InterruptedException {
        return Connector.accept(socket, guid, options, prepared);
    }

    /** Authenticates, and calls Hello on a bus. */
    BusConnection started(Deadline deadline) throws InterruptedException {
        try {
            link.start(deadline);
            if (isBus) {
                uniqueName =
                        (String)
                                bus().withTimeout(deadline.left())
                                        .call(BusNames.BUS, "Hello")
                                        .getFirst();
            }
            return this;
        } catch (DBusException e) {
            close();
            String how =
                    e.name().equals(DBusException.TIMEOUT)
                            ? "no reply to Hello within " + deadline.limit()
                            : "Hello failed: " + e.getMessage();
            throw new ConnectionLostException(Reason.REFUSED, link + ": " + how, e);
        } catch (RuntimeException | InterruptedException e) {
            close();
            throw e;
        }
    }

    /** {@return our unique name on the bus; empty without a bus} */
    public String uniqueName() {
        return uniqueName;
    }

    /** {@return the GUID of the server address} */
    public String guid() {
        return link.guid();
    }

    /** {@return whether both sides agreed to pass descriptors} */
    public boolean passesDescriptors() {
        return link.descriptorsAgreed();
    }

    /** {@return whether the connection has not ended} */
    public boolean isOpen() {
        return link.isOpen();
    }

    /**
     * {@return whether the connection is authenticated and has not ended} A connection is
     * authenticated before any call is read from it.
     */
    public boolean isReady() {
        return link.isReady();
    }

    /**
     * Waits until either side has ended the connection.
     *
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public void awaitEnd() throws InterruptedException {
        link.awaitEnd();
    }

    // Calls

    /**
     * {@return a remote object, without checking that it exists}
     *
     * @param destination the bus name of its owner
     * @param path the path of the object
     * @throws IllegalArgumentException if the bus name or the path is invalid
     */
    public RemoteObject object(String destination, String path) {
        requireNonNull(destination, "destination");
        if (!Syntax.isBusName(destination)) {
            throw new IllegalArgumentException("not a bus name: \"" + destination + "\"");
        }
        return remote(destination, path);
    }

    /**
     * {@return an object of the peer, on a connection without a bus}
     *
     * @param path the path of the object
     */
    public RemoteObject object(String path) {
        return remote("", path);
    }

    private RemoteObject remote(String destination, String path) {
        requireNonNull(path, "path");
        if (!Syntax.isObjectPath(path)) {
            throw new IllegalArgumentException("not an object path: \"" + path + "\"");
        }
        return new RemoteObject(this, destination, path, options.callTimeout, 0);
    }

    /** {@return the bus driver's object, {@code /org/freedesktop/DBus}} */
    public RemoteObject bus() {
        return remote(BusNames.BUS, BusNames.BUS_PATH);
    }

    Message call(IntFunction<Outgoing> call, Duration timeout) throws InterruptedException {
        return answer(link.call(call, timeout));
    }

    /**
     * Calls a method without waiting for the reply.
     *
     * @return the reply, completed on a virtual thread
     */
    CompletableFuture<Message> begin(IntFunction<Outgoing> call, Duration timeout)
            throws InterruptedException {
        CompletableFuture<Message> reply = link.begin(call, timeout);
        CompletableFuture<Message> result = new CompletableFuture<>();
        var _ =
                reply.whenCompleteAsync(
                        (message, failure) -> {
                            if (message == null) {
                                result.completeExceptionally(
                                        link.exceptionFor(requireNonNull(failure), timeout));
                            } else {
                                complete(result, message);
                            }
                        },
                        task -> Thread.ofVirtual().name("D-Bus reply").start(task));
        // cancelling the result cancels the call
        var _ = result.whenComplete((_, _) -> reply.cancel(false));
        return result;
    }

    private static void complete(CompletableFuture<Message> result, Message reply) {
        try {
            Message answer = answer(reply);
            if (!result.complete(answer)) {
                answer.close();
            }
        } catch (DBusException e) {
            result.completeExceptionally(e);
        }
    }

    private static Message answer(Message reply) {
        if (reply.type() == MessageType.ERROR) {
            try (reply) {
                throw new DBusException(String.valueOf(reply.errorName()), textOf(reply));
            }
        }
        return reply;
    }

    private static String textOf(Message error) {
        List<Object> values = error.values();
        return !values.isEmpty() && values.getFirst() instanceof String text ? text : "";
    }

    /** Sends a message that has no reply; waits while too many bytes wait to be sent. */
    void send(IntFunction<Outgoing> message) throws InterruptedException {
        link.send(message);
    }

    // Signals

    /**
     * Subscribes to the signals that match a rule. A well-known name as the sender follows its
     * owner: it matches signals of the connection that owns the name at the time.
     *
     * @param rule the match rule, as {@code type='signal',sender='org.example.Clock'} (D-Bus
     *     Specification, "Match Rules")
     * @return the subscription, owned by the caller
     * @throws IllegalArgumentException if the rule is malformed
     * @throws DBusException LIMITS_EXCEEDED if the bus refuses the rule
     * @throws ConnectionLostException if the connection is lost
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public Subscription subscribe(String rule) throws InterruptedException {
        return subscriptions.open(MatchRule.parseSubscription(requireNonNull(rule, "rule")), null);
    }

    /**
     * Subscribes to signals and handles them one after the other on a virtual thread, until the
     * subscription is closed or the connection is lost. Logs what the handler throws, clears the
     * interrupt status that it leaves, and closes each message after the handler returns.
     *
     * @param rule the match rule
     * @param handler called with each signal, on a virtual thread
     * @return the subscription, owned by the caller
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public Subscription subscribe(String rule, Consumer<Message> handler)
            throws InterruptedException {
        requireNonNull(handler, "handler");
        Subscription subscription = subscribe(rule);
        subscription.handleBy(handler);
        return subscription;
    }

    /**
     * Subscribes to signals and handles them on an executor. The reader passes a signal to it
     * before it reads the next message: what the handler of a later call executes there comes after
     * the signal. {@link Subscription#take} never returns these signals.
     *
     * @param rule the match rule
     * @param executor must not wait; if it rejects a signal, the signal is lost
     * @param handler called with each signal on the executor; a signal that has arrived is handled
     *     even if the subscription is closed meanwhile. What the handler throws is logged, and each
     *     message is closed after the handler returns
     * @return the subscription, owned by the caller
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public Subscription subscribe(String rule, Executor executor, Consumer<Message> handler)
            throws InterruptedException {
        requireNonNull(executor, "executor");
        requireNonNull(handler, "handler");
        return subscriptions.open(
                MatchRule.parseSubscription(requireNonNull(rule, "rule")),
                signal -> {
                    try {
                        executor.execute(() -> Subscription.handle(rule, handler, signal));
                    } catch (RejectedExecutionException e) {
                        signal.close();
                    }
                });
    }

    /** Returns a call of a method of the bus that takes one string. */
    static IntFunction<Outgoing> driverCall(String method, int flags, String argument) {
        return Outgoing.call(
                BusNames.BUS,
                BusNames.BUS_PATH,
                BusNames.BUS,
                method,
                flags,
                STRING,
                List.of(argument));
    }

    /**
     * Sends a signal without waiting. If the messages that were sent without waiting and are still
     * queued already exceed {@link ConnectionOptions#withOutgoingBytes}, ends the connection.
     *
     * @param destination the bus name of the receiver; empty to broadcast
     * @param path the path of the object
     * @param interfaceName the name of the interface
     * @param signal the name of the signal
     * @param signature the types of the arguments
     * @param arguments the arguments
     * @throws IllegalArgumentException if a name is invalid, or the arguments do not fit the
     *     signature
     */
    public void offerSignal(
            String destination,
            String path,
            String interfaceName,
            String signal,
            String signature,
            Object... arguments) {
        Signature types = Signature.of(requireNonNull(signature, "signature"));
        List<Object> values = Outgoing.values(arguments);
        requireNonNull(destination, "destination");
        requireNonNull(path, "path");
        requireNonNull(interfaceName, "interfaceName");
        requireNonNull(signal, "signal");
        link.offer(Outgoing.signal(destination, path, interfaceName, signal, types, values));
    }

    /** Sends a signal without waiting, charged to the caller that caused it. */
    void offer(IntFunction<Outgoing> signal, CallsUnderWay.Counted caller) {
        link.offerSignal(signal, caller);
    }

    // Names

    /**
     * Requests ownership of a name.
     *
     * @param name a well-known name
     * @param flags what to do if another connection owns the name
     * @return whether we own the name now
     * @throws DBusException ACCESS_DENIED, INVALID_ARGS, LIMITS_EXCEEDED
     * @throws ConnectionLostException if the connection is lost
     * @throws InterruptedException if the thread is or gets interrupted
     */
    @CanIgnoreReturnValue
    public NameReply requestName(String name, NameFlag... flags) throws InterruptedException {
        int bits = 0;
        for (NameFlag flag : flags) {
            bits |= flag.bit();
        }
        return NameReply.of(number(bus().call(BusNames.BUS, "RequestName", "su", name, bits)));
    }

    /**
     * Releases a name, or our place in its queue.
     *
     * @param name a well-known name
     * @return whether we owned the name or were queued for it
     * @throws InterruptedException if the thread is or gets interrupted
     */
    @CanIgnoreReturnValue
    public boolean releaseName(String name) throws InterruptedException {
        return number(bus().call(BusNames.BUS, "ReleaseName", "s", name)) == 1;
    }

    /**
     * {@return the unique name of a name's owner; empty if the name has no owner}
     *
     * @param name a well-known name
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public Optional<String> owner(String name) throws InterruptedException {
        try {
            Object owner = bus().call(BusNames.BUS, "GetNameOwner", "s", name).getFirst();
            return Optional.of((String) owner);
        } catch (DBusException e) {
            if (e.name().equals(DBusException.NAME_HAS_NO_OWNER)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private static long number(List<Object> reply) {
        return reply.size() == 1 && reply.getFirst() instanceof Long number ? number : -1;
    }

    // Peer credentials

    /**
     * {@return the process that owns a bus name; the caller closes it} It is a {@link Peer.Held} if
     * the bus returns a pidfd ({@code ProcessFD}, which needs Linux 6.5 and a bus that supports
     * it), else a {@link Peer.BestEffort}. A bus does not report the effective group: {@link
     * Peer#gid} is 4294967295, which is no group, and {@link Peer#groups} has all groups. Without a
     * bus, returns the process at the other end of the socket.
     *
     * @param busName a unique or a well-known name
     * @throws DBusException NAME_HAS_NO_OWNER if the owner is gone: then nothing can be decided
     *     about it
     * @throws ConnectionLostException if the connection is lost
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public Peer peer(String busName) throws InterruptedException {
        return peerOf(requireNonNull(busName, "busName"), OWN);
    }

    /** Looks up the uid of a unique name's owner, without waiting. */
    private CompletableFuture<Long> userOf(String name) {
        return link.beginUnbounded(driverCall("GetConnectionUnixUser", 0, name))
                .thenApply(reply -> {
                    try (reply) {
                        if (reply.type() == MessageType.ERROR) {
                            throw new DBusException(
                                    String.valueOf(reply.errorName()), textOf(reply));
                        }
                        return number(reply.values());
                    }
                });
    }

    /** Returns the caller's unique name; empty without a bus, where a peer may write any name. */
    String senderOf(Message call) {
        String sender = call.sender();
        return !isBus || sender == null ? "" : sender;
    }

    /**
     * Looks up the process of a name.
     *
     * @param user the account of the user whose call needs it
     */
    Peer peerOf(@Nullable String busName, Object user) throws InterruptedException {
        if (!isBus || busName == null) {
            link.requireOpen();
            return link.peer();
        }
        credentialQueries.acquire(user);
        try (Message reply =
                bus().exchange(BusNames.BUS, "GetConnectionCredentials", "s", busName)) {
            return BusCredentials.peer(reply);
        } finally {
            credentialQueries.release();
        }
    }

    // Exported objects

    /**
     * Exports an object, so that others can call it. It is visible at once: request a name
     * afterwards.
     *
     * @param path the path of the object
     * @param interfaces the interfaces
     * @return the exported object, which emits its signals; closing it withdraws it
     * @throws IllegalArgumentException if the path is invalid, or an interface occurs twice, or is
     *     a standard one that every object has
     * @throws IllegalStateException if an object is exported at the path already
     */
    public ExportedObject export(String path, BusInterface... interfaces) {
        return objects.add(path, Arrays.asList(interfaces), null);
    }

    /**
     * Exports an object whose state belongs to one thread: its property readers and its method
     * handlers run on the executor, where nothing may wait. Only {@linkplain
     * BusInterface.Builder#asyncMethod asynchronous methods} are begun by the reader thread; they
     * can continue on {@link MethodCall#executor}.
     *
     * <p>If there are objects above it, the executor reads the values for their signal
     * InterfacesAdded, which is not emitted if the object is withdrawn first. A value that cannot
     * be read or does not fit its type is logged; the object remains exported then, but is not
     * announced.
     *
     * @param path the path of the object
     * @param executor runs the property readers and method handlers
     * @param interfaces the interfaces
     * @return the exported object
     */
    public ExportedObject export(String path, Executor executor, BusInterface... interfaces) {
        return objects.add(path, Arrays.asList(interfaces), requireNonNull(executor, "executor"));
    }

    /**
     * Exports all objects that a tree has below a path, except those that are exported individually
     * or belong to a tree below. The objects of a tree have no ObjectManager, unless the tree
     * returns such an interface.
     *
     * @param path the path of the tree's root
     * @param executor calls the tree, and runs the handlers of its objects
     * @param tree the tree
     * @return withdraws the tree when it is cancelled, by any thread
     * @throws IllegalArgumentException if the path is invalid
     * @throws IllegalStateException if a tree is exported at the path already
     */
    public Registration exportTree(String path, Executor executor, ObjectTree tree) {
        return objects.addTree(path, executor, tree);
    }

    /** Receives what the reader thread has read. */
    private final class Incoming implements Link.Receiver {
        @Override
        public void call(Message call) {
            objects.call(call);
        }

        @Override
        public void signal(MessageView signal, List<Fd> descriptors) {
            subscriptions.deliver(signal, descriptors);
        }

        @Override
        public void refuse(Message call, DBusException why) {
            objects.refuse(call, why);
        }

        @Override
        public void disconnected(ConnectionLostException why) {
            subscriptions.failAll(why);
        }
    }

    /**
     * Sends what waits to be sent, for two seconds at most, and disconnects. Calls under way and
     * threads that wait for signals get {@link ConnectionLostException}; handlers that are running
     * continue. Idempotent.
     */
    @Override
    public void close() {
        link.close();
    }

    @Override
    public String toString() {
        return uniqueName.isEmpty() ? link.toString() : uniqueName + " on " + link;
    }
}
