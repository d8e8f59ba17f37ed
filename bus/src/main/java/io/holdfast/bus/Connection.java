package io.holdfast.bus;

import io.holdfast.bus.Quota.Account;
import io.holdfast.bus.Quota.Share;
import io.holdfast.bus.config.Limit;
import io.holdfast.bus.policy.Party;
import io.holdfast.bus.policy.PeerPolicy;
import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.EventLoop;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.Readiness;
import io.holdfast.core.linux.SysSocket;
import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.wire.MessageView;
import io.holdfast.dbus.wire.ProtocolException;
import io.holdfast.dbus.wire.SaslServer;
import io.holdfast.dbus.wire.SenderField;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One client of the bus: its socket, its process as it was held at accept, what came from it and is
 * not a whole message yet, and what it is still to get. Only for the bus's thread.
 */
final class Connection implements Party {
    /** From accept to the end. */
    enum State {
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

    private static final int FIRST_PART = 256 << 10; // room for a message of which less has come

    private final Broker broker;
    private final Fd socket;
    private final Peer peer;
    private final Account account;
    private final EventLoop.Watch watch;
    private final OutQueue out;
    private EventLoop.@Nullable Timer deadline; // of authentication and Hello, then of lingering
    private EventLoop.@Nullable Timer pendingFds;
    private @Nullable SaslServer sasl;
    private boolean descriptorsPass;
    private State state = State.AUTHENTICATING;
    private boolean flushDue;
    private @Nullable String doomedFor;

    // the beginning of a message, behind the headroom of a buffer
    private Buffers.@Nullable Buffer partial;
    private int partialLength;
    private int chargedInput; // for the buffer
    private int chargedFds; // for those that wait for their message
    private boolean reading; // what was read is being handled, and stays where it is
    private long position; // of the first byte that is not handled yet, in all that came
    private final ReceivedFds receivedFds;

    private long id = -1;
    private String name = "";
    private @Nullable SenderField senderField;

    // the well-known names that it owns or waits for
    private final List<BusName> owned = new ArrayList<>(0);

    /** What it may do; from Hello on. */
    @Nullable PeerPolicy policy;

    /** Its number in the index of match rules; -1 while it has none. */
    int matchOwner = -1;

    /** It owns a name now, or waits for it; charged before. */
    void claimed(BusName claimed) {
        owned.add(claimed);
    }

    /** It has nothing to do with a name any more. */
    void unclaimed(BusName left) {
        if (owned.remove(left)) {
            broker.accounts.release(this, Resource.NAME);
        }
    }

    /** Its calls, and those to it, that wait for a reply. */
    final PendingReplies.Ends replies = new PendingReplies.Ends();

    /** What it has sent and got, and the rules that it has. */
    final ConnectionCounters counters = new ConnectionCounters();

    Connection(Broker broker, Fd socket, Peer peer, Account account, SaslServer sasl) {
        this.broker = broker;
        this.socket = socket;
        this.peer = peer;
        this.account = account;
        this.sasl = sasl;
        this.receivedFds = new ReceivedFds(broker.closer);
        this.out = new OutQueue(broker.buffers, this::left);
        this.watch = broker.loop.watch(socket, Readiness.IN, this::ready);
        this.deadline =
                broker.loop.after(
                        Duration.ofMillis(broker.limits().get(Limit.AUTH_TIMEOUT)),
                        () -> disconnect("it did not authenticate and say Hello in time"));
    }

    State state() {
        return state;
    }

    boolean isRegistered() {
        return state == State.REGISTERED;
    }

    /** The number in its unique name; -1 before Hello. */
    @Override
    public long id() {
        return id;
    }

