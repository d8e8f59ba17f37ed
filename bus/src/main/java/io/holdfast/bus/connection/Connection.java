package io.holdfast.bus.connection;

import io.holdfast.bus.account.Charge;
import io.holdfast.bus.account.ChargedResource;
import io.holdfast.bus.account.ConnectionCounters;
import io.holdfast.bus.account.EndReason;
import io.holdfast.bus.account.Quota.Account;
import io.holdfast.bus.account.Quota.Share;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.policy.Party;
import io.holdfast.bus.policy.PeerPolicy;
import io.holdfast.bus.policy.UniqueName;
import io.holdfast.bus.relay.OutQueue;
import io.holdfast.bus.relay.PassedFds;
import io.holdfast.core.Errno;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.dbus.marshal.SenderField;
import io.holdfast.dbus.wire.sasl.SaslServer;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One client of the bus: its socket, its process as identified at accept, its names, and its queue
 * of outgoing messages. Its {@link ConnectionInput} reads what it sends. Only for the bus's thread.
 */
public final class Connection implements Party {
    /** The states from accept to close. */
    public enum State {
        AUTHENTICATING,
        /** Authenticated, but has not said Hello. */
        UNREGISTERED,
        REGISTERED,
        /** Sees the messages of others and may send none. */
        MONITOR,
        /** Gone from the bus, while its queue is still being sent. */
        LINGERING,
        CLOSED
    }

    /**
     * How long the queue of a client is kept after the client, or the bus, has ended the
     * connection.
     */
    private static final Duration LINGER = Duration.ofSeconds(10);

    /**
     * Messages of at least this length are sent from where they were read, if the queue is empty.
     */
    private static final int UNCOPIED = 32 << 10;

    /** A queue of at least this many bytes is sent before the end of the turn. */
    private static final int GATHERED = 128 << 10;

    private final Connections connections;
    private final Fd socket;
    private final Peer peer;
    private final Account account;
    private final @Nullable Container container;
    private final EventLoop.Watch watch;
    private final ConnectionInput input;
    private final OutQueue out;
    private EventLoop.@Nullable Timer deadline; // until Hello, then for lingering
    private boolean descriptorsPass;
    private State state = State.AUTHENTICATING;
    private boolean flushDue;
    private boolean leaving; // it receives no messages about its own end
    private @Nullable String removalReason;
    private EndReason removalEnd = EndReason.FAULT;
    private final ReadTurns.User turns;
    private boolean waitsToRead;

    private long id = -1;
    private String name = "";
    private @Nullable SenderField senderField;

    // the well-known names that it owns or waits for
    private final List<BusName> owned = new ArrayList<>(0);

    /** Its policy, from Hello on. */
    @Nullable PeerPolicy policy;

    /** The charge for its unique name, from Hello on. */
    @Nullable Charge uniqueName;

    /** The calls that it made and that wait for a reply. */
    final List<PendingReplies.Call> callsMade = new ArrayList<>(0);

    /** The calls that it received and has not answered, the oldest first. */
    final Map<PendingReplies.Call, PendingReplies.Call> callsReceived = new LinkedHashMap<>(0);

    /** What it has sent and received. */
    public final ConnectionCounters counters = new ConnectionCounters();

    Connection(
            Connections connections,
            Fd socket,
            Peer peer,
            Account account,
            SaslServer sasl,
            @Nullable Container container) {
        this.connections = connections;
        this.socket = socket;
        this.peer = peer;
        this.account = account;
        this.container = container;
        this.turns = connections.turns.join(account.uid());
        this.input = new ConnectionInput(connections, this, turns, socket, sasl);
        this.out = new OutQueue(connections.buffers, this::releaseOutgoing);
        this.watch = connections.loop.watch(socket, Readiness.IN, this::ready);
        this.deadline =
                connections.loop.after(
                        Duration.ofMillis(connections.charges.limits().get(BusLimit.AUTH_TIMEOUT)),
                        this::timedOut);
    }

    private void timedOut() {
        connections.charges.over(this, BusLimit.AUTH_TIMEOUT);
        disconnect(EndReason.LIMIT, "did not authenticate and call Hello in time");
    }

    public State state() {
        return state;
    }

