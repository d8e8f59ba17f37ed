package io.holdfast.varlink.client;

import com.google.errorprone.annotations.MustBeClosed;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Signal;
import io.holdfast.core.limit.Charge;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Deadline;
import io.holdfast.varlink.ServiceInfo;
import io.holdfast.varlink.VarlinkAddress;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.client.Exchanges.Exchange;
import io.holdfast.varlink.client.Exchanges.Incoming;
import io.holdfast.varlink.client.Exchanges.LostException;
import io.holdfast.varlink.client.ServiceLostException.Reason;
import io.holdfast.varlink.idl.IdlException;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.json.JsonException;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.wire.CallMessage;
import io.holdfast.varlink.wire.CallMessage.Mode;
import io.holdfast.varlink.wire.Frame;
import io.holdfast.varlink.wire.MessageChannel;
import io.holdfast.varlink.wire.ReplyMessage;
import io.holdfast.varlink.wire.VarlinkLimits;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A connection to a Varlink service. A call blocks the calling thread, virtual or platform, until
 * the reply has arrived.
 *
 * <p>Calls by several threads are pipelined: each is sent at once, and the service replies in the
 * order of the calls. A call that is interrupted, or whose time limit ends, leaves the others and
 * the connection as they are; its reply is discarded when it comes. At most 256 calls ({@code
 * io.holdfast.varlink.pendingCalls}) wait at a time, with such abandoned ones; a further call waits
 * until it can be sent, and throws {@link CallNotSentException} if that takes longer than its time
 * limit.
 *
 * <p>A {@link #more} call and an {@link #upgrade} need the connection for themselves: they wait
 * until earlier calls have their replies. While a {@link ReplyStream} is open, or after an upgrade,
 * a call throws IllegalStateException.
 *
 * <p>An error reply is thrown as {@link VarlinkException}. The client does not compare replies with
 * the service's interface definition: see {@link Interface#checkOutput}.
 *
 * <p>Safe for use by any thread.
 */
public final class VarlinkClient implements AutoCloseable {
    /** A reply, and whether more follow. */
    record Received(Reply reply, boolean continues) {}

    /**
     * The last reply, and the connection, which carries another protocol from now on.
     *
     * @param reply the last Varlink reply
     * @param socket the connection, owned by this object
     * @param program the program of an {@code exec:} address; closing sends it SIGTERM
     */
    public record Upgraded(JsonObject reply, UnixSocket socket, Optional<Child> program)
            implements AutoCloseable {
        @Override
        public void close() {
            socket.close();
            program.ifPresent(VarlinkClient::end);
        }
    }

    private final MessageChannel channel;
    private final @Nullable Child program;
    private final ClientOptions options;
    private final String address;
    private final Exchanges exchanges;

    /** Held while a call is sent, so that calls are sent in the order in which they wait. */
    private final ReentrantLock turn = new ReentrantLock();

    /** Whether a stream of replies is open. Written under turn. */
    private volatile boolean streaming;

    /** Whether the connection carries another protocol. Written under turn. */
    private volatile boolean upgraded;

    private VarlinkClient(
            UnixSocket socket, @Nullable Child program, String address, ClientOptions options) {
        this.program = program;
        this.channel =
                new MessageChannel(socket, options.limits, Charge.unlimited(), Charge.unlimited());
        this.exchanges = new Exchanges(channel, VarlinkLimits.PENDING_CALLS.intValue());
        this.options = options;
        this.address = address;
    }

    /**
     * Connects to an address, in a form that {@link VarlinkAddress#parse} accepts.
     *
     * @param address the address
     * @return the client, owned by the caller
     * @throws IllegalArgumentException if the address is malformed
     * @throws ErrnoException if no service listens there, or the program cannot be started
     * @throws ServiceLostException as {@link #connect(VarlinkAddress, ClientOptions)}
     */
    public static VarlinkClient connect(String address) {
        return connect(VarlinkAddress.parse(address), ClientOptions.standard());
    }

    /**
     * Connects to an address within {@link ClientOptions#callTimeout}, or starts the program of an
     * {@code exec:} address.
     *
     * @param address the address
     * @param options the options
     * @return the client, owned by the caller
     * @throws ErrnoException if no service listens there, or the program cannot be started
     * @throws ServiceLostException TIMED_OUT if the service does not accept connections and its
     *     queue of connections is full until the end of the time limit; INTERRUPTED if the thread
     *     is or gets interrupted
     */
    public static VarlinkClient connect(VarlinkAddress address, ClientOptions options) {
        return switch (address) {
            case VarlinkAddress.Unix(UnixAddress unix) ->
                    new VarlinkClient(
                            connect(unix, options.callTimeout), null, unix.toString(), options);
            case VarlinkAddress.Exec(Path program) -> start(program, options);
        };
    }

    private static UnixSocket connect(UnixAddress address, Duration limit) {
        try {
            return UnixSocket.connect(address, SocketType.STREAM, limit);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ETIMEDOUT) {
                throw e;
            }
            ServiceLostException late =
                    new ServiceLostException(
                            Reason.TIMED_OUT,
                            address
                                    + ": not connected in time: the service does not accept"
                                    + " connections, and its queue of connections is full");
            late.initCause(e);
            throw late;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ServiceLostException(
                    Reason.INTERRUPTED, address + ": interrupted while connecting");
        }
    }

    /** Starts a program and passes it the connection as systemd does: sd_listen_fds(3). */
    private static VarlinkClient start(Path program, ClientOptions options) {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket theirs = pair[1]) {
            Child child =
                    Spawn.of(program.toString())
                            .stdin(Stdio.devNull())
                            .stdout(Stdio.devNull())
                            .descriptor(3, theirs.fd())
                            .environment("LISTEN_FDS", "1")
                            .environment("LISTEN_FDNAMES", "varlink")
                            .environmentOfPid("LISTEN_PID")
                            .environmentOfId("LISTEN_PIDFDID")
                            .start();
            return new VarlinkClient(pair[0], child, "exec:" + program, options);
        } catch (RuntimeException e) {
            pair[0].close();
            throw e;
        }
    }

    /**
     * Uses a connected stream socket, which the client closes when it is closed.
     *
     * @param socket the socket, owned by the client from now on
     * @param options the options
     * @return the client, owned by the caller
     */
    public static VarlinkClient over(UnixSocket socket, ClientOptions options) {
        return new VarlinkClient(socket, null, "an inherited connection", options);
    }

    /**
     * {@return the process that was listening on the socket when this client connected} The caller
     * closes it.
     */
    public Peer peer() {
        return channel.socket().peer();
    }

    /**
     * Calls a method without parameters, within {@link ClientOptions#callTimeout}.
     *
     * @param method the qualified name
     * @return the parameters of the reply
     */
    public JsonObject call(String method) {
        return call(method, JsonObject.EMPTY);
    }

    /**
     * Calls a method within {@link ClientOptions#callTimeout}.
     *
     * @param method the qualified name
     * @param parameters the parameters
     * @return the parameters of the reply
     */
    public JsonObject call(String method, JsonObject parameters) {
        return call(method, parameters, options.callTimeout);
    }

    /**
     * Calls a method and waits for the reply. Descriptors of the reply are closed.
     *
     * @param method the qualified name
     * @param parameters the parameters
     * @param timeout the time limit
     * @return the reply's parameters
     * @throws VarlinkException if the service replies with an error
     * @throws ServiceLostException if the connection ends; or TIMED_OUT or INTERRUPTED, after which
     *     the client is still usable
     * @throws CallNotSentException if it cannot be sent in time, or the thread is interrupted while
     *     it waits for that
     */
    public JsonObject call(String method, JsonObject parameters, Duration timeout) {
        try (Reply reply = call(method, parameters, timeout, List.of())) {
            return reply.parameters();
        }
    }

    /**
     * Calls a method with descriptors in both directions, and waits for the reply.
     *
     * @param method the qualified name
     * @param parameters the parameters
     * @param timeout the time limit
     * @param descriptors the descriptors of the call; they stay the caller's
     * @return the reply, which owns its descriptors
     * @throws VarlinkException if the service replies with an error
     * @throws CallNotSentException if its turn does not come in time, or the thread is interrupted
     *     while it waits for that
     * @throws ServiceLostException if no reply arrives in time, or the connection ends
     */
    public Reply call(
            String method, JsonObject parameters, Duration timeout, List<Fd> descriptors) {
        Deadline deadline = Deadline.after(timeout);
        Exchange exchange;
        awaitTurn(deadline);
        try {
            exchange = begun(deadline);
            try {
                send(method, parameters, Mode.PLAIN, descriptors, deadline);
            } catch (RuntimeException e) {
                exchanges.withdraw(exchange);
                throw e;
            }
        } finally {
            turn.unlock();
        }
        try {
            return received(exchanges.await(exchange, deadline)).reply();
        } catch (LostException e) {
            throw connectionLost(e);
        } catch (TimeoutException | InterruptedException e) {
            throw abandoned(e);
        }
    }

    /**
     * Calls a method with {@code more}, and returns the replies as they arrive.
     *
     * @param method the qualified name
     * @param parameters the parameters
     * @return the replies, owned by the caller
     * @throws CallNotSentException if its turn does not come in time, or the thread is interrupted
     *     while it waits for that
     * @throws ServiceLostException if the call cannot be sent in time
     */
    @MustBeClosed
    public ReplyStream more(String method, JsonObject parameters) {
        return more(method, parameters, List.of());
    }

    /**
     * Calls a method with {@code more} and descriptors, and returns the replies as they arrive.
     *
     * @param method the qualified name
     * @param parameters the parameters
     * @param descriptors the descriptors of the call; they stay the caller's
     * @return the replies, owned by the caller
     * @throws CallNotSentException if its turn does not come in time, or the thread is interrupted
     *     while it waits for that
     * @throws ServiceLostException if the call cannot be sent in time
     */
    @MustBeClosed
    public ReplyStream more(String method, JsonObject parameters, List<Fd> descriptors) {
        Deadline deadline = Deadline.after(options.callTimeout);
        awaitTurn(deadline);
        try {
            awaitIdle(deadline);
            send(method, parameters, Mode.MORE, descriptors, deadline);
            streaming = true;
            return new ReplyStream(this, options.streamTimeout);
        } finally {
            turn.unlock();
        }
    }

    /**
     * Calls a method without a reply; a failure of it is not reported.
     *
     * @param method the qualified name
     * @param parameters the parameters
     * @throws CallNotSentException if its turn does not come in time, or the thread is interrupted
     *     while it waits for that
     * @throws ServiceLostException if the call cannot be sent in time
     */
    public void oneway(String method, JsonObject parameters) {
        Deadline deadline = Deadline.after(options.callTimeout);
        awaitTurn(deadline);
        try {
            send(method, parameters, Mode.ONEWAY, List.of(), deadline);
        } finally {
            turn.unlock();
        }
    }

    /**
     * Calls a method, and takes the connection over for another protocol: no byte behind the reply
     * has been read. The client cannot be used afterwards.
     *
     * @param method the qualified name
     * @param parameters the parameters
     * @return the last reply, with the socket and the program of an {@code exec:} address, which it
     *     owns
     * @throws VarlinkException if the service replies with an error; the client stays usable
     * @throws CallNotSentException if its turn does not come in time, or the thread is interrupted
     *     while it waits for that
     * @throws ServiceLostException if no reply arrives in time, or the connection ends
     */
    @MustBeClosed
    public Upgraded upgrade(String method, JsonObject parameters) {
        Deadline deadline = Deadline.after(options.callTimeout);
        awaitTurn(deadline);
        try {
            awaitIdle(deadline);
            send(method, parameters, Mode.UPGRADE, List.of(), deadline);
            try (Reply reply = last(next(deadline, true))) {
                upgraded = true;
                return new Upgraded(
                        reply.parameters(), channel.socket(), Optional.ofNullable(program));
            }
        } finally {
            turn.unlock();
        }
    }

    /** {@return the description that the service gives of itself} */
    public ServiceInfo getInfo() {
        return parsed("GetInfo", ServiceInfo::of, call(VarlinkException.SERVICE + ".GetInfo"));
    }

    /**
     * {@return the definition of one of the service's interfaces}
     *
     * @param name the name of the interface
     * @throws VarlinkException InterfaceNotFound
     * @throws ServiceLostException PROTOCOL if the reply is no valid definition
     */
    public Interface getInterfaceDescription(String name) {
        JsonObject reply =
                call(
                        VarlinkException.SERVICE + ".GetInterfaceDescription",
                        JsonObject.of("interface", name));
        return parsed(
                "GetInterfaceDescription",
                parameters -> Interface.parse(parameters.string("description")),
                reply);
    }

    private <T> T parsed(String method, Function<JsonObject, T> as, JsonObject reply) {
        try {
            return as.apply(reply);
        } catch (JsonException | IdlException e) {
            throw connectionLost(
                    Reason.PROTOCOL, "invalid reply to " + method + ": " + e.getMessage());
        }
    }

    /** Waits until no other call is sent, by locking turn. */
    private void awaitTurn(Deadline deadline) {
        requireCallsPossible();
        try {
            if (turn.tryLock() || turn.tryLock(deadline.left().toNanos(), TimeUnit.NANOSECONDS)) {
                return;
            }
        } catch (InterruptedException e) {
            throw notSent(e);
        }
        throw notSent(new TimeoutException());
    }

    /** Adds a call to those that wait for a reply. */
    private Exchange begun(Deadline deadline) {
        requireCallsPossible();
        try {
            return exchanges.begin(deadline);
        } catch (LostException e) {
            throw connectionLost(e);
        } catch (TimeoutException | InterruptedException e) {
            throw notSent(e);
        }
    }

    /** Waits until all earlier calls have their replies. */
    private void awaitIdle(Deadline deadline) {
        requireCallsPossible();
        try {
            exchanges.awaitIdle(deadline);
        } catch (LostException e) {
            throw connectionLost(e);
        } catch (TimeoutException | InterruptedException e) {
            throw notSent(e);
        }
    }

    private CallNotSentException notSent(Exception cause) {
        boolean isInterrupt = cause instanceof InterruptedException;
        if (isInterrupt) {
            Thread.currentThread().interrupt();
        }
        return new CallNotSentException(
                isInterrupt
                        ? CallNotSentException.Reason.INTERRUPTED
                        : CallNotSentException.Reason.TIMED_OUT,
                address
                        + ": call not sent: "
                        + (isInterrupt ? "interrupted" : "no time left")
                        + " while waiting for earlier calls");
    }

    private void requireCallsPossible() {
        if (streaming) {
            throw new IllegalStateException(
                    "a stream of replies is open on this connection: use another connection");
        }
        if (upgraded) {
            throw new IllegalStateException("the connection was upgraded to another protocol");
        }
    }

    // the caller holds turn
    private void send(
            String method,
            JsonObject parameters,
            Mode mode,
            List<Fd> descriptors,
            Deadline deadline) {
        requireCallsPossible();
        List<Fd> lent = new ArrayList<>();
        try {
            descriptors.forEach(descriptor -> lent.add(descriptor.duplicate()));
        } catch (RuntimeException e) {
            lent.forEach(Fd::close);
            throw e;
        }
        Frame frame =
                new Frame(new CallMessage(method, parameters, mode).toJson(), lent, options.limits);
        try {
            channel.send(frame, deadline);
        } catch (TimeoutException | InterruptedException e) {
            if (channel.socket().fd().isOpen()) { // nothing was sent
                throw notSent(e);
            }
            throw connectionLost(e);
        } catch (ErrnoException | IllegalStateException e) {
            throw connectionLost(e);
        }
    }

    /** Waits for the next reply of a stream, within its own time limit. */
    Received receive(Duration timeout) {
        return next(Deadline.after(timeout), false);
    }

    private Received next(Deadline deadline, boolean exactly) {
        try {
            return received(exchanges.next(deadline, exactly));
        } catch (LostException e) {
            throw connectionLost(e);
        } catch (TimeoutException | InterruptedException e) {
            throw connectionLost(e);
        }
    }

    private static Received received(Incoming incoming) {
        ReplyMessage reply = incoming.message();
        if (reply.error() != null) {
            incoming.descriptors().forEach(Fd::close);
            throw new VarlinkException(reply.error(), reply.parameters());
        }
        return new Received(
                new Reply(reply.parameters(), incoming.descriptors()), reply.continues());
    }

    /** Returns the exception of a call that was sent and does not wait for its reply any more. */
    private ServiceLostException abandoned(Exception cause) {
        boolean isInterrupt = cause instanceof InterruptedException;
        if (isInterrupt) {
            Thread.currentThread().interrupt();
        }
        ServiceLostException exception =
                new ServiceLostException(
                        isInterrupt ? Reason.INTERRUPTED : Reason.TIMED_OUT,
                        address
                                + (isInterrupt
                                        ? ": interrupted while waiting for a reply"
                                        : ": no reply came in time"));
        exception.initCause(cause);
        return exception;
    }

    private Reply last(Received received) {
        if (received.continues()) {
            received.reply().close();
            throw connectionLost(
                    Reason.PROTOCOL,
                    "the service broke the protocol: it continues a call that expects one reply");
        }
        return received.reply();
    }

    void streamEnded() {
        turn.lock();
        try {
            streaming = false;
        } finally {
            turn.unlock();
        }
    }

    private ServiceLostException connectionLost(LostException e) {
        ServiceLostException exception = connectionLost(e.lost().reason(), e.lost().message());
        exception.initCause(e);
        return exception;
    }

    private ServiceLostException connectionLost(Exception cause) {
        ServiceLostException exception =
                switch (cause) {
                    case TimeoutException _ ->
                            connectionLost(Reason.TIMED_OUT, "no reply came in time");
                    case InterruptedException _ -> {
                        Thread.currentThread().interrupt();
                        yield connectionLost(
                                Reason.INTERRUPTED, "interrupted while waiting for a reply");
                    }
                    default ->
                            connectionLost(
                                    Reason.CLOSED, "the connection is gone: " + cause.getMessage());
                };
        exception.initCause(cause);
        return exception;
    }

    private ServiceLostException connectionLost(Reason reason, String message) {
        close();
        return new ServiceLostException(reason, address + ": " + message);
    }

    /**
     * Closes the connection, unless it was {@linkplain #upgrade upgraded}, and ends the program of
     * an {@code exec:} address by SIGTERM. Threads that wait for a reply get {@link
     * ServiceLostException}. Idempotent.
     */
    @Override
    public void close() {
        if (upgraded) {
            return;
        }
        exchanges.close();
        if (program != null) {
            end(program);
        }
    }

    private static void end(Child program) {
        boolean _ = program.signal(Signal.TERM);
        program.close();
    }
}