    /** The well-known names that it owns or waits for. */
    List<BusName> owned() {
        return owned;
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
    String name() {
        return name;
    }

    /** Who it is, as the kernel said at accept. */
    Peer peer() {
        return peer;
    }

    /** Whether it agreed to get and send descriptors. */
    boolean descriptorsPass() {
        return descriptorsPass;
    }

    OutQueue out() {
        return out;
    }

    PeerPolicy policy() {
        return java.util.Objects.requireNonNull(policy);
    }

    /** On whose account it is. */
    Account account() {
        return account;
    }

    SenderField senderField() {
        return java.util.Objects.requireNonNull(senderField);
    }

    /** It said Hello. */
    void register(long number) {
        id = number;
        name = ":1." + number;
        senderField = new SenderField(name);
        state = State.REGISTERED;
        cancelDeadline();
    }

    /** From now on it only listens. Its names and rules are gone already. */
    void becomeMonitor() {
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
                read();
            }
        }
    }

    private void read() {
        reading = true;
        try {
            receive();
        } finally {
            reading = false;
            if (state == State.CLOSED || state == State.LINGERING) {
                releaseInput();
            }
        }
    }

    private void receive() {
        Buffers.Buffer into = partial == null ? broker.input : partial;
        int have = Relay.HEADROOM + partialLength;
        int n = SysSocket.recvmsg(socket, broker.header, into.memory, have, into.size() - have, 0);
        if (n <= 0) {
            ended(n);
            return;
        }
        List<Fd> fds = broker.header.takeDescriptors();
        if (!fds.isEmpty()) {
            take(fds, position + partialLength + n);
        }
        if (broker.header.isControlCut()) {
            disconnect("descriptors were lost: more than this process may have open");
        }
        if (state != State.CLOSED) {
            int length = partialLength + n;
            counters.bytesIn += n;
            partialLength = 0;
            int used = handle(into.memory, Relay.HEADROOM, length);
            if (state != State.CLOSED && state != State.LINGERING) {
                keep(into, Relay.HEADROOM + used, length - used);
                limitPendingFds();
            }
        }
    }

    /** Descriptors wait for the rest of their message only so long, but for root's. */
    private void limitPendingFds() {
        if (receivedFds.isEmpty()) {
            if (pendingFds != null) {
                pendingFds.cancel();
                pendingFds = null;
            }
        } else if (pendingFds == null && peer.uid() != 0) {
            long limit = broker.limits().get(Limit.PENDING_FD_TIMEOUT);
            pendingFds =
                    broker.loop.after(
                            Duration.ofMillis(limit),
                            () ->
                                    disconnect(
                                            "the message of its descriptors did not come in full:"
                                                    + " pending_fd_timeout is "
                                                    + limit
                                                    + " ms"));
        }
    }

    private void ended(int n) {
        if (n == -Errno.EAGAIN) {
            return;
        }
        if (n == 0) {
            linger(null);
        } else if (n == -Errno.EMFILE || n == -Errno.ENFILE) {
            disconnect("its descriptors could not be taken: " + Errno.name(-n));
        } else {
            disconnect(n == -Errno.ECONNRESET ? null : "recvmsg: " + Errno.name(-n));
        }
    }

    private void take(List<Fd> fds, long end) {
        receivedFds.add(end, fds);
        boolean charged = chargeReceivedFds();
        if (!charged) {
            disconnect("its descriptors have no room: " + broker.accounts.refusal());
        } else if (!descriptorsPass && sasl == null) {
            disconnect("it sent descriptors and had not agreed to");
        } else if (receivedFds.size() > broker.limits().getInt(Limit.MAX_INCOMING_UNIX_FDS)) {
            disconnect(
                    receivedFds.size()
                            + " descriptors wait for their messages, max_incoming_unix_fds is "
                            + broker.limits().getInt(Limit.MAX_INCOMING_UNIX_FDS));
        }
    }

    /** Handles what is whole, and tells how many bytes that was. */
    private int handle(MemorySegment bytes, int offset, int length) {
        int used = 0;
        if (sasl != null) {
            used = authenticate(sasl, bytes, offset, length);
            position += used;
        }
        MessageView view = broker.view;
        try {
            while (length - used >= MessageView.FIXED_LENGTH && isReading()) {
                int whole = MessageView.lengthOf(bytes, offset + used);
                if (whole > broker.limits().get(Limit.MAX_MESSAGE_SIZE)) {
                    disconnect(
                            "a message of %d bytes, max_message_size is %d"
                                    .formatted(whole, broker.limits().get(Limit.MAX_MESSAGE_SIZE)));
                    break;
                }
                if (length - used < whole) {
                    break;
                }
                view.read(bytes, offset + used, whole);
                used += whole;
                message(view, whole);
            }
        } catch (ProtocolException e) {
            disconnect("a malformed message: " + e.getMessage());
        } catch (RuntimeException e) { // a fault of ours costs the one whose message shows it
            disconnect("a fault of the bus: " + e);
            throw e;
        }
        return used;
    }

