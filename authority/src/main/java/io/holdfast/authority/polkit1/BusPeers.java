package io.holdfast.authority.polkit1;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.authority.AuthorityException;
import io.holdfast.authority.AuthorityLimits;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.subject.Subject.Origin;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.DBusException;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The users and processes of a bus's connections, cached: the credentials of a connection cannot
 * change while it lives, so the bus is asked for them once, also for many calls at the same time.
 * Thread-safe.
 */
final class BusPeers implements AutoCloseable {
    /** The maximum number of connections that are cached. */
    private static final int MAX = AuthorityLimits.BUS_PEERS.intValue();

    private static final AtomicLong LAST = new AtomicLong();

    private final String suffix;
    private final int most;

    @GuardedBy("known")
    private final Map<String, Subject.BusName> known = new LinkedHashMap<>(16, 0.75f, true);

    @GuardedBy("known")
    private final Map<String, Lookup> underWay = new HashMap<>();

    @GuardedBy("known")
    private boolean closed;

    /** Asks the bus for the process of a connection. */
    @FunctionalInterface
    interface Query {
        /**
         * Returns the peer, owned by the caller.
         *
         * @throws DBusException if the name has no owner any more
         */
        Peer peer(String uniqueName) throws InterruptedException;
    }

    /** A lookup under way, for all who need its answer. */
    private static final class Lookup {
        private final CompletableFuture<Subject.BusName> answer = new CompletableFuture<>();

        /** How many threads will still take a duplicate of the answer. */
        private int users;

        /** Whether the connection has gone meanwhile, so that the answer must not be cached. */
        private boolean gone;
    }

    BusPeers() {
        this(MAX);
    }

    /**
     * Makes an empty cache.
     *
     * @param most the maximum number of connections that are cached
     */
    BusPeers(int most) {
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
     * @param query asks the bus
     * @return owned by the caller; its name is that of {@link #connection}
     * @throws AuthorityException FAILED if the name has no owner any more: then nothing can be
     *     decided
     */
    Subject.BusName subject(String uniqueName, Query query) throws InterruptedException {
        Lookup lookup;
        boolean first;
        synchronized (known) {
            Subject.BusName found = known.get(uniqueName);
            if (found != null) {
                return found.duplicate();
            }
            lookup = underWay.get(uniqueName);
            first = lookup == null;
            if (lookup == null) {
                lookup = new Lookup();
                underWay.put(uniqueName, lookup);
            }
            lookup.users++;
        }
        if (first) {
            lookUp(uniqueName, query, lookup);
        }
        try {
            Subject.BusName answer = lookup.answer.get();
            synchronized (known) {
                return answer.duplicate();
            }
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            throw AuthorityException.failed(
                    cause == null ? "unknown" : String.valueOf(cause.getMessage()));
        } finally {
            leave(lookup);
        }
    }

    /** Asks the bus, and caches the answer unless the connection has gone meanwhile. */
    private void lookUp(String uniqueName, Query query, Lookup lookup) {
        try {
            Subject.BusName found = read(uniqueName, query);
            boolean _ = lookup.answer.complete(found); // those who wait for it close it
            synchronized (known) {
                if (!closed && !lookup.gone) {
                    known.put(uniqueName, found.duplicate());
                    trim();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            boolean _ =
                    lookup.answer.completeExceptionally(
                            AuthorityException.failed("interrupted while asking the bus"));
        } catch (RuntimeException | Error e) {
            boolean _ = lookup.answer.completeExceptionally(e);
        } finally {
            synchronized (known) {
                boolean _ = underWay.remove(uniqueName, lookup);
            }
        }
    }

    /** Closes the answer of a lookup after the last of its users. */
    private void leave(Lookup lookup) {
        synchronized (known) {
            lookup.users--;
            if (lookup.users == 0 && lookup.answer.state() == Future.State.SUCCESS) {
                lookup.answer.resultNow().close();
            }
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

    private Subject.BusName read(String uniqueName, Query query) throws InterruptedException {
        Peer peer;
        try {
            peer = query.peer(uniqueName);
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

    /** Returns how many threads wait for the lookup of a connection. */
    int waiting(String uniqueName) {
        synchronized (known) {
            Lookup lookup = underWay.get(uniqueName);
            return lookup == null ? 0 : lookup.users;
        }
    }

    /** Removes a connection that has gone. */
    void forget(String uniqueName) {
        synchronized (known) {
            Lookup lookup = underWay.get(uniqueName);
            if (lookup != null) {
                lookup.gone = true;
            }
            Subject.BusName forgotten = known.remove(uniqueName);
            if (forgotten != null) {
                forgotten.close();
            }
        }
    }

    /** Removes all connections, so that the bus is asked again. */
    void forgetAll() {
        synchronized (known) {
            underWay.values().forEach(lookup -> lookup.gone = true);
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
