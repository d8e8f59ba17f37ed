package io.holdfast.bus.connection;

import io.holdfast.bus.account.Charge;
import io.holdfast.bus.account.ChargedResource;
import io.holdfast.bus.account.EndReason;
import io.holdfast.bus.account.Quota.Account;
import io.holdfast.bus.account.Quota.Share;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.connection.Connection.State;
import io.holdfast.bus.relay.Buffers;
import io.holdfast.bus.relay.PassedFds;
import io.holdfast.bus.relay.ReceivedFds;
import io.holdfast.bus.relay.Relay;
import io.holdfast.core.Errno;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.core.wait.FdCloser;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.marshal.ProtocolException;
import io.holdfast.dbus.wire.sasl.SaslServer;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads what one connection sends: its authentication, then messages with their descriptors. All
 * connections read into one buffer of the bus; only the beginning of an incomplete message is kept,
 * in a separate buffer that is charged to the connection.
 */
public final class ConnectionInput implements AutoCloseable {
    private static final int FIRST_PART = 256 << 10; // first room for an incomplete message

    private final Connections connections;
    private final Connection connection;
    private final Account account;
    private final ReadTurns.User turns;
    private final Fd socket;
    private @Nullable SaslServer sasl; // until authentication is done

    // the beginning of a message, behind the headroom of a buffer
    private Buffers.@Nullable Buffer partial;
    private int partialLength;
    private @Nullable Charge partialCharge;
    private boolean hasMessages; // the last turn ended before that part was handled
    private boolean ended; // nothing more can come, and nothing is unread
    private long begun; // the time at which the turn's current message began
    private boolean reading; // what was read is being handled and must not move

    private long position; // of the first unhandled byte in the stream
    private final ReceivedFds receivedFds;
    private @Nullable Charge fdsCharge;
    private int chargedFds;
    private EventLoop.@Nullable Timer pendingFds;

    ConnectionInput(
            Connections connections,
            Connection connection,
            ReadTurns.User turns,
            Fd socket,
            SaslServer sasl) {
        this.connections = connections;
        this.connection = connection;
        this.account = connection.account();
        this.turns = turns;
        this.socket = socket;
        this.sasl = sasl;
        this.receivedFds = new ReceivedFds(connections.closer, account.uid());
    }

    /**
     * Reads what has arrived, as much as fits at once, and handles the complete messages, as far as
     * the time of the user lasts in this turn. The others are handled in one of the next turns.
     */
    void read() {
        reading = true;
        begun = System.nanoTime();
        try {
            if (hasMessages && partial != null) {
                handleAndKeep(partial, partialLength);
            } else {
                receive();
            }
        } catch (RuntimeException e) { // a fault of the bus costs only the client that triggers it
            connection.disconnect(EndReason.FAULT, "internal error of the bus; see its log");
            throw e;
        } finally {
            reading = false;
            connections.turns.spend(turns, System.nanoTime() - begun);
            if (connection.isOver()) {
                releaseInput();
            }
        }
    }

    private void receive() {
        Buffers.Buffer into = partial == null ? connections.input : partial;
        int have = Relay.HEADROOM + partialLength;
        int n =
                SysSocket.recvmsg(
                        socket, connections.header, into.memory, have, into.size() - have, 0);
        if (n <= 0) {
            ended(n);
            return;
        }
        List<Fd> fds = connections.header.takeDescriptors();
        if (!fds.isEmpty()) {
            take(fds, position + partialLength + n);
        }
        if (connections.header.isControlCut()) {
            connection.disconnect(
                    EndReason.SYSTEM_ERROR,
                    "descriptors lost in recvmsg (MSG_CTRUNC); the bus's RLIMIT_NOFILE may be too low");
        }
        if (connection.state() != State.CLOSED) {
            connection.counters.bytesIn += n;
            handleAndKeep(into, partialLength + n);
        }
    }

    private void handleAndKeep(Buffers.Buffer from, int length) {
        partialLength = 0;
        hasMessages = false;
        int used = handle(from.memory, Relay.HEADROOM, length);
        if (!connection.isOver()) {
            keep(from, Relay.HEADROOM + used, length - used);
            limitPendingFds();
        }
    }

    /** Returns whether the user has time for one more message; lets the connection wait if not. */
    private boolean hasTime() {
        long now = System.nanoTime();
        connections.turns.spend(turns, now - begun);
        begun = now;
        hasMessages = !connections.turns.hasTime(turns);
        if (hasMessages) {
            connection.awaitTurn();
        }
        return !hasMessages;
    }