    private boolean isReading() {
        return sasl == null
                && (state == State.UNREGISTERED
                        || state == State.REGISTERED
                        || state == State.MONITOR);
    }

    private void message(MessageView view, int whole) {
        long begin = position;
        position += whole;
        counters.messagesIn++;
        PassedFds fds = null;
        int declared = view.unixFds();
        if (declared > broker.limits().getInt(Limit.MAX_MESSAGE_UNIX_FDS)) {
            disconnect(
                    "a message with %d descriptors, max_message_unix_fds is %d"
                            .formatted(
                                    declared, broker.limits().getInt(Limit.MAX_MESSAGE_UNIX_FDS)));
            return;
        }
        if (declared > 0) {
            List<Fd> taken = receivedFds.take(begin, position, declared);
            if (taken == null) {
                disconnect("a message that declares " + declared + " descriptors came with fewer");
                return;
            }
            fds = new PassedFds(taken, broker.closer::close);
        }
        if (!receivedFds.isEmpty()) {
            receivedFds.passed(position);
        }
        if (chargedFds != receivedFds.size()) {
            boolean ignored = chargeReceivedFds(); // fewer than before
        }
        try {
            broker.router.route(this, view, fds);
        } finally {
            if (fds != null) {
                fds.drop();
            }
            broker.endDoomed();
        }
    }

    private int authenticate(SaslServer server, MemorySegment bytes, int offset, int length) {
        int used = server.read(bytes, offset, length);
        if (server.hasAnswers()) {
            byte[] answers = server.takeAnswers();
            Share share = broker.accounts.queue(this, account, answers.length, null);
            if (share == null) {
                disconnect("it does not read the answers: " + broker.accounts.refusal());
                return used;
            }
            send(share, MemorySegment.ofArray(answers), 0, answers.length, null);
        }
        switch (server.state()) {
            case BEGUN -> {
                sasl = null;
                descriptorsPass = server.descriptorsAgreed();
                state = State.UNREGISTERED;
                if (!receivedFds.isEmpty() && !descriptorsPass) {
                    disconnect("it sent descriptors and had not agreed to");
                }
            }
            case REFUSED -> linger("authentication: " + server.refusal());
            case AUTHENTICATING -> {}
        }
        return used;
    }

    /** Keeps the beginning of a message until the rest of it comes. */
    private void keep(Buffers.Buffer from, int offset, int length) {
        Buffers.Buffer mine = partial;
        if (length == 0) {
            releaseInput();
            return;
        }
        int wanted = wanted(from.memory, offset, length);
        if (mine != null && mine.size() >= wanted) {
            if (offset != Relay.HEADROOM) {
                MemorySegment.copy(from.memory, offset, mine.memory, Relay.HEADROOM, length);
            }
        } else {
            if (!chargeInput(wanted)) {
                return;
            }
            Buffers.Buffer larger = broker.buffers.take(wanted);
            MemorySegment.copy(from.memory, offset, larger.memory, Relay.HEADROOM, length);
            if (mine != null) {
                broker.buffers.give(mine);
            }
            partial = larger;
        }
        partialLength = length;
    }

    /**
     * How large the buffer must be of a message of which this is the beginning. It grows with what
     * really comes: a header alone can claim any length.
     */
    private static int wanted(MemorySegment bytes, int offset, int length) {
        if (length < MessageView.FIXED_LENGTH) {
            return Relay.HEADROOM + MessageView.FIXED_LENGTH;
        }
        int whole = MessageView.lengthOf(bytes, offset); // it was looked at before: no fault
        return Relay.HEADROOM + (int) Math.min(whole, Math.max(FIRST_PART, 4L * length));
    }

