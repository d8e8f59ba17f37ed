package io.holdfast.varlink.server;

import static java.lang.System.Logger.Level.DEBUG;
import static java.lang.System.Logger.Level.ERROR;
import static java.lang.System.Logger.Level.WARNING;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.Registration;
import io.holdfast.core.limit.Charge;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Deadline;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.server.ClientComplaints.Kind;
import io.holdfast.varlink.server.ServedUser.Turn;
import io.holdfast.varlink.server.Service.Handler;
import io.holdfast.varlink.server.UpgradeHandler.Upgrade;
import io.holdfast.varlink.wire.CallMessage;
import io.holdfast.varlink.wire.CallMessage.Mode;
import io.holdfast.varlink.wire.Frame;
import io.holdfast.varlink.wire.FrameDecoder;
import io.holdfast.varlink.wire.JsonWeight;
import io.holdfast.varlink.wire.MalformedMessageException;
import io.holdfast.varlink.wire.MessageChannel;
import io.holdfast.varlink.wire.ReplyMessage;
import io.holdfast.varlink.wire.ReplyQueue;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * One client's connection, served by one virtual thread: it reads a call, has it answered, writes
 * the replies, and reads the next call. All waiting happens here, so a client that sends half a
 * message or does not read delays no other client.
 */
final class ServerConnection implements Runnable {
    private static final System.Logger LOG = System.getLogger("io.holdfast.varlink");

    /** The number of bytes that an idle connection holds. */
    static final int LEAST_BYTES = FrameDecoder.CHUNK;

    /** The number of descriptors that a connection holds: the socket, and the pidfd of the peer. */
    static final int LEAST_DESCRIPTORS = 2;

    private final UnixSocket socket;
    private final MessageChannel channel;
    private final Services services;
    private final ServerLimits limits;
    private final Charge<?> held;
    private final Charge<?> heldDescriptors;
    private final ClientComplaints complaints;
    private final @Nullable Executor executor;
    private final Peer peer;
    private final ServedUser user;

    /** The peer for logs, by PID and uid. */
    private final String peerName;

    private volatile @Nullable Thread thread;
    private volatile boolean closing;

    /** Completed when the handler of the last call has finished. */
    private CompletableFuture<Void> handled = CompletableFuture.completedFuture(null);

    /**
     * The turn in which the last call was begun. It ends when its handler has returned, and before
     * this thread runs a handler that may block or waits for the client to read: what waits takes
     * no turn from other connections of the user.
     */
    private @Nullable Turn turn;

    private volatile boolean upgraded;

    /** Whether a closing server waits for this connection: its call will be answered soon. */
    private volatile boolean busy;

    /** Whether a handler runs on this thread and must be interrupted when the client hangs up. */
    @GuardedBy("this")
    private boolean interruptible;

    ServerConnection(
            UnixSocket socket,
            Peer peer,
            ServedUser user,
            Services services,
            ServerLimits limits,
            Charge<?> held,
            Charge<?> heldDescriptors,
            ClientComplaints complaints,
            @Nullable Executor executor) {
        this.socket = socket;
        this.peer = peer;
        this.user = user;
        this.peerName = name(peer);
        this.services = services;
        this.limits = limits;
        this.held = held;
        this.heldDescriptors = heldDescriptors;
        this.complaints = complaints;
        this.executor = executor;
        this.channel = new MessageChannel(socket, limits.calls, held, heldDescriptors);
    }

    Peer peer() {
        return peer;
    }

    /** Returns the peer for logs. */
    String peerName() {
        return peerName;
    }

    boolean isClosing() {
        return closing;
    }

    static String name(Peer peer) {
        return "process %d of user %d".formatted(peer.pid(), peer.uid());
    }

