package io.holdfast.bus.connection;

import io.holdfast.bus.account.BusCounters;
import io.holdfast.bus.account.End;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.policy.UniqueName;
import io.holdfast.bus.relay.Buffers;
import io.holdfast.bus.relay.PassedFds;
import io.holdfast.bus.relay.Relay;
import io.holdfast.core.EventLoop;
import io.holdfast.core.FdCloser;
import io.holdfast.core.sys.socket.MsgHdr;
import io.holdfast.dbus.wire.MessageView;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * All connections of a bus, from accept to close, and what they share: one buffer into which each
 * is read, the pool of buffers that messages wait in, and the end of a turn of the loop. Only for
 * the bus's thread.
 *
 * <p>While a message is handed to its receivers nobody is sent to and nobody leaves. Whoever got
 * something is sent all of it at the end of the turn ({@link #flushAtEndOfTurn}), in one call if it
 * fits; whoever cannot be served any longer is disconnected between two messages ({@link
 * #markForRemoval}).
 */
public final class Connections implements AutoCloseable {
    /** What becomes of a message. */
    public interface Routing {
        /**
         * @param view valid until this returns
         * @param fds of the message; the caller drops them
         */
        void route(Connection from, MessageView view, @Nullable PassedFds fds);
    }

    /** Who has to know that a connection leaves. */
    public interface Departures {
        /** Takes a connection off the bus: whatever it owned, asked for and owed. */
        void gone(Connection connection, End why, @Nullable String reason);
    }

    private static final int READ_AT_ONCE = 256 << 10;

    final EventLoop loop;
    final Charges charges;
    final RefusalLog log;
    final Routing routing;
    private final Departures departures;

    final Buffers buffers = new Buffers();
    final FdCloser<Long> closer;
    final BusCounters counters = new BusCounters();

    // One connection is read at a time.
    final Buffers.Buffer input;
    final MsgHdr header = new MsgHdr(MsgHdr.MAX_DESCRIPTORS, false);
    final MessageView view = new MessageView();

    private final Set<Connection> open = new HashSet<>();
    private final Set<Connection> unregistered = new LinkedHashSet<>(); // the oldest first
    private final ConnectionTable registered = new ConnectionTable();

    private final List<Connection> toFlush = new ArrayList<>();
    private final ArrayDeque<Connection> toRemove = new ArrayDeque<>();
    private boolean removing;

    public Connections(
            EventLoop loop,
            Charges charges,
            RefusalLog log,
            Routing routing,
            Departures departures) {
        this.loop = loop;
        this.charges = charges;
        this.log = log;
        this.routing = routing;
        this.departures = departures;
        this.input = buffers.take(READ_AT_ONCE + Relay.HEADROOM);
        this.closer = new FdCloser<>("holdfast-bus-close", charges.quota().descriptors());
    }

    /** Those that said Hello, monitors not counted. */
    public ConnectionTable registered() {
        return registered;
    }

    public int unregisteredCount() {
        return unregistered.size();
    }

    /** All whose socket is open. */
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

    /** A client came. */
    void accepted(Connection connection) {
        boolean _ = unregistered.add(connection);
        boolean _ = open.add(connection);
        if (unregistered.size() > charges.limits().getInt(BusLimit.MAX_INCOMPLETE_CONNECTIONS)) {
            makeRoom();
        }
    }

    /**
     * Too many have not said Hello: of the user that has most of them the oldest goes, so that
     * nobody keeps others out.
     */
    private void makeRoom() {
        Map<Long, Integer> byUser = new HashMap<>();
        unregistered.forEach(one -> byUser.merge(one.peer().uid(), 1, Integer::sum));
        int most = Collections.max(byUser.values());
        for (Connection one : unregistered) {
            if (byUser.getOrDefault(one.peer().uid(), 0) == most) {
                charges.over(one, BusLimit.MAX_INCOMPLETE_CONNECTIONS);
                one.disconnect(
                        End.LIMIT,
                        "max_incomplete_connections is %d, and user %d has %d that did not say Hello"
                                .formatted(
                                        charges.limits()
                                                .getInt(BusLimit.MAX_INCOMPLETE_CONNECTIONS),
                                        one.peer().uid(),
                                        most));
                return;
            }
        }
    }

    /** A client said Hello, and was charged for it. */
    public void register(Connection connection) {
        boolean ignored = unregistered.remove(connection);
        connection.register(UniqueName.next());
        registered.add(connection);
        counters.peakConnections = Math.max(counters.peakConnections, registered.size());
    }

    /** It is disconnected, or becomes a monitor. */
    public void remove(Connection connection) {
        boolean ignored = unregistered.remove(connection);
        registered.remove(connection);
    }

    void gone(Connection connection, End why, @Nullable String reason) {
        departures.gone(connection, why, reason);
    }

    /** Its socket is closed. */
    void closed(Connection connection) {
        if (open.remove(connection)) {
            charges.quota().close(connection.account());
        }
    }

    // ---- the end of a turn

    void flushAtEndOfTurn(Connection connection) {
        toFlush.add(connection);
    }

    void markForRemoval(Connection connection) {
        toRemove.addLast(connection);
    }

    /** Until nothing is left: to end one connection is news to others, and to send may end one. */
    public void endOfTurn() {
        do {
            removeMarked();
            sendGathered();
        } while (!toRemove.isEmpty());
    }

    /** Sends what waits for the end of the turn. */
    void sendGathered() {
        for (int i = 0; i < toFlush.size(); i++) {
            Connection next = toFlush.get(i);
            try {
                next.flushNow();
            } catch (RuntimeException e) {
                log.fault(e);
                next.markForRemoval(End.FAULT, "a fault of the bus: " + e);
            }
        }
        toFlush.clear();
    }

    /** Ends those that cannot be served any longer, and those that this brings down. */
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
                } catch (RuntimeException e) { // a fault of ours: it must not end the bus
                    log.fault(e);
                }
            }
        } finally {
            removing = false;
        }
    }

    /** Disconnects all. */
    @Override
    public void close() {
        List.copyOf(open).forEach(connection -> connection.disconnect(End.BUS_CLOSED, null));
        closer.close();
        buffers.give(input);
        buffers.close();
    }
}