    /** Limits how long descriptors wait for the rest of their message, except for root. */
    private void limitPendingFds() {
        if (receivedFds.isEmpty()) {
            if (pendingFds != null) {
                pendingFds.cancel();
                pendingFds = null;
            }
        } else if (pendingFds == null && connection.peer().uid() != 0) {
            long limit = connections.charges.limits().get(BusLimit.PENDING_FD_TIMEOUT);
            pendingFds =
                    connections.loop.after(
                            Duration.ofMillis(limit),
                            () ->
                                    exceeded(
                                            BusLimit.PENDING_FD_TIMEOUT,
                                            "the message of its descriptors did not arrive in full:"
                                                    + " pending_fd_timeout is "
                                                    + limit
                                                    + " ms"));
        }
    }

    /** Returns whether nothing that the peer sent is unread, and nothing can follow. */
    boolean isAtEnd() {
        return ended;
    }

    private void ended(int n) {
        if (n == -Errno.EAGAIN) {
            return;
        }
        ended = n == 0 || n == -Errno.ECONNRESET;
        if (n == 0) {
            connection.linger(EndReason.LEFT, null);
        } else if (n == -Errno.ECONNRESET) {
            connection.disconnect(EndReason.LEFT, null);
        } else if (n == -Errno.EMFILE || n == -Errno.ENFILE) {
            connection.disconnect(
                    EndReason.SYSTEM_ERROR,
                    "its descriptors could not be taken: " + Errno.name(-n));
        } else {
            connection.disconnect(EndReason.SYSTEM_ERROR, "recvmsg: " + Errno.name(-n));
        }
    }

    private void take(List<Fd> fds, long end) {
        receivedFds.add(end, fds);
        boolean charged = chargeReceivedFds();
        if (connections.closer.isFull(account.uid())) {
            connection.disconnect(
                    EndReason.LIMIT,
                    FdCloser.MAX_WAITING + " descriptors of its user are still being closed");
        } else if (!charged) {
            connection.disconnect(
                    EndReason.LIMIT,
                    "no room for its descriptors: " + connections.charges.refusal());
        } else if (!connection.descriptorsPass() && sasl == null) {
            connection.disconnect(
                    EndReason.MISBEHAVED, "sent descriptors without agreeing to pass them");
        } else if (receivedFds.size() > account.limits().getInt(BusLimit.MAX_INCOMING_UNIX_FDS)) {
            exceeded(
                    BusLimit.MAX_INCOMING_UNIX_FDS,
                    receivedFds.size()
                            + " descriptors wait for their messages, max_incoming_unix_fds is "
                            + account.limits().getInt(BusLimit.MAX_INCOMING_UNIX_FDS));
        }
    }

    /** Handles the complete messages; returns how many bytes they have. */
    private int handle(MemorySegment bytes, int offset, int length) {
        int used = 0;
        if (sasl != null) {
            used = authenticate(sasl, bytes, offset, length);
            position += used;
        }
        int begin = used;
        MessageView view = connections.view;
        try {
            while (length - used >= MessageView.FIXED_LENGTH && isReading()) {
                int whole = MessageView.lengthOf(bytes, offset + used);
                long most = connections.charges.limits().get(BusLimit.MAX_MESSAGE_SIZE);
                if (whole > most) {
                    exceeded(
                            BusLimit.MAX_MESSAGE_SIZE,
                            "a message of %d bytes, max_message_size is %d".formatted(whole, most));
                    break;
                }
                if (length - used < whole || (used > begin && !hasTime())) {
                    break;
                }
                view.read(bytes, offset + used, whole);
                used += whole;
                message(view, whole);
            }
        } catch (ProtocolException e) {
            connection.linger(EndReason.MALFORMED, "malformed message: " + e.getMessage());
        }
        return used;
    }

    private void exceeded(BusLimit limit, String why) {
        connections.charges.over(connection, limit);
        connection.disconnect(EndReason.LIMIT, why);
    }

    private boolean isReading() {
        return sasl == null && !connection.isOver();
    }

