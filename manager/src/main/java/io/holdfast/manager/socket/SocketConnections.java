package io.holdfast.manager.socket;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.limit.Throttle;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.state.Fields;
import io.holdfast.core.sys.SysIoctl;
import io.holdfast.core.sys.SysPoll;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.core.wait.FdCloser;
import io.holdfast.manager.log.Complaints;
import io.holdfast.manager.loop.ManagerLimits;
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
import java.util.regex.Pattern;

/**
 * The connections of an accepting socket: accepts and counts them, and starts an instance for each.
 * Used on the event loop.
 *
 * <p>A connection that is served is put into the descriptor store first, so that it outlives this
 * process. Between accept4(2) and the sendmsg(2) that stores it, the kernel knows no other holder:
 * if the manager is killed in between, the client sees its connection reset, with nothing of it
 * read, and can connect again.
 *
 * <p>Any user may connect and disconnect at any rate, and each instance costs a process. So a
 * connection whose peer has closed it again unused is not served, and a connection of a user counts
 * for {@code MaxConnectionsPerSource=} for a minimum time ({@link ManagerLimits#CONNECTION_PLACE}),
 * which limits the rate. Where that directive is set, as many places as it allows a source are
 * reserved for root and the manager's own user. A refusal must stay cheap: it neither stores the
 * connection nor names an instance.
 */
