package io.holdfast.bus;

import io.holdfast.bus.account.BusCounters;
import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.BusErrorException;
import io.holdfast.bus.account.End;
import io.holdfast.bus.account.LimitTable;
import io.holdfast.bus.account.Resource;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.config.ConfigException;
import io.holdfast.bus.config.Limits;
import io.holdfast.bus.config.Services;
import io.holdfast.bus.policy.PolicySet;
import io.holdfast.bus.policy.UniqueName;
import io.holdfast.bus.relay.Buffers;
import io.holdfast.bus.relay.Relay;
import io.holdfast.core.EventLoop;
import io.holdfast.core.FdCloser;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.MsgHdr;
import io.holdfast.dbus.BusNames;
import io.holdfast.dbus.wire.MatchRule;
import io.holdfast.dbus.wire.MessageView;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The state of one bus, and its parts. All of it belongs to the thread that calls {@link #turn}: no
 * lock is over it.
 *
 * <p>One turn: what can be read is read, in large pieces; each message is routed where it lies and
 * put into the queues of its receivers; then every queue that has something is sent, in one call if
 * it fits.
 */
final class Broker implements AutoCloseable {
    /** Messages from this length on are sent from where they were read, if the queue is empty. */
    static final int UNCOPIED = 32 << 10;

    /** Bytes in a queue that are sent before the turn is over. */
    static final int GATHERED = 128 << 10;

    /**
     * After so many messages of one read the first are sent: who is woken by them gets going while
     * the others are routed.
     */
    static final int FIRST_SENT = 16;

    // Texts that programs compare: dbus-daemon's.
    private static final String NOT_IN_TIME =
            "Message did not receive a reply (timeout by message bus)";
    private static final String DISCONNECTED =
            "Message recipient disconnected from message bus without replying";

    private static final int READ_AT_ONCE = 256 << 10;
    private static final byte UNIQUE = ':';

    final EventLoop loop;
    private final AdaptiveWait wait;
    final Buffers buffers = new Buffers();
    final FdCloser<Long> closer;
    final Buffers.Buffer input;
    final MsgHdr header = new MsgHdr(MsgHdr.MAX_DESCRIPTORS, false);
    final MessageView view = new MessageView();

    final ConnectionTable connections = new ConnectionTable();
    final NameRegistry names;
    final PendingReplies replies;
    final Matches matches;
    final Monitors monitors;
    final Policies policies;
    final Charges charges;
    final Activation activation;
    final BusMessages messages;
    final RefusalLog log;
    final Router router;
    final BusCounters counters = new BusCounters();
    private final ProcessSettings settings;

    private final String id;
    private final ConfigSource source;
    private final boolean systemdActivation;
    private final ExecutorService reader =
            Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().name("holdfast-bus-config").daemon().factory());
    private final Peer self;
    private final Set<Connection> unregistered = new LinkedHashSet<>(); // the oldest first
    private final List<Connection> toFlush = new ArrayList<>();
    private final List<Listener> listeners = new ArrayList<>();
    private final ArrayDeque<Connection> doomed = new ArrayDeque<>();
    private boolean endingDoomed;
    private final List<Consumer<@Nullable String>> reloadsWaiting = new ArrayList<>();
    private boolean reloading;
    private final boolean selinux = Files.exists(Path.of("/sys/fs/selinux/enforce"));
    private @Nullable String machineId = MachineId.read();
    private EventLoop.@Nullable Timer lateReplies;
    private boolean closed;

    /**
     * @param id of the bus: 32 lower-case hexadecimal digits
     * @param source what a reload loads
     */
    Broker(EventLoop loop, String id, BusOptions options, ConfigSource source, BusConfig config) {
        this.loop = loop;
        this.wait = new AdaptiveWait(loop);
        this.id = id;
        this.source = source;
        this.systemdActivation = options.systemdActivation();
        this.input = buffers.take(READ_AT_ONCE + Relay.HEADROOM);
        this.self = ownIdentity();
        this.names = new NameRegistry(this::ownerChanged);
        this.matches = new Matches();
        this.monitors = new Monitors(this);
        this.policies = new Policies(config, self.uid());
        this.settings = new ProcessSettings(self.uid());
        this.charges = new Charges(this, Policies.limits(config));
        this.closer = new FdCloser<>("holdfast-bus-close", charges.quota().descriptors());
        this.replies = new PendingReplies(charges);
        this.log = new RefusalLog();
        this.messages = new BusMessages(this);
        this.activation = new Activation(this, options);
        this.router = new Router(this, new Driver(this));
    }

    private static Peer ownIdentity() {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try {
            return pair[0].peer();
        } finally {
            pair[0].close();
            pair[1].close();
        }
    }

    /** One turn: waits for something to do, and does all of it. */
    void turn() {
        int ignored = wait.forEvents();
        endOfTurn();
    }

    /** The same, but with a limit to the waiting. */
    int turn(Duration limit) {
        int handled = loop.step(limit);
        endOfTurn();
        return handled;
    }

    /** Until nothing is left: to end one connection is news to others, and to send may end one. */
    private void endOfTurn() {
        do {
            endDoomed();
            sendGathered();
        } while (!doomed.isEmpty());
    }

    /** Sends what waits for the end of the turn. */
    void sendGathered() {
        for (int i = 0; i < toFlush.size(); i++) {
            Connection next = toFlush.get(i);
            try {
                next.flushNow();
            } catch (RuntimeException e) {
                log.fault(e);
                next.doom(End.FAULT, "a fault of the bus: " + e);
            }
        }
        toFlush.clear();
    }

    /** Lets clients in at one more address. */
    void listen(UnixListener socket, String guid) {
        listeners.add(new Listener(this, socket, guid));
    }

    void flushAtEndOfTurn(Connection connection) {
        toFlush.add(connection);
    }

    void doom(Connection connection) {
        doomed.addLast(connection);
    }

    /** Ends those that cannot be served any longer, and those that this brings down. */
    void endDoomed() {
        if (doomed.isEmpty() || endingDoomed) {
            return;
        }
        endingDoomed = true;
        try {
            for (Connection next = doomed.pollFirst(); next != null; next = doomed.pollFirst()) {
                try {
                    next.meetDoom();
                } catch (RuntimeException e) { // a fault of ours: it must not end the bus
                    log.fault(e);
                }
            }
        } finally {
            endingDoomed = false;
        }
    }

    String id() {
        return id;
    }

    Peer self() {
        return self;
    }

    long ownUid() {
        return self.uid();
    }

    Limits limits() {
        return charges.limits();
    }

    /** The features that this bus has (D-Bus Specification, property Features). */
    List<String> features() {
        return systemdActivation
                ? List.of("ActivatableServicesChanged", "HeaderFiltering", "SystemdActivation")
                : List.of("ActivatableServicesChanged", "HeaderFiltering");
    }

    /** Whether SELinux was on when this began. */
    boolean selinux() {
        return selinux;
    }

    /** The id of this machine as it was when the configuration was read, or null. */
    @Nullable String machineId() {
        return machineId;
    }

    /** A client came. */
    void accepted(Connection connection) {
        boolean ignored = unregistered.add(connection);
        charges.opened(connection);
        if (unregistered.size() > limits().getInt(BusLimit.MAX_INCOMPLETE_CONNECTIONS)) {
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
                                        limits().getInt(BusLimit.MAX_INCOMPLETE_CONNECTIONS),
                                        one.peer().uid(),
                                        most));
                return;
            }
        }
    }

    int unregisteredCount() {
        return unregistered.size();
    }

    /** A client said Hello. */
    void register(Connection connection) throws BusErrorException {
        String limit = charges.refusesHello(connection);
        if (limit != null) {
            throw new BusErrorException(BusError.LIMITS_EXCEEDED, limit);
        }
        boolean ignored = unregistered.remove(connection);
        connection.register(UniqueName.next());
        connections.add(connection);
        policies.registered(connection);
        counters.peakConnections = Math.max(counters.peakConnections, connections.size());
        countNames(connection);
    }

    /** The connection of a name, unique or well-known, as it stands in a message. */
    @Nullable Connection find(MemorySegment bytes, int offset, int length) {
        if (length > 0 && bytes.get(java.lang.foreign.ValueLayout.JAVA_BYTE, offset) == UNIQUE) {
            long number = UniqueName.number(bytes, offset, length);
            return number < 0 ? null : connections.find(number);
        }
        BusName name = names.find(bytes, offset, length);
        return name == null ? null : name.owner();
    }

    @Nullable Connection find(String name) {
        byte[] bytes = name.getBytes(java.nio.charset.StandardCharsets.UTF_8);
        return find(MemorySegment.ofArray(bytes), 0, bytes.length);
    }

    boolean isOwned(String name) {
        return name.equals(BusNames.BUS) || find(name) != null;
    }

    private void ownerChanged(BusName name, @Nullable Connection from, @Nullable Connection to) {
        String text = name.toString();
        charges.ownerChanged(text, from, to);
        if (from != null) {
            messages.nameLost(from, text);
        }
        messages.nameOwnerChanged(
                text, from == null ? "" : from.name(), to == null ? "" : to.name());
        if (to != null) {
            messages.nameAcquired(to, text);
            activation.appeared(text, to);
        } else {
            activation.disappeared(text);
        }
    }

    /**
     * It listens from now on; to all others it is gone.
     *
     * @param rules charged already, in place of those that it had
     */
    void becomeMonitor(Connection connection, List<MatchRule> rules) {
        names.releaseAll(connection);
        matches.removeAll(connection);
        activation.forget(connection);
        leave(connection);
        connection.becomeMonitor();
        monitors.add(connection, rules);
    }

    /** A call was delivered, and its reply is awaited; false if that call is under way already. */
    boolean expectReply(Connection caller, Connection callee, int serial) {
        long patience = TimeUnit.MILLISECONDS.toNanos(limits().get(BusLimit.REPLY_TIMEOUT));
        boolean fresh = replies.add(caller, callee, serial, patience);
        if (patience > 0 && lateReplies == null) {
            awaitReplies(patience);
        }
        return fresh;
    }

    private void awaitReplies(long nanos) {
        lateReplies =
                loop.after(
                        Duration.ofNanos(nanos),
                        () -> {
                            lateReplies = null;
                            long next =
                                    replies.expire(late ->
                                            messages.error(
                                                    late.caller(),
                                                    late.serial(),
                                                    BusError.NO_REPLY,
                                                    NOT_IN_TIME));
                            if (next > 0) {
                                awaitReplies(next);
                            }
                        });
    }

    /** Takes a connection off the bus: whatever it owned, asked for and owed. */
    void gone(Connection connection, End why, @Nullable String reason) {
        charges.quota().ended(connection.account(), why);
        if (reason != null) {
            log.disconnected(connection, reason);
        }
        switch (connection.state()) {
            case REGISTERED -> {
                names.releaseAll(connection);
                removeMatches(connection);
                activation.forget(connection);
                leave(connection);
            }
            case MONITOR -> {
                monitors.remove(connection);
                charges.releaseAll(connection, Resource.MATCH_RULE);
            }
            case AUTHENTICATING, UNREGISTERED -> {
                boolean ignored = unregistered.remove(connection);
            }
            case LINGERING, CLOSED -> {}
        }
    }

    /** Remembers the most names that there were. */
    void countNames(Connection by) {
        counters.peakNames = Math.max(counters.peakNames, names.size() + connections.size());
        counters.peakNamesOfOne = Math.max(counters.peakNamesOfOne, by.owned().size() + 1);
    }

    /** Remembers the most rules that there were. */
    void countMatches(Connection by) {
        counters.peakMatches = Math.max(counters.peakMatches, matches.size());
        counters.peakMatchesOfOne = Math.max(counters.peakMatchesOfOne, matches.size(by));
    }

    private void removeMatches(Connection connection) {
        matches.removeAll(connection);
        charges.releaseAll(connection, Resource.MATCH_RULE);
    }

    private void leave(Connection connection) {
        messages.nameLost(connection, connection.name());
        connections.remove(connection);
        messages.nameOwnerChanged(connection.name(), connection.name(), "");
        replies.end(
                connection,
                unanswered ->
                        messages.error(
                                unanswered.caller(),
                                unanswered.serial(),
                                BusError.NO_REPLY,
                                DISCONNECTED));
        charges.releaseAll(connection, Resource.NAME);
    }

    /** Its socket is closed. */
    void closed(Connection connection) {
        charges.closed(connection);
    }

    /** From now on services can be started. */
    void startServices(Activator activator, Services services, BusConfig config) {
        activation.begin(activator, services.byName());
        settings.tell(settings.unserved(config), log);
        policies.unknown().forEach(log::unknown);
        charges.unknown().forEach(log::unknown);
        services.skipped().forEach(log::skipped);
    }

    /**
     * Reads the configuration again, beside the loop: files may be slow. Then tells what is wrong
     * with it, and that it stays as it was, or null.
     */
    void reload(Consumer<@Nullable String> done) {
        reloadsWaiting.add(done);
        if (reloading) {
            return; // one more follows, for all who asked meanwhile
        }
        reloading = true;
        List<Consumer<@Nullable String>> asked = List.copyOf(reloadsWaiting);
        reloadsWaiting.clear();
        reader.execute(() -> {
            Runnable result = read(asked);
            loop.postEnding(result);
        });
    }

    private Runnable read(List<Consumer<@Nullable String>> asked) {
        try {
            BusConfig fresh = source.load();
            Services services =
                    Services.load(fresh.serviceFolders(), "system".equals(fresh.type()));
            PolicySet compiled = policies.compile(fresh);
            LimitTable limits = Policies.limits(fresh);
            List<String> unserved = settings.unserved(fresh);
            String machine = MachineId.read();
            return () -> {
                machineId = machine;
                settings.tell(unserved, log);
                apply(fresh, compiled, limits, services);
                reloaded(asked, null);
            };
        } catch (ConfigException | RuntimeException e) {
            String error = String.valueOf(e.getMessage());
            return () -> {
                log.reloadFailed(error);
                reloaded(asked, error);
            };
        }
    }

    private void reloaded(List<Consumer<@Nullable String>> asked, @Nullable String error) {
        reloading = false;
        asked.forEach(done -> done.accept(error));
        if (!reloadsWaiting.isEmpty()) {
            reload(reloadsWaiting.removeLast());
        }
    }

    private void apply(BusConfig fresh, PolicySet compiled, LimitTable limits, Services services) {
        policies.reload(fresh, compiled, connections.all());
        policies.unknown().forEach(log::unknown);
        charges.reload(limits);
        charges.unknown().forEach(log::unknown);
        activation.reload(services.byName());
        services.skipped().forEach(log::skipped);
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        reader.shutdown();
        activation.close();
        listeners.forEach(Listener::close);
        List.copyOf(charges.open())
                .forEach(connection -> connection.disconnect(End.BUS_CLOSED, null));
        closer.close();
        self.close();
        buffers.give(input);
        buffers.close();
    }
}