    /** Returns whether it has left the bus. */
    boolean isOver() {
        return state == State.LINGERING || state == State.CLOSED;
    }

    public boolean isRegistered() {
        return state == State.REGISTERED;
    }

    /** Returns the number in its unique name; -1 before Hello. */
    @Override
    public long id() {
        return id;
    }

    /** Returns the well-known names that it owns or waits for. */
    public List<BusName> owned() {
        return owned;
    }

    /** Returns how many of its calls wait for their reply. */
    public int outstandingCalls() {
        return callsMade.size();
    }

    /** Notes that it owns a name, or waits for it. */
    void nameAdded(BusName added) {
        owned.add(added);
    }

    /** Notes that it neither owns a name nor waits for it any more. */
    void nameRemoved(BusName removed) {
        boolean ignored = owned.remove(removed);
    }

    /** Releases the charge for its unique name. */
    public void leaveName() {
        if (uniqueName != null) {
            uniqueName.close();
        }
    }

    @Override
    public int names() {
        return owned.size();
    }

    @Override
    public String name(int index) {
        return owned.get(index).toString();
    }

    @Override
    public boolean isPrimary(int index) {
        return owned.get(index).owner() == this;
    }

    /** Returns its unique name; empty before Hello. */
    public String name() {
        return name;
    }

    /** Returns its process, as the kernel identified it at accept. */
    public Peer peer() {
        return peer;
    }

    /** Returns whether it agreed to exchange descriptors. */
    public boolean descriptorsPass() {
        return descriptorsPass;
    }

    public OutQueue out() {
        return out;
    }

    PeerPolicy policy() {
        return java.util.Objects.requireNonNull(policy);
    }

    /** Returns the container that it is in, if it came by a container's socket; else null. */
    public @Nullable Container container() {
        return container;
    }

    /** Returns the account that it is charged to. */
    public Account account() {
        return account;
    }

    public SenderField senderField() {
        return java.util.Objects.requireNonNull(senderField);
    }

    /** Notes that the client has authenticated: messages follow. */
    void authenticated(boolean withDescriptors) {
        descriptorsPass = withDescriptors;
        state = State.UNREGISTERED;
    }

    /** Notes that it said Hello, and gives it the unique name with this number. */
    void register(long number) {
        id = number;
        name = UniqueName.of(number);
        senderField = new SenderField(name);
        state = State.REGISTERED;
        cancelDeadline();
    }

    /** Makes it a monitor. Its names and rules are gone already. */
    public void becomeMonitor() {
        state = State.MONITOR;
    }

    private void cancelDeadline() {
        if (deadline != null) {
            deadline.cancel();
            deadline = null;
        }
    }

    private void ready(int events) {
        if ((events & Readiness.OUT) != 0) {
            flush();
        }
        if ((events & ~Readiness.OUT) != 0 && state != State.CLOSED) {
            if (state == State.LINGERING) {
                close(); // it is not read any more, so the peer has hung up
            } else if (!waitsToRead && connections.turns.hasTime(turns)) {
                input.read();
            } else {
                awaitTurn();
            }
        }
    }

    /** Lets it wait for a turn in which its user has time. Idempotent. */
    void awaitTurn() {
        if (!waitsToRead) {
            waitsToRead = true;
            connections.turns.await(turns, this);
        }
    }

    /** Reads on in the turn for which it waited. */
    void continueReading() {
        waitsToRead = false;
        if (!isOver()) {
            input.read();
        }
    }

    /**
     * Adds one message to its queue. The queue is sent at the end of this turn of the loop, or at
     * once if the message is large or much has gathered.
     *
     * @param share the share that {@link Charges#queue} charged
     */
    public void send(
            Share share, MemorySegment bytes, long offset, int length, @Nullable PassedFds fds) {
        if (leaving || removalReason != null) {
            releaseOutgoing(share, 1, length, fds == null ? 0 : fds.size());
            return;
        }
        counters.messagesOut++;
        counters.bytesOut += length;
        if (length >= UNCOPIED && bytes.isNative() && fds == null && out.isEmpty()) {
            int sent = SysSocket.send(socket, bytes, offset, length);
            if (sent == length) {
                releaseOutgoing(share, 1, length, 0);
                return;
            }
            int from = Math.max(sent, 0);
            releaseOutgoing(share, 0, from, 0);
            out.add(share, bytes, offset + from, length - from, null);
            awaitRoom(sent < 0 ? sent : -Errno.EAGAIN);
            return;
        }
        out.add(share, bytes, offset, length, fds);
        counters.peakQueued = Math.max(counters.peakQueued, out.bytes());
        if (!flushDue && !isBlocked()) {
            flushDue = true;
            connections.flushAtEndOfTurn(this);
        } else if (out.bytes() >= GATHERED && !isBlocked()) {
            flush();
        }
    }