    private void message(MessageView view, int whole) {
        long begin = position;
        position += whole;
        connection.counters.messagesIn++;
        connections.counters.messagesIn++;
        PassedFds fds = null;
        int declared = view.unixFds();
        int most = connections.charges.limits().getInt(BusLimit.MAX_MESSAGE_UNIX_FDS);
        if (declared > most) {
            exceeded(
                    BusLimit.MAX_MESSAGE_UNIX_FDS,
                    "a message with %d descriptors, max_message_unix_fds is %d"
                            .formatted(declared, most));
            return;
        }
        if (declared > 0) {
            List<Fd> taken = receivedFds.take(begin, position, declared);
            if (taken == null) {
                connection.disconnect(
                        EndReason.MISBEHAVED,
                        "a message declares " + declared + " descriptors and carries fewer");
                return;
            }
            fds = new PassedFds(taken, fd -> connections.closer.close(account.uid(), fd));
        }
        if (!receivedFds.isEmpty()) {
            receivedFds.passed(position);
        }
        if (chargedFds != receivedFds.size()) {
            boolean ignored = chargeReceivedFds(); // fewer than before
        }
        try {
            connections.routing.route(connection, view, fds);
        } finally {
            if (fds != null) {
                fds.drop();
            }
            connections.removeMarked();
        }
    }

    private int authenticate(SaslServer server, MemorySegment bytes, int offset, int length) {
        int used = server.read(bytes, offset, length);
        if (server.hasAnswers()) {
            byte[] answers = server.takeAnswers();
            Share share = connections.charges.queue(connection, account, answers.length, null);
            if (share == null) {
                connection.disconnect(
                        EndReason.LIMIT,
                        "does not read the authentication replies: "
                                + connections.charges.refusal());
                return used;
            }
            connection.send(share, MemorySegment.ofArray(answers), 0, answers.length, null);
        }
        switch (server.state()) {
            case BEGUN -> {
                sasl = null;
                connection.authenticated(server.descriptorsAgreed());
                if (!receivedFds.isEmpty() && !connection.descriptorsPass()) {
                    connection.disconnect(
                            EndReason.MISBEHAVED, "sent descriptors without agreeing to pass them");
                }
            }
            case REFUSED ->
                    connection.linger(
                            EndReason.AUTHENTICATION, "authentication: " + server.refusal());
            case AUTHENTICATING -> {}
        }
        return used;
    }

    /** Keeps the beginning of a message until the rest of it arrives. */
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
            Buffers.Buffer larger = connections.buffers.take(wanted);
            MemorySegment.copy(from.memory, offset, larger.memory, Relay.HEADROOM, length);
            if (mine != null) {
                connections.buffers.release(mine);
            }
            partial = larger;
        }
        partialLength = length;
    }

    /**
     * Returns the size of the buffer for a message that begins with these bytes. It grows with what
     * really arrives: a header alone can claim any length.
     */
    private static int wanted(MemorySegment bytes, int offset, int length) {
        if (length < MessageView.FIXED_LENGTH) {
            return Relay.HEADROOM + MessageView.FIXED_LENGTH;
        }
        int whole = MessageView.lengthOf(bytes, offset); // checked before: it does not throw
        int grown = (int) Math.min(whole, Math.max(FIRST_PART, 4L * length));
        return Relay.HEADROOM + Math.max(length, grown);
    }

    /**
     * Charges the connection for the descriptors that wait for their message now; returns false if
     * the charge is refused.
     */
    private boolean chargeReceivedFds() {
        if (fdsCharge != null) {
            fdsCharge.close();
        }
        chargedFds = receivedFds.size();
        fdsCharge =
                chargedFds == 0
                        ? null
                        : connections
                                .charges
                                .quota()
                                .hold(account, ChargedResource.INCOMING, 1, 0, chargedFds);
        return chargedFds == 0 || fdsCharge != null;
    }

    private boolean chargeInput(int size) {
        unchargeInput();
        partialCharge =
                connections.charges.quota().hold(account, ChargedResource.INCOMING, 1, size, 0);
        if (partialCharge == null) {
            connection.disconnect(
                    EndReason.LIMIT, "no room for its message: " + connections.charges.refusal());
        }
        return partialCharge != null;
    }

    private void unchargeInput() {
        if (partialCharge != null) {
            partialCharge.close();
            partialCharge = null;
        }
    }

    private void releaseInput() {
        unchargeInput();
        if (partial != null) {
            connections.buffers.release(partial);
            partial = null;
        }
        partialLength = 0;
    }

    /** Releases everything; the buffer that is being handled now is released after that. */
    @Override
    public void close() {
        if (pendingFds != null) {
            pendingFds.cancel();
        }
        unchargeInput();
        if (!reading) {
            releaseInput();
        }
        receivedFds.close();
        boolean released = chargeReceivedFds();
        assert released;
    }
}