    @Override
    public void run() {
        thread = Thread.currentThread();
        // Log before closing: a client that sees the end of the connection finds the reason in the
        // log.
        try (held;
                heldDescriptors;
                peer;
                channel) {
            try {
                serve();
            } catch (MalformedMessageException e) {
                complaints.log(
                        Kind.MALFORMED,
                        peer.uid(),
                        "closing the connection of " + peerName + ": " + e.getMessage());
            } catch (ErrnoException | IllegalStateException e) {
                LOG.log(DEBUG, "varlink: {0} disconnected: {1}", peerName, e.getMessage());
            } catch (InterruptedException e) {
                LOG.log(DEBUG, "varlink: the connection of {0} is closed by the server", peerName);
            } catch (TimeoutException e) {
                closeUnread();
            } finally {
                closeSocket();
                awaitHandler();
            }
        }
    }

    /**
     * Waits for the handler. What a call makes the server hold counts until its handler has
     * finished, even if the client has gone: otherwise calls that wait for the executor would cost
     * nothing.
     */
    private void awaitHandler() {
        try {
            handled.get();
        } catch (InterruptedException e) {
            LOG.log(
                    DEBUG,
                    "varlink: the server is closed before a handler for {0} ended",
                    peerName);
        } catch (ExecutionException e) {
            throw new AssertionError(e); // it is never completed with a failure
        }
    }

    /** Closes the connection because the write time-out is over. */
    void closeUnread() {
        complaints.log(
                Kind.UNREAD,
                peer.uid(),
                "closing the connection of %s: client did not read within writeTimeout=%s"
                        .formatted(peerName, limits.writeTimeout));
        closeSocket();
    }

    /**
     * Shuts the socket down, and closes it. After the shutdown no further message arrives: the
     * close of unread descriptors can be slow, and {@link Fd#close} would not notice those that
     * arrive after it has checked for unread messages. After an upgrade another process may hold
     * the socket, so it is not shut down.
     */
    private void closeSocket() {
        if (!upgraded) {
            try {
                socket.shutdown();
            } catch (IllegalStateException e) {
                return; // closed already
            }
        }
        socket.close();
    }

    private void serve() throws MalformedMessageException, InterruptedException, TimeoutException {
        boolean exactly = services.upgrade();
        while (!closing) {
            MessageChannel.Message message = channel.receive(exactly, Deadline.NEVER);
            if (message == null) {
                LOG.log(DEBUG, "varlink: {0} disconnected", peerName);
                return;
            }
            int descriptorCount = message.descriptors().size();
            long weight = JsonWeight.of(message.body());
            if (!held.grow(weight)) {
                message.descriptors().forEach(Fd::close);
                throw new MalformedMessageException("the call has no room: " + held.refusal());
            }
            try (Turn mine = turn(message)) {
                turn = mine;
                if (!answer(message)) {
                    return;
                }
            } finally {
                held.shrink(weight);
                // Each is closed, or the handler's, or charged by the closer, where it waits.
                heldDescriptors.shrink(descriptorCount);
            }
        }
    }

    /** Waits for a turn of the user. */
    private Turn turn(MessageChannel.Message message) throws InterruptedException {
        try {
            return user.turn();
        } catch (InterruptedException e) {
            message.descriptors().forEach(Fd::close);
            throw e;
        }
    }

    /** Answers one message; returns false if the connection must end. */
    private boolean answer(MessageChannel.Message message)
            throws MalformedMessageException, InterruptedException, TimeoutException {
        CallMessage call;
        try {
            call = CallMessage.of(message.body());
        } catch (MalformedMessageException e) {
            message.descriptors().forEach(Fd::close);
            throw e;
        }
        busy = call.mode() != Mode.MORE;
        boolean more = answer(call, message.descriptors());
        if (more) {
            busy = false;
        }
        return more;
    }

