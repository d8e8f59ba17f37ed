package io.holdfast.manager.socket;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FdCloser;
import io.holdfast.core.limit.Throttle;
import io.holdfast.core.state.Fields;
import io.holdfast.core.sys.SysSocket;
import io.holdfast.manager.log.Complaints;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.runtime.AcceptedConnection;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.section.SocketSection;
import io.holdfast.manager.unit.section.SocketUnit;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The connections of an accepting socket: takes them, counts them, and has each served by an
 * instance of its own. On the loop.
 */
final class SocketConnections {
    /** How long nobody looks for more when this process has no descriptor left for one. */
    private static final Duration EXHAUSTED = Duration.ofSeconds(1);

    /** The socket that they come to. */
    interface Owner {
        SocketUnit unit();

        /** Whether one more thing may be started; it has failed if not. */
        boolean mayTrigger();

        /** Looks for no more traffic for a while. */
        void pause(Duration length);

        void fail(SocketResult why, String text);

        /** There are more of them, or less, or one more was refused. */
        void connectionsChanged();
    }

    private final ManagerContext context;
    private final Owner owner;
    private final Map<UnitName, String> living = new LinkedHashMap<>();
    private final Map<String, Integer> bySource = new HashMap<>();
    private final Throttle complaints;
    private final Throttle gone;
    private long accepted;
    private long refused;

    SocketConnections(ManagerContext context, Owner owner) {
        this.context = context;
        this.owner = owner;
        this.complaints = Complaints.on(context.loop(), text -> context.warn(name(), text));
        this.gone = Complaints.on(context.loop(), text -> context.info(name(), text));
    }

    private UnitName name() {
        return owner.unit().name();
    }

    /** Takes one that waits. */
    void accept(ListeningSocket socket) {
        int number = SysSocket.accept(socket.fd());
        if (number >= 0) {
            take(Fd.received(number));
            return;
        }
        String problem =
                Work.reason(new ErrnoException("accept4", socket.listen().toString(), -number));
        switch (-number) {
            case Errno.EAGAIN -> {} // it has gone again
            case Errno.EMFILE, Errno.ENFILE, Errno.ENOBUFS, Errno.ENOMEM -> {
                complaints.log("waits", "a connection waits: " + problem);
                owner.pause(EXHAUSTED);
            }
            default -> owner.fail(SocketResult.RESOURCES, problem);
        }
    }

    private void take(Fd fd) {
        AcceptedConnection connection;
        try {
            connection = AcceptedConnection.of(fd);
        } catch (ErrnoException e) {
            context.closer().close(name().text(), fd);
            gone.log("gone", "a connection has gone already: " + e.getMessage());
            return;
        }
        Optional<UnitName> instance = instanceFor(connection);
        Optional<String> refusal =
                instance.isEmpty()
                        ? Optional.of("the name of its instance would be too long")
                        : refusal(owner.unit().socket(), connection.source());
        if (refusal.isPresent()) {
            refused++;
            owner.connectionsChanged();
            complaints.log(
                    "refused",
                    "a connection of " + connection.source() + " is refused: " + refusal.get());
            close(connection);
        } else if (owner.mayTrigger()) {
            serve(instance.get(), connection);
        } else {
            close(connection);
        }
    }

    private void close(AcceptedConnection connection) {
        connection.close(context.closer());
        if (context.closer().isFull(connection.source())) {
            complaints.log(
                    "slow",
                    "further connections wait: %d descriptors of %s are slow to be closed, which is the limit"
                            .formatted(FdCloser.MAX_WAITING, connection.source()));
            owner.pause(EXHAUSTED);
        }
    }

    private Optional<UnitName> instanceFor(AcceptedConnection connection) {
        return UnitName.parse(
                owner.unit().socket().service().prefix()
                        + "@"
                        + accepted
                        + "-"
                        + connection.ends()
                        + UnitType.SERVICE.suffix());
    }

    /** Why one more would be one too many, if it would. */
    private Optional<String> refusal(SocketSection settings, String source) {
        if (living.size() >= settings.maxConnections()) {
            return Optional.of(
                    living.size() + " are there, MaxConnections=" + settings.maxConnections());
        }
        int most = settings.maxConnectionsPerSource();
        int there = bySource.getOrDefault(source, 0);
        return most > 0 && there >= most
                ? Optional.of(there + " of it are there, MaxConnectionsPerSource=" + most)
                : Optional.empty();
    }

    private void serve(UnitName instance, AcceptedConnection connection) {
        accepted++;
        context.survival().keep(key() + instance, List.of(connection.fd()));
        Runnable ended = count(instance, connection);
        context.events().activation().serve(name(), instance, connection, ended);
    }

    private String key() {
        return "accepted " + name() + " ";
    }

    /** How many there were. */
    void record(Fields fields) {
        fields.put("accepted", accepted).put("refused", refused);
    }

    /** The opposite of {@link #record}. */
    void restore(Fields fields) {
        accepted = fields.number("accepted");
        refused = fields.number("refused");
    }

    /** Goes on with the connections of a manager that was killed: their instances may run. */
    void resume() {
        for (String key : context.survival().keys(key())) {
            Optional<UnitName> instance = UnitName.parse(key.substring(key().length()));
            for (Fd fd : context.survival().take(key)) {
                try {
                    AcceptedConnection connection = AcceptedConnection.of(fd);
                    Runnable ended = count(instance.orElseThrow(), connection);
                    context.events()
                            .activation()
                            .serveAgain(name(), instance.get(), connection, ended);
                } catch (ErrnoException e) {
                    context.survival().dropAndClose(key); // it has gone meanwhile
                    context.closer().close(name().text(), fd);
                }
            }
        }
    }

    /** Counts one that lives; what is to be done when it has ended. */
    private Runnable count(UnitName instance, AcceptedConnection connection) {
        String source = connection.source();
        living.put(instance, source);
        bySource.merge(source, 1, Integer::sum);
        owner.connectionsChanged();
        return () -> ended(instance, source);
    }

    private void ended(UnitName instance, String source) {
        living.remove(instance);
        context.survival().dropAndClose(key() + instance);
        bySource.computeIfPresent(source, (_, count) -> count == 1 ? null : count - 1);
        owner.connectionsChanged();
    }

    /** The instances that live. */
    List<UnitName> instances() {
        return List.copyOf(living.keySet());
    }

    /** How many were served. */
    long accepted() {
        return accepted;
    }

    /** How many were one too many. */
    long refused() {
        return refused;
    }
}