    /**
     * Charges it for the descriptors that wait for their message now; false if that is too many.
     */
    private boolean chargeReceivedFds() {
        Quota quota = broker.accounts.quota();
        if (chargedFds > 0) {
            quota.release(account, account.own(), Resource.INCOMING, 1, 0, chargedFds);
            chargedFds = 0;
        }
        int now = receivedFds.size();
        if (now == 0) {
            return true;
        }
        if (quota.charge(account, account, Resource.INCOMING, 0, now) == null) {
            return false;
        }
        chargedFds = now;
        return true;
    }

    private boolean chargeInput(int size) {
        unchargeInput();
        if (!broker.accounts.charge(this, Resource.INCOMING, size)) {
            disconnect("its message has no room: " + broker.accounts.refusal());
            return false;
        }
        chargedInput = size;
        return true;
    }

    private void unchargeInput() {
        if (chargedInput > 0) {
            broker.accounts.release(this, Resource.INCOMING, 1, chargedInput);
            chargedInput = 0;
        }
    }

    private void releaseInput() {
        unchargeInput();
        if (partial != null) {
            broker.buffers.give(partial);
            partial = null;
        }
        partialLength = 0;
    }

    /**
     * Puts one message into its queue. It leaves at the end of this turn of the loop, or at once if
     * it is large or much has gathered.
     *
     * @param share what it was charged to, by {@link Accounts#queue}
     */
    void send(Share share, MemorySegment bytes, long offset, int length, @Nullable PassedFds fds) {
        if (state == State.CLOSED || state == State.LINGERING || doomedFor != null) {
            left(share, 1, length, fds == null ? 0 : fds.size());
            return;
        }
        counters.messagesOut++;
        counters.bytesOut += length;
        if (length >= Broker.UNCOPIED && bytes.isNative() && fds == null && out.isEmpty()) {
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
            broker.flushAtEndOfTurn(this);
        } else if (out.bytes() >= Broker.GATHERED && !isBlocked()) {
            flush();
        }
    }

    private void left(Share share, int messages, long bytes, int fds) {
        broker.accounts.quota().release(account, share, Resource.OUTGOING, messages, bytes, fds);
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
                doom("send: " + Errno.name(-result));
            } // else nobody reads any more; what it sent before is still read, to its end
        }
    }

    /** Puts it off the bus at once, with what it was still to get. Idempotent. */
    void disconnect(@Nullable String reason) {
        if (state != State.CLOSED) {
            State before = state;
            if (before != State.LINGERING) {
                broker.gone(this, reason);
            }
            close();
        }
    }

    /**
     * Puts it off the bus once the message that is being handled is done with: while receivers are
     * gone through, none of them may go.
     */
    void doom(String reason) {
        if (doomedFor == null && state != State.CLOSED) {
            doomedFor = reason;
            broker.doom(this);
        }
    }

    /** The end that was announced. */
    void meetDoom() {
        disconnect(doomedFor);
    }

    /** Takes it off the bus; what waits for it is still sent, for a while. */
    void linger(@Nullable String reason) {
        if (state == State.CLOSED || state == State.LINGERING) {
            return;
        }
        broker.gone(this, reason);
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
        deadline = broker.loop.after(LINGER, this::close);
        watch.events(Readiness.OUT);
    }

    private void close() {
        if (state == State.CLOSED) {
            return;
        }
        state = State.CLOSED;
        cancelDeadline();
        if (pendingFds != null) {
            pendingFds.cancel();
        }
        out.clear();
        unchargeInput();
        if (!reading) {
            releaseInput();
        }
        receivedFds.close();
        boolean released = chargeReceivedFds();
        assert released;
        watch.close();
        socket.close();
        peer.close();
        broker.closed(this);
    }

    /** For people: its name, or that it has none yet, and its process. */
    @Override
    public String toString() {
        return (name.isEmpty() ? "a client without a name" : name) + " (" + peer + ")";
    }
}
