package io.holdfast.bus.connection;

import io.holdfast.bus.account.ConnectionCounters;
import io.holdfast.bus.account.End;
import io.holdfast.bus.account.Quota.Account;
import io.holdfast.bus.account.Quota.Share;
import io.holdfast.bus.account.Resource;
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
import io.holdfast.dbus.wire.SenderField;
import io.holdfast.dbus.wire.sasl.SaslServer;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One client of the bus: its socket, its process as it was held at accept, its names, and what it
 * is still to get. What comes from it is read by its {@link ConnectionInput}. Only for the bus's
 * thread.
 */
public final class Connection implements Party, HashedTable.Entry {
    /** From accept to the end. */
    public enum State {
        AUTHENTICATING,
        /** Authenticated, and has not said Hello. */
        UNREGISTERED,
        REGISTERED,
        /** Sees what others get, and says nothing. */
        MONITOR,
        /** Gone from the bus, but what it was still to get is on its way. */
        LINGERING,
        CLOSED
    }

    /** How long what is left for a client is kept once it, or the bus, has ended the talk. */
    private static final Duration LINGER = Duration.ofSeconds(10);

    /** Messages from this length on are sent from where they were read, if the queue is empty. */
    private static final int UNCOPIED = 32 << 10;

    /** Bytes in a queue that are sent before the turn is over. */
    private static final int GATHERED = 128 << 10;

    private final Connections connections;
    private final Fd socket;
    private final Peer peer;
    private final Account account;
    private final @Nullable Container container;
    private final EventLoop.Watch watch;
    private final ConnectionInput input;
    private final OutQueue out;
    private EventLoop.@Nullable Timer deadline; // of authentication and Hello, then of lingering
    private boolean descriptorsPass;
    private State state = State.AUTHENTICATING;
    private boolean flushDue;
    private boolean leaving; // what its end brings about is no news for itself
    private @Nullable String removalReason;
    private End removalEnd = End.FAULT;

    private long id = -1;
    private String name = "";
    private @Nullable SenderField senderField;

    // the well-known names that it owns or waits for
    private final List<BusName> owned = new ArrayList<>(0);

    /** What it may do; from Hello on. */
    @Nullable PeerPolicy policy;

    /** Its number in the index of match rules; -1 while it has none. */
    public int matchOwner = -1;

    /** Its calls, and those to it, that wait for a reply. */
    public final PendingReplies.Ends replies = new PendingReplies.Ends();