    private void releaseOutgoing(Share share, int messages, long bytes, int fds) {
        connections
                .charges
                .quota()
                .release(account, share, ChargedResource.OUTGOING, messages, bytes, fds);
    }

    /** Returns whether the socket was full at the last attempt. */
    boolean isBlocked() {
        return (watch.events() & Readiness.OUT) != 0;
    }

    /** Sends its queue at the end of a turn. */
    void flushNow() {
        flushDue = false;
        if (state != State.CLOSED && !isBlocked()) {
            flush();
        }
    }

    private void flush() {
        awaitRoom(out.flush(socket));
    }

    private void awaitRoom(int result) {
        if (result == -Errno.EAGAIN) {
            watch.events(watch.events() | Readiness.OUT);
        } else if (result == 0) {
            watch.events(watch.events() & ~Readiness.OUT);
            if (state == State.LINGERING) {
                close();
            }
        } else {
            out.clear();
            watch.events(watch.events() & ~Readiness.OUT);
            if (state == State.LINGERING) {
                close();
            } else if (result != -Errno.EPIPE && result != -Errno.ECONNRESET) {
                markForRemoval(EndReason.SYSTEM_ERROR, "send: " + Errno.name(-result));
            } // else the peer reads no more; what it has sent is still read, to its end
        }
    }

    /** Takes it off the bus at once, and discards its queue. Idempotent. */
    public void disconnect(EndReason why, @Nullable String reason) {
        if (!leaving) {
            leaving = true;
            connections.gone(this, why, reason);
        }
        close();
    }

    /**
     * Marks it for removal after the current message: while a message is delivered to several
     * receivers, none of them may leave.
     */
    public void markForRemoval(EndReason why, String reason) {
        if (removalReason == null && state != State.CLOSED) {
            removalEnd = why;
            removalReason = reason;
            connections.markForRemoval(this);
        }
    }

    /** Disconnects it for the reason it was marked with. */
    void removeIfMarked() {
        disconnect(removalEnd, removalReason);
    }

    /** Takes it off the bus, but still sends its queue, for a limited time. */
    void linger(EndReason why, @Nullable String reason) {
        if (leaving) {
            return;
        }
        leaving = true;
        connections.gone(this, why, reason);
        if (out.isEmpty()) {
            close();
            return;
        }
        if (!isBlocked()) {
            int result = out.flush(socket);
            if (result != -Errno.EAGAIN) {
                close();
                return;
            }
        }
        state = State.LINGERING;
        cancelDeadline();
        deadline = connections.loop.after(LINGER, this::close);
        watch.events(Readiness.OUT);
    }

    private void close() {
        if (state == State.CLOSED) {
            return;
        }
        state = State.CLOSED;
        cancelDeadline();
        connections.turns.leave(turns, this);
        input.close();
        out.clear();
        watch.close();
        closeSocket();
        peer.close();
        connections.closed(this);
        if (container != null) {
            container.left(this);
        }
    }

    /**
     * Closes the socket. Unread messages in it may have descriptors that take long to close, so
     * another thread closes it then.
     */
    private void closeSocket() {
        if (input.isAtEnd()) {
            socket.close();
        } else {
            int ignored = SysSocket.shutdown(socket, SysSocket.SHUT_RDWR); // the peer sees it now
            connections.closer.close(account.uid(), socket);
        }
    }

    /** Returns its name, if it has one, and its process. For people. */
    @Override
    public String toString() {
        return (name.isEmpty() ? "a client without a name" : name) + " (" + peer + ")";
    }
}