    /** Answers one call; returns false if the connection must end. */
    private boolean answer(CallMessage message, List<Fd> descriptors)
            throws MalformedMessageException, InterruptedException, TimeoutException {
        Service.Served served;
        try {
            served = admit(message);
        } catch (VarlinkException e) {
            descriptors.forEach(Fd::close);
            return message.mode() == Mode.ONEWAY || refuse(e);
        }
        if (!served.options().contains(MethodOption.TAKES_DESCRIPTORS)) {
            descriptors.forEach(Fd::close);
        }
        ReplyQueue outbox = new ReplyQueue(limits.maxQueuedReplies, limits.maxQueuedBytes, held);
        Call call =
                new Call(
                        message,
                        served,
                        this,
                        outbox,
                        served.options().contains(MethodOption.TAKES_DESCRIPTORS)
                                ? descriptors
                                : List.of());
        var upgrade = new Upgrade[1];
        Registration watch = null;
        try {
            if (call.wantsMore()) {
                watch = watchForHangup(call);
            }
            start(call, served.handler(), upgrade);
            if (watch == null && outbox.isOpen() && !call.isOneway()) {
                watch = watchForHangup(call);
            }
            for (Frame frame = outbox.take(); frame != null; frame = outbox.take()) {
                write(outbox, frame);
            }
        } catch (ErrnoException
                | IllegalStateException
                | InterruptedException
                | TimeoutException e) {
            call.hangUp();
            throw e;
        } finally {
            if (watch != null) {
                var _ = watch.cancel();
            }
            call.close();
        }
        if (call.isHungUp()) {
            LOG.log(DEBUG, "varlink: {0} hung up on {1}", peerName, call.method());
            return false;
        }
        Upgrade next = upgrade[0];
        if (next == null || !call.hasSucceeded()) {
            return true;
        }
        busy = false;
        upgraded = true;
        runProtocol(call, next.next());
        return false;
    }

    /**
     * Replies with an error; returns false if there is no room for the reply, and the connection
     * must be closed.
     */
    private boolean refuse(VarlinkException error)
            throws MalformedMessageException, InterruptedException, TimeoutException {
        Frame frame = refusal(error);
        int length = frame.bytes().length;
        if (!held.grow(length)) {
            logUnread();
            return false;
        }
        try {
            write(frame);
            return true;
        } finally {
            held.shrink(length);
        }
    }

    /**
     * Returns the frame of an error reply, which repeats a name of the call: the name may be as
     * long as a message.
     */
    private Frame refusal(VarlinkException error) throws MalformedMessageException {
        try {
            return frame(ReplyMessage.failure(error), List.of());
        } catch (IllegalArgumentException _) {
            throw new MalformedMessageException("a name is as long as a message may be");
        }
    }

    /** Returns the method of a call, if it may be called in this way. */
    private Service.Served admit(CallMessage call) {
        Service.Served served = services.find(call.method());
        served.definition()
                .checkInput(served.method(), call.parameters())
                .ifPresent(mismatch -> {
                    LOG.log(
                            DEBUG,
                            "varlink: {0} called {1} with invalid parameters: {2}",
                            peerName,
                            call.method(),
                            mismatch);
                    throw VarlinkException.invalidParameter(mismatch.parameter());
                });
        if (served.options().contains(MethodOption.REQUIRES_MORE) && call.mode() != Mode.MORE) {
            throw VarlinkException.expectedMore();
        }
        if (served.upgrades() && call.mode() != Mode.UPGRADE) {
            throw VarlinkException.expectedUpgrade();
        }
        if (!served.upgrades() && call.mode() == Mode.UPGRADE) {
            throw VarlinkException.methodNotImplemented(call.method());
        }
        return served;
    }

    private Registration watchForHangup(Call call) {
        return Readiness.once(
                socket.fd(),
                0,
                _ -> {
                    call.hangUp();
                    interruptHandler();
                });
    }

    private synchronized void interruptHandler() {
        Thread running = thread;
        if (interruptible && running != null) {
            running.interrupt();
        }
    }

