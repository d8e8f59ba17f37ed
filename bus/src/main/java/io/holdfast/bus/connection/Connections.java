package io.holdfast.bus.connection;

import io.holdfast.bus.account.BusCounters;
import io.holdfast.bus.account.EndReason;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.relay.Buffers;
import io.holdfast.bus.relay.PassedFds;
import io.holdfast.bus.relay.Relay;
import io.holdfast.core.EventLoop;
import io.holdfast.core.sys.process.SpawnThread;
import io.holdfast.core.sys.socket.MsgHdr;
import io.holdfast.core.wait.FdCloser;
import io.holdfast.dbus.marshal.MessageView;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * All connections of a bus, from accept to close, and what they share: the buffer into which each
 * is read, the pool of buffers for waiting messages, and the end of a turn of the loop. Only for
 * the bus's thread.
 *
 * <p>While a message is delivered to its receivers, no connection leaves. A connection that cannot
 * be served any longer is disconnected between two messages ({@link #markForRemoval}). Each queue
 * is sent at the end of the turn ({@link #flushAtEndOfTurn}), in one call if it fits.
 */
public final class Connections implements AutoCloseable {
    /** Routes each message. */
    public interface Routing {
        /**
         * @param view valid until this returns
         * @param fds the descriptors of the message; the caller drops them
         */
        void route(Connection from, MessageView view, @Nullable PassedFds fds);
    }

    /** Handles the departure of a connection. */
    public interface Departures {
        /** Takes a connection off the bus, with everything that it owned, requested and owed. */
        void gone(Connection connection, EndReason why, @Nullable String reason);
    }

    private static final int READ_AT_ONCE = 256 << 10;

    final EventLoop loop;
    final Charges charges;
    final RefusalLog log;
    final Routing routing;
    private final Departures departures;

    final Buffers buffers = new Buffers();
    final FdCloser<Long> closer;
    final ReadTurns turns = new ReadTurns();
    final BusCounters counters = new BusCounters();

    // One connection is read at a time.
    final Buffers.Buffer input;
    final MsgHdr header = new MsgHdr(MsgHdr.MAX_DESCRIPTORS, false);
    final MessageView view = new MessageView();

    private final Set<Connection> open = new HashSet<>();
    private final Set<Connection> unregistered = new LinkedHashSet<>(); // the oldest first
    private final Map<Long, Connection> registered = new LinkedHashMap<>(); // the oldest first
    private long nextNumber; // of a unique name

    private final List<Connection> toFlush = new ArrayList<>();
    private final ArrayDeque<Connection> toRemove = new ArrayDeque<>();
    private boolean removing;

    public Connections(
            EventLoop loop,
            Charges charges,
            RefusalLog log,
            Routing routing,
            Departures departures) {
        SpawnThread.prepare(); // before a stranger's file can be in the table of this process
        this.loop = loop;
        this.charges = charges;
        this.log = log;
        this.routing = routing;
        this.departures = departures;
        this.input = buffers.take(READ_AT_ONCE + Relay.HEADROOM);
        this.closer = new FdCloser<>("holdfast-bus-close", charges.quota().descriptors());
    }

    /**
     * Returns the connections that said Hello, without monitors, by the number in their unique
     * name: the oldest first.
     */
    public Map<Long, Connection> registered() {
        return registered;
    }

    public int unregisteredCount() {
        return unregistered.size();
    }

    /** Returns all connections whose socket is open. */
    public Set<Connection> open() {
        return open;
    }

    public EventLoop loop() {
        return loop;
    }

    public Charges charges() {
        return charges;
    }

    public RefusalLog log() {
        return log;
    }

    public Buffers buffers() {
        return buffers;
    }

    public BusCounters counters() {
        return counters;
    }

    // ---- from accept to close

    /** Adds a new client. */
    void accepted(Connection connection) {
        boolean _ = unregistered.add(connection);
        boolean _ = open.add(connection);
        if (unregistered.size() > charges.limits().getInt(BusLimit.MAX_INCOMPLETE_CONNECTIONS)) {
            makeRoom();
        }
    }

    /**
     * Disconnects a client because too many have not said Hello: the oldest of the user that has
     * most of them, so that no user keeps others out.
     */
    private void makeRoom() {
        Map<Long, Integer> byUser = new HashMap<>();
        unregistered.forEach(one -> byUser.merge(one.account().uid(), 1, Integer::sum));
        int most = Collections.max(byUser.values());
        for (Connection one : unregistered) {
            if (byUser.getOrDefault(one.account().uid(), 0) == most) {
                charges.over(one, BusLimit.MAX_INCOMPLETE_CONNECTIONS);
                one.disconnect(
                        EndReason.LIMIT,
                        "max_incomplete_connections is %d, and user %d has %d without Hello"
                                .formatted(
                                        charges.limits()
                                                .getInt(BusLimit.MAX_INCOMPLETE_CONNECTIONS),
                                        one.account().uid(),
                                        most));
                return;
            }
        }
    }

    /** Sets the number in the unique name of the first client. */
    public void firstNumber(long number) {
        nextNumber = number;
    }

    /** Registers a client that said Hello and was charged for it. */
    public void register(Connection connection) {
        boolean ignored = unregistered.remove(connection);
        connection.register(nextNumber++);
        registered.put(connection.id(), connection);
        counters.peakConnections = Math.max(counters.peakConnections, registered.size());
    }

    /** Removes a connection that leaves or becomes a monitor. */
    public void remove(Connection connection) {
        boolean ignored = unregistered.remove(connection);
        registered.remove(connection.id());
    }

    void gone(Connection connection, EndReason why, @Nullable String reason) {
        departures.gone(connection, why, reason);
    }

    /** Closes the account of a connection whose socket is closed. */
    void closed(Connection connection) {
        if (open.remove(connection)) {
            charges.quota().close(connection.account());
        }
    }

    // ---- the beginning and the end of a turn

    /**
     * Begins a turn with the connections whose users had no time left in the last one.
     *
     * @return whether there was one
     */
    public boolean beginTurn() {
        return turns.next();
    }

    void flushAtEndOfTurn(Connection connection) {
        toFlush.add(connection);
    }

    void markForRemoval(Connection connection) {
        toRemove.addLast(connection);
    }

    /**
     * Removes marked connections and sends queues until nothing is left to do: removing a
     * connection sends messages to others, and sending may mark another for removal.
     */
    public void endOfTurn() {
        do {
            removeMarked();
            sendGathered();
        } while (!toRemove.isEmpty());
    }

    /** Sends the queues that wait for the end of the turn. */
    private void sendGathered() {
        for (int i = 0; i < toFlush.size(); i++) {
            Connection next = toFlush.get(i);
            try {
                next.flushNow();
            } catch (RuntimeException e) {
                log.fault(e);
                next.markForRemoval(EndReason.FAULT, "internal error of the bus; see its log");
            }
        }
        toFlush.clear();
    }

    /** Disconnects the connections that are marked for removal, and those that this marks. */
    void removeMarked() {
        if (toRemove.isEmpty() || removing) {
            return;
        }
        removing = true;
        try {
            for (Connection next = toRemove.pollFirst();
                    next != null;
                    next = toRemove.pollFirst()) {
                try {
                    next.removeIfMarked();
                } catch (RuntimeException e) { // a fault must not end the bus
                    log.fault(e);
                }
            }
        } finally {
            removing = false;
        }
    }

    /** Disconnects all clients. */
    @Override
    public void close() {
        List.copyOf(open).forEach(connection -> connection.disconnect(EndReason.BUS_CLOSED, null));
        closer.close();
        buffers.release(input);
        buffers.close();
    }
}
