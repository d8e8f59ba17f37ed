package io.holdfast.bus;

import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.EndReason;
import io.holdfast.bus.activation.ServiceActivation;
import io.holdfast.bus.activation.UnitActivation;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.connection.BusName;
import io.holdfast.bus.connection.Charges;
import io.holdfast.bus.connection.Connection;
import io.holdfast.bus.connection.ConnectionInput;
import io.holdfast.bus.connection.Connections;
import io.holdfast.bus.connection.Listener;
import io.holdfast.bus.connection.NameRegistry;
import io.holdfast.bus.connection.PendingReplies;
import io.holdfast.bus.connection.Policies;
import io.holdfast.bus.connection.RefusalLog;
import io.holdfast.bus.driver.BusFacts;
import io.holdfast.bus.driver.ContainerMethods;
import io.holdfast.bus.driver.Containers;
import io.holdfast.bus.driver.CredentialsReply;
import io.holdfast.bus.driver.Driver;
import io.holdfast.bus.driver.DriverProperties;
import io.holdfast.bus.driver.DriverStats;
import io.holdfast.bus.driver.MatchMethods;
import io.holdfast.bus.driver.Membership;
import io.holdfast.bus.driver.NameMethods;
import io.holdfast.bus.driver.ServiceMethods;
import io.holdfast.bus.match.MatchIndex;
import io.holdfast.bus.relay.PassedFds;
import io.holdfast.bus.relay.Relay;
import io.holdfast.bus.route.BusMessages;
import io.holdfast.bus.route.Delivery;
import io.holdfast.bus.route.Monitors;
import io.holdfast.bus.service.ActivatableServices;
import io.holdfast.bus.service.Activator;
import io.holdfast.core.EventLoop;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.dbus.marshal.MessageView;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One bus, assembled from its parts. All of it belongs to the thread that calls {@link #turn}, so
 * it needs no lock.
 *
 * <p>One turn: the bus reads what has arrived, in large pieces ({@link ConnectionInput}); routes
 * each message where it lies in the buffer ({@link Router}) and adds it to the queues of its
 * receivers ({@link Delivery}); then sends every queue that is not empty ({@link
 * Connections#endOfTurn}). The messages of one user take a limited time in each turn ({@link
 * Connections#beginTurn}).
 */
final class Broker implements AutoCloseable {
    // The text of dbus-daemon, because programs compare it.
    private static final String NOT_IN_TIME =
            "Message did not receive a reply (timeout by message bus)";

    private final AdaptiveWait wait;
    private final BusFacts facts;
    private final Connections connections;
    private final Policies policies;
    private final NameRegistry names;
    private final MatchIndex<Connection> matches;
    private final PendingReplies replies;
    private final BusMessages messages;
    private final ServiceActivation activation;
    private final Membership members;
    private final Reload reload;
    private final Router router;
    private final @Nullable Containers containers;
    private final List<Listener> listeners = new ArrayList<>();
    private boolean closed;

    /**
     * @param source loads the configuration at each reload
     * @param ids makes the ids of the bus and of its addresses: 32 lower-case hexadecimal digits
     *     each
     */
    Broker(
            EventLoop loop,
            Supplier<String> ids,
            BusOptions options,
            ConfigSource source,
            BusConfig config) {
        this.wait = new AdaptiveWait(loop);
        this.facts = new BusFacts(ids.get(), options.systemdActivation);
        this.policies = new Policies(config, facts.uid());
        RefusalLog log = new RefusalLog();
        Charges charges = new Charges(facts.uid(), Policies.limits(config));
        this.connections = new Connections(loop, charges, log, this::route, this::gone);
        this.names = new NameRegistry(connections.registered(), this::ownerChanged);
        this.matches = new MatchIndex<>();
        this.replies = new PendingReplies(loop, charges::limits, this::replyTimedOut);
        Monitors monitors = new Monitors(charges, connections.buffers());
        this.messages = new BusMessages(charges, policies, matches, monitors, log);
        Delivery delivery =
                new Delivery(
                        charges,
                        policies,
                        matches,
                        monitors,
                        replies,
                        messages,
                        new Relay(connections.buffers()));
        this.activation =
                new ServiceActivation(
                        loop,
                        connections.buffers(),
                        charges,
                        delivery,
                        messages,
                        log,
                        options.activator.isPresent()
                                ? null
                                : new UnitActivation(
                                        names,
                                        messages,
                                        options.systemdActivation,
                                        facts.uid() == 0));
        this.members =
                new Membership(
                        connections,
                        policies,
                        names,
                        matches,
                        monitors,
                        replies,
                        messages,
                        activation);
        this.reload = new Reload(source, connections, policies, activation, facts);
        this.containers =
                options.containers
                        .map(folder -> new Containers(folder, connections, policies, messages, ids))
                        .orElse(null);
        Driver driver =
                new Driver(
                        members,
                        monitors,
                        messages,
                        facts,
                        reload,
                        new NameMethods(members, connections, names, policies, messages),
                        new MatchMethods(members, charges, matches, facts, messages),
                        new ServiceMethods(activation, names, facts, messages),
                        new CredentialsReply(names, facts, messages),
                        new DriverProperties(facts, messages, containers != null),
                        new DriverStats(connections, names, matches, replies, messages),
                        containers == null
                                ? null
                                : new ContainerMethods(containers, connections, names, messages));
        this.router = new Router(names, policies, monitors, delivery, messages, activation, driver);
    }

    // Callbacks from the parts below to those above.

    private void route(Connection from, MessageView view, @Nullable PassedFds fds) {
        router.route(from, view, fds);
    }

    private void gone(Connection connection, EndReason why, @Nullable String reason) {
        members.gone(connection, why, reason);
        if (containers != null) {
            containers.creatorLeft(connection);
        }
    }

    private void ownerChanged(BusName name, @Nullable Connection from, @Nullable Connection to) {
        members.ownerChanged(name, from, to);
    }

    private void replyTimedOut(PendingReplies.Call call) {
        messages.error(call.caller(), call.serial(), BusError.NO_REPLY, NOT_IN_TIME);
    }

    /** Sets the number in the unique name of the first client; before the first turn. */
    void firstNumber(long number) {
        connections.firstNumber(number);
    }

    /** Accepts clients at one more address. */
    void listen(UnixListener socket, String guid) {
        listeners.add(new Listener(connections, policies, socket, guid, null));
    }

    /** Enables service starts. */
    void startServices(Activator activator, ActivatableServices services, BusConfig config) {
        reload.begin(activator, services, config);
    }

    /** Runs one turn of the loop: waits for events and handles all of them. */
    void turn() {
        if (connections.beginTurn()) {
            int ignored = connections.loop().step(Duration.ZERO);
        } else {
            int ignored = wait.forEvents();
        }
        connections.endOfTurn();
    }

    /**
     * Reads the configuration again.
     *
     * @param done receives null, or what is wrong with the configuration
     */
    void reload(Consumer<@Nullable String> done) {
        reload.reload(done);
    }

    BusMetrics metrics() {
        return BusMetricsSnapshot.of(connections, names, matches, replies);
    }

    /** Returns the uid that the bus runs as. */
    long ownUid() {
        return facts.uid();
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        reload.close();
        activation.close();
        listeners.forEach(Listener::close);
        if (containers != null) {
            containers.close();
        }
        connections.close();
        facts.close();
    }
}