    private void start(Call call, Handler handler, @Nullable Upgrade[] upgrade) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        handled = done;
        Turn begun = Objects.requireNonNull(turn);
        if (executor != null) {
            try {
                executor.execute(() -> {
                    handle(call, handler, upgrade, done);
                    begun.close();
                });
            } catch (RejectedExecutionException e) {
                call.fail(e);
                done.complete(null);
            }
            return;
        }
        synchronized (this) {
            interruptible = true;
        }
        if (!(handler instanceof Service.Async)) {
            begun.close();
        }
        handle(call, handler, upgrade, done);
        begun.close();
        synchronized (this) {
            interruptible = false;
            // The interrupt was intended for the handler; this thread notices a closed socket or a
            // hang-up without it.
            var _ = Thread.interrupted();
        }
    }

    private static void handle(
            Call call, Handler handler, @Nullable Upgrade[] upgrade, CompletableFuture<Void> done) {
        try {
            switch (handler) {
                case Service.Plain(CallHandler plain) ->
                        call.finish(Objects.requireNonNull(plain.handle(call), "no reply"));
                case Service.Async(AsyncCallHandler async) -> {
                    var _ =
                            async.handle(call)
                                    .whenComplete((reply, failure) -> {
                                        if (failure == null) {
                                            call.finish(reply);
                                        } else {
                                            call.fail(failure);
                                        }
                                    })
                                    .whenComplete((_, _) -> done.complete(null));
                    return;
                }
                case Service.Upgrading(UpgradeHandler upgrading) -> {
                    Upgrade next = upgrading.handle(call);
                    upgrade[0] = next;
                    call.finish(next.reply());
                }
            }
        } catch (Throwable e) {
            call.fail(e);
        }
        done.complete(null);
    }

    private void runProtocol(Call call, UpgradeHandler.Protocol protocol) {
        try {
            protocol.speak(socket);
        } catch (Exception e) {
            LOG.log(
                    closing ? DEBUG : WARNING,
                    () ->
                            "varlink: protocol after the upgrade "
                                    + call.method()
                                    + " failed for "
                                    + peerName,
                    e);
        }
    }

    Frame frame(ReplyMessage reply, List<Fd> descriptors) {
        return new Frame(reply.toJson(), descriptors, limits.replies);
    }

    /** Queues a reply that others follow; returns false if the client will not read it. */
    boolean put(ReplyQueue outbox, Frame frame) throws InterruptedException, TimeoutException {
        boolean own = Thread.currentThread() == thread;
        if (own) {
            flush(outbox);
        }
        return switch (outbox.put(frame)) {
            case DONE -> {
                if (own) {
                    flush(outbox);
                }
                yield true;
            }
            case ENDED -> false;
            case FULL -> {
                logUnread();
                closeSocket();
                yield false;
            }
        };
    }

    /** Logs that the client is disconnected because it leaves replies unread. */
    void logUnread() {
        complaints.log(
                Kind.UNREAD,
                peer.uid(),
                ("closing the connection of %s: client leaves more than %d replies or %d bytes"
                                + " unread, or more than its share (%s)")
                        .formatted(
                                peerName,
                                limits.maxQueuedReplies,
                                limits.maxQueuedBytes,
                                held.refusal()));
    }

    private void flush(ReplyQueue outbox) throws InterruptedException, TimeoutException {
        for (Frame frame = outbox.poll(); frame != null; frame = outbox.poll()) {
            write(outbox, frame);
        }
    }

    private void write(ReplyQueue outbox, Frame frame)
            throws InterruptedException, TimeoutException {
        try {
            write(frame);
        } finally {
            outbox.written(frame);
        }
    }

    private void write(Frame frame) throws InterruptedException, TimeoutException {
        Turn begun = turn;
        if (begun != null) {
            begun.close();
        }
        channel.send(frame, Deadline.after(limits.writeTimeout));
    }

    /** Runs a task where handlers run. */
    void execute(Runnable task) {
        try {
            if (executor == null) {
                task.run();
            } else {
                executor.execute(task);
            }
        } catch (RuntimeException e) {
            LOG.log(ERROR, "varlink: a task after the hang-up of " + peerName + " failed", e);
        }
    }

    /**
     * Takes no more calls; ends at once unless a call is about to be answered. May be called by any
     * thread.
     */
    void close() {
        closing = true;
        if (!busy) {
            abort();
        }
    }

    /** Ends at once. May be called by any thread. */
    void abort() {
        closing = true;
        closeSocket();
        Thread running = thread;
        if (running != null) {
            running.interrupt();
        }
    }

    @Override
    public String toString() {
        return "the connection of " + peerName;
    }
}