final class SocketConnections {
    /** The pause before the next accept when this process has run out of descriptors. */
    private static final Duration EXHAUSTED = Duration.ofSeconds(1);

    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,18}");

    /** The socket that accepts the connections. */
    interface Owner {
        SocketUnit unit();

        /** Returns whether one more instance may be started; if not, the socket has failed. */
        boolean mayTrigger();

        /** Stops watching for traffic for a while. */
        void pause(Duration length);

        void fail(SocketResult why, String text);

        /** Called when the number of connections, or of refused ones, has changed. */
        void connectionsChanged();
    }

    private final ManagerContext context;
    private final Owner owner;
    private final Map<UnitName, String> living = new LinkedHashMap<>();
    private final Map<String, Integer> bySource = new HashMap<>();
    private final Throttle complaints;
    private final Throttle gone;
    private int plain; // living connections of plain users
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

    /** Accepts a waiting connection. */
    void accept(ListeningSocket socket) {
        int number = SysSocket.accept(socket.fd());
        if (number >= 0) {
            Fd fd = Fd.received(number);
            if (isUnused(fd)) {
                context.closer().close(name().text(), fd);
                gone.log("gone", "a connection was already closed");
            } else {
                take(fd);
            }
            return;
        }
        String problem =
                Work.reason(new ErrnoException("accept4", socket.listen().toString(), -number));
        switch (-number) {
            case Errno.EAGAIN -> {} // it has disconnected again
            case Errno.EMFILE, Errno.ENFILE, Errno.ENOBUFS, Errno.ENOMEM -> {
                complaints.log("waits", "a connection waits: " + problem);
                owner.pause(EXHAUSTED);
            }
            default -> owner.fail(SocketResult.RESOURCES, problem);
        }
    }

    /** Returns whether the peer has closed the connection, and has sent nothing. */
    private static boolean isUnused(Fd fd) {
        return (SysPoll.now(fd, 0) & Readiness.HUP) != 0 && SysIoctl.readable(fd) == 0;
    }

    /** Starts an instance for a connection, or refuses the connection. */
    private void take(Fd fd) {
        AcceptedConnection connection;
        try {
            connection = AcceptedConnection.of(fd, context.subordinates());
        } catch (ErrnoException e) {
            context.closer().close(name().text(), fd);
            gone.log("gone", "a connection was already closed: " + e.getMessage());
            return;
        }
        Optional<String> refusal = refusal(owner.unit().socket(), connection);
        Optional<UnitName> instance =
                refusal.isPresent() ? Optional.empty() : instanceFor(accepted, connection);
        if (instance.isEmpty()) {
            refused++;
            owner.connectionsChanged();
            complaints.log(
                    "refused",
                    "a connection of "
                            + connection.source()
                            + " is refused: "
                            + refusal.orElse("the name of its instance would be too long"));
            close(connection);
        } else if (owner.mayTrigger()) {
            context.survival().keepClosable(key(accepted), List.of(connection.fd()));
            Runnable ended = count(accepted++, instance.get(), connection);
            context.events().activation().serve(name(), instance.get(), connection, ended);
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

    private Optional<UnitName> instanceFor(long number, AcceptedConnection connection) {
        return UnitName.parse(
                owner.unit().socket().service().prefix()
                        + "@"
                        + number
                        + "-"
                        + connection.ends()
                        + UnitType.SERVICE.suffix());
    }

    /** Returns why one more connection is refused; empty if it is not. */
    private Optional<String> refusal(SocketSection settings, AcceptedConnection connection) {
        int all = settings.maxConnections();
        if (living.size() >= all) {
            return Optional.of(living.size() + " are there, MaxConnections=" + all);
        }
        int most = settings.maxConnectionsPerSource();
        int reserve = Math.min(most, all / 2);
        if (isPlain(connection) && plain >= all - reserve) {
            return Optional.of(
                    "%d of plain users are there, MaxConnections=%d, of which %d are for root"
                            .formatted(plain, all, reserve));
        }
        int there = bySource.getOrDefault(connection.source(), 0);
        return most > 0 && there >= most
                ? Optional.of(
                        there
                                + " of it are there or were just now, MaxConnectionsPerSource="
                                + most)
                : Optional.empty();
    }

    private String keys() {
        return "accepted " + name() + " ";
    }

    /**
     * Returns the key under which a connection is stored, by its number among the served
     * connections.
     */
    private String key(long number) {
        return keys() + number;
    }

    /** Records how many connections there were. */
    void record(Fields fields) {
        fields.put("accepted", accepted).put("refused", refused);
    }

    /** Restores what {@link #record} wrote. */
    void restore(Fields fields) {
        accepted = fields.number("accepted");
        refused = fields.number("refused");
    }

    /**
     * Continues the connections of a killed manager: their instances may run. A connection for
     * which that manager had not started an instance is served now, whatever the limits.
     */
    void resume() {
        for (String key : context.survival().keys(keys())) {
            String number = key.substring(keys().length());
            for (Fd fd : context.survival().take(key)) {
                if (!NUMBER.matcher(number).matches() || !resume(Long.parseLong(number), fd)) {
                    context.survival().drop(key);
                    context.closer().close(name().text(), fd);
                }
            }
        }
    }

    /** Returns false if the connection has been closed meanwhile. */
    private boolean resume(long number, Fd fd) {
        accepted = Math.max(accepted, number + 1); // it may not have been recorded
        try {
            AcceptedConnection connection = AcceptedConnection.of(fd, context.subordinates());
            Optional<UnitName> instance = instanceFor(number, connection);
            instance.ifPresent(name -> {
                Runnable ended = count(number, name, connection);
                context.events().activation().serveAgain(name(), name, connection, ended);
            });
            return instance.isPresent();
        } catch (ErrnoException e) {
            return false;
        }
    }

    /** Counts a living connection; returns what to run when it has ended. */
    private Runnable count(long number, UnitName instance, AcceptedConnection connection) {
        String source = connection.source();
        boolean isPlain = isPlain(connection);
        living.put(instance, source);
        plain += isPlain ? 1 : 0;
        bySource.merge(source, 1, Integer::sum);
        owner.connectionsChanged();
        boolean isLimited = owner.unit().socket().maxConnectionsPerSource() > 0 && isPlain;
        long least =
                isLimited
                        ? System.nanoTime() + ManagerLimits.CONNECTION_PLACE.duration().toNanos()
                        : System.nanoTime();
        return () -> {
            plain -= isPlain ? 1 : 0;
            ended(number, instance, source, least);
        };
    }

    /** Returns whether it is of another user than root and the manager's own. */
    private static boolean isPlain(AcceptedConnection connection) {
        return connection.peer().filter(peer -> !isOwner(peer)).isPresent();
    }

    private static boolean isOwner(Peer peer) {
        return peer.uid() == 0 || peer.uid() == Unistd.geteuid();
    }

    /**
     * @param least the earliest end of the place of its source, by System.nanoTime
     */
    private void ended(long number, UnitName instance, String source, long least) {
        living.remove(instance);
        context.survival().drop(key(number));
        owner.connectionsChanged();
        long left = least - System.nanoTime();
        if (left > 0) {
            EventLoop.Timer _ = context.loop().after(Duration.ofNanos(left), () -> leave(source));
        } else {
            leave(source);
        }
    }

    private void leave(String source) {
        bySource.computeIfPresent(source, (_, count) -> count == 1 ? null : count - 1);
    }

    /** Returns the living instances. */
    List<UnitName> instances() {
        return List.copyOf(living.keySet());
    }

    /** Returns how many connections were served. */
    long accepted() {
        return accepted;
    }

    /** Returns how many connections were refused because of the limits. */
    long refused() {
        return refused;
    }
}