    /** What it has sent and got, and the rules that it has. */
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
        this.input = new ConnectionInput(connections, this, socket, sasl);
        this.out = new OutQueue(connections.buffers, this::left);
        this.watch = connections.loop.watch(socket, Readiness.IN, this::ready);
        this.deadline =
                connections.loop.after(
                        Duration.ofMillis(connections.charges.limits().get(BusLimit.AUTH_TIMEOUT)),
                        this::late);
    }

    private void late() {
        connections.charges.over(this, BusLimit.AUTH_TIMEOUT);
        disconnect(End.LIMIT, "it did not authenticate and say Hello in time");
    }

    public State state() {
        return state;
    }

    /** Whether it is off the bus. */
    boolean isOver() {
        return state == State.LINGERING || state == State.CLOSED;
    }

    public boolean isRegistered() {
        return state == State.REGISTERED;
    }

    /** The number in its unique name; -1 before Hello. */
    @Override
    public long id() {
        return id;
    }

    @Override
    public int hash() {
        return Long.hashCode(id);
    }

    /** The well-known names that it owns or waits for. */
    public List<BusName> owned() {
        return owned;
    }

    /** It owns a name now, or waits for it; charged before. */
    void claimed(BusName claimed) {
        owned.add(claimed);
    }

    /** It has nothing to do with a name any more. */
    void unclaimed(BusName left) {
        if (owned.remove(left)) {
            connections.charges.release(this, Resource.NAME);
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

    /** Its unique name; empty before Hello. */
    public String name() {
        return name;
    }

    /** Who it is, as the kernel said at accept. */
    public Peer peer() {
        return peer;
    }

    /** Whether it agreed to get and send descriptors. */
    public boolean descriptorsPass() {
        return descriptorsPass;
    }

    public OutQueue out() {
        return out;
    }

    PeerPolicy policy() {
        return java.util.Objects.requireNonNull(policy);
    }

    /** The container that it is in, if it came by the socket of one. */
    public @Nullable Container container() {
        return container;
    }

    /** On whose account it is. */
    public Account account() {
        return account;
    }

    public SenderField senderField() {
        return java.util.Objects.requireNonNull(senderField);
    }

    /** It is whom the kernel says, and messages come from now on. */
    void authenticated(boolean withDescriptors) {
        descriptorsPass = withDescriptors;
        state = State.UNREGISTERED;
    }

    /** It said Hello. */
    void register(long number) {
        id = number;
        name = UniqueName.of(number);
        senderField = new SenderField(name);
        state = State.REGISTERED;
        cancelDeadline();
    }

    /** From now on it only listens. Its names and rules are gone already. */
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
                close(); // it is not read any more, so this is its other end's going
            } else {
                input.read();
            }
        }
    }

    /**
     * Puts one message into its queue. It leaves at the end of this turn of the loop, or at once if
     * it is large or much has gathered.
     *
     * @param share what it was charged to, by {@link Charges#queue}
     */
    public void send(
            Share share, MemorySegment bytes, long offset, int length, @Nullable PassedFds fds) {
        if (leaving || removalReason != null) {
            left(share, 1, length, fds == null ? 0 : fds.size());
            return;
        }
        counters.messagesOut++;
        counters.bytesOut += length;
        if (length >= UNCOPIED && bytes.isNative() && fds == null && out.isEmpty()) {
            int sent = SysSocket.send(socket, bytes, offset, length);
            if (sent == length) {
                left(share, 1, length, 0);
                return;
            }
            int from = Math.max(sent, 0);
            left(share, 0, from, 0);
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

    private void left(Share share, int messages, long bytes, int fds) {
        connections
                .charges
                .quota()
                .release(account, share, Resource.OUTGOING, messages, bytes, fds);
    }

    /** Whether the socket was full the last time. */
    boolean isBlocked() {
        return (watch.events() & Readiness.OUT) != 0;
    }

    /** Its turn at the end of the loop's. */
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
                markForRemoval(End.SYSTEM_ERROR, "send: " + Errno.name(-result));
            } // else nobody reads any more; what it sent before is still read, to its end
        }
    }

    /** Puts it off the bus at once, with what it was still to get. Idempotent. */
    public void disconnect(End why, @Nullable String reason) {
        if (!leaving) {
            leaving = true;
            connections.gone(this, why, reason);
        }
        close();
    }

    /**
     * Puts it off the bus once the message that is being handled is done with: while receivers are
     * gone through, none of them may go.
     */
    public void markForRemoval(End why, String reason) {
        if (removalReason == null && state != State.CLOSED) {
            removalEnd = why;
            removalReason = reason;
            connections.markForRemoval(this);
        }
    }

    /** The end that was announced. */
    void removeIfMarked() {
        disconnect(removalEnd, removalReason);
    }

    /** Takes it off the bus; what waits for it is still sent, for a while. */
    void linger(End why, @Nullable String reason) {
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

    /** What lies unread in it may have descriptors that take long to close. */
    private void closeSocket() {
        if (input.isAtEnd()) {
            socket.close();
        } else {
            int ignored = SysSocket.shutdown(socket, SysSocket.SHUT_RDWR); // it learns it at once
            connections.closer.close(account.uid(), socket);
        }
    }

    /** For people: its name, or that it has none yet, and its process. */
    @Override
    public String toString() {
        return (name.isEmpty() ? "a client without a name" : name) + " (" + peer + ")";
    }
}
