package io.holdfast.authority.polkit1;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.authority.AuthorityException;
import io.holdfast.authority.AuthorityLimits;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.subject.Subject.Origin;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.DBusException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The users and processes of a bus's connections, cached: the credentials of a connection cannot
 * change while it lives, so the bus is asked for them once. Thread-safe.
 */
final class BusPeers implements AutoCloseable {
    /** The maximum number of connections that are cached. */
    private static final int MAX = AuthorityLimits.BUS_PEERS.intValue();

    private static final AtomicLong LAST = new AtomicLong();

    private final BusConnection bus;
    private final String suffix;
    private final int most;

    @GuardedBy("known")
    private final Map<String, Subject.BusName> known = new LinkedHashMap<>(16, 0.75f, true);

    /** How many connections have gone: one that is being looked up may be among them. */
    @GuardedBy("known")
    private long gone;

    @GuardedBy("known")
    private boolean closed;

    BusPeers(BusConnection bus) {
        this(bus, MAX);
    }

    /**
     * Makes an empty cache.
     *
     * @param most the maximum number of connections that are cached
     */
    BusPeers(BusConnection bus, int most) {
        this.bus = bus;
        this.most = most;
        this.suffix = " on bus " + LAST.incrementAndGet();
    }

    /** Returns a name that is unique among all buses, which give the same unique names. */
    String connection(String uniqueName) {
        return uniqueName + suffix;
    }

    /** Returns the unique name of such a connection; empty if it is on another bus. */
    Optional<String> uniqueName(String connection) {
        return connection.endsWith(suffix)
                ? Optional.of(connection.substring(0, connection.length() - suffix.length()))
                : Optional.empty();
    }

    /** Returns the subject of a unique name, as {@link #subject} does, if it is cached. */
    Optional<Subject.BusName> known(String uniqueName) {
        synchronized (known) {
            return Optional.ofNullable(known.get(uniqueName)).map(Subject.BusName::duplicate);
        }
    }

    /**
     * Returns the subject of a unique name, if necessary by asking the bus.
     *
     * @return owned by the caller; its name is that of {@link #connection}
     * @throws AuthorityException FAILED if the name has no owner any more: then nothing can be
     *     decided
     */
    Subject.BusName subject(String uniqueName) throws InterruptedException {
        long goneBefore;
        synchronized (known) {
            Subject.BusName found = known.get(uniqueName);
            if (found != null) {
                return found.duplicate();
            }
            goneBefore = gone;
        }
        Subject.BusName found = read(uniqueName);
        synchronized (known) {
            if (closed || gone != goneBefore) {
                return found; // not cached: the signal that it has gone may have come already
            }
            Subject.BusName before = known.put(uniqueName, found);
            if (before != null) {
                before.close();
            }
            trim();
            return found.duplicate();
        }
    }

    @GuardedBy("known")
    private void trim() {
        Iterator<Subject.BusName> oldest = known.values().iterator();
        while (known.size() > most) {
            Subject.BusName leaving = oldest.next();
            oldest.remove();
            leaving.close();
        }
    }

    private Subject.BusName read(String uniqueName) throws InterruptedException {
        Peer peer;
        try {
            peer = bus.peer(uniqueName);
        } catch (DBusException e) {
            throw AuthorityException.failed(
                    "cannot read the credentials of " + uniqueName + ": " + e.text());
        }
        if (peer.uid() == 0xFFFF_FFFFL) {
            peer.close();
            throw AuthorityException.failed(
                    "cannot read the user of " + uniqueName + ": the bus does not report it");
        }
        return switch (peer) {
            case Peer.Held(PidFd process, _, long uid, _, List<Long> groups, _) ->
                    new Subject.BusName(
                            connection(uniqueName),
                            uid,
                            Optional.of(
                                    new Subject.UnixProcess(
                                            process, uid, Origin.BUS, nonEmpty(groups))));
            case Peer.BestEffort(int pid, long uid, _, List<Long> groups, _) ->
                    new Subject.BusName(
                            connection(uniqueName),
                            uid,
                            find(pid)
                                    .map(process ->
                                            new Subject.UnixProcess(
                                                    process,
                                                    uid,
                                                    Origin.NUMBER,
                                                    nonEmpty(groups))));
            case Peer.Gone(_, long uid, _, _, _) ->
                    new Subject.BusName(connection(uniqueName), uid, Optional.empty());
        };
    }

    private static Optional<List<Long>> nonEmpty(List<Long> groups) {
        return groups.isEmpty() ? Optional.empty() : Optional.of(groups);
    }

    private static Optional<PidFd> find(int pid) {
        try {
            return pid <= 0 ? Optional.empty() : PidFd.find(pid);
        } catch (ErrnoException e) {
            return Optional.empty();
        }
    }

    /** Returns how many connections are cached now. */
    int known() {
        synchronized (known) {
            return known.size();
        }
    }

    /** Removes a connection that has gone. */
    void forget(String uniqueName) {
        synchronized (known) {
            gone++;
            Subject.BusName forgotten = known.remove(uniqueName);
            if (forgotten != null) {
                forgotten.close();
            }
        }
    }

    /** Removes all connections, so that the bus is asked again. */
    void forgetAll() {
        synchronized (known) {
            gone++;
            known.values().forEach(Subject::close);
            known.clear();
        }
    }

    @Override
    public void close() {
        synchronized (known) {
            closed = true;
            forgetAll();
        }
    }
}
