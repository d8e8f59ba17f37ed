package io.holdfast.authority.temporary;

import io.holdfast.authority.subject.Sessions;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.survival.AuthorityState;
import io.holdfast.authority.survival.AuthorizationRecord;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Readiness;
import io.holdfast.core.limit.Limit;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The temporary authorizations that are in force. Each ends when it expires, when it is revoked,
 * when its process exits, and when the session for which its agent was registered ends. They are
 * changed on the loop; any thread may look for one.
 *
 * <p>Each is recorded before it is in force, so that a restarted authority restores it after this
 * one was killed ({@link AuthorityState}).
 *
 * <p>Deadlines use CLOCK_BOOTTIME: unlike the wall clock it is never set, and unlike the loop's own
 * clock it advances while the machine sleeps. So an authorization that expired during a sleep does
 * not apply, even before its timer has run.
 */
public final class TemporaryAuthorizations implements AutoCloseable {
    /** The maximum number of authorizations of one user. */
    public static final Limit PER_USER =
            Limit.count(
                    "io.holdfast.authority.temporaryAuthorizations",
                    256,
                    "temporary authorizations of one user; the oldest ends when another comes");

    /** The value of that limit; a further authorization removes the user's oldest one. */
    static final int MAX_PER_USER = PER_USER.intValue();

    /** How long it is remembered how an authorization ended. */
    private static final Duration REMEMBERED = Duration.ofMinutes(10);

    /** The maximum number of ended authorizations, of all users, that are remembered. */
    private static final int MAX_REMEMBERED = 256;

    private final EventLoop loop;
    private final Runnable changed;
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private final Sessions sessions;
    private final AuthorityState state;
    private final LongSupplier clock;
    private volatile List<Entry> inForce = List.of();
    private volatile List<Former> former = List.of(); // the oldest first

    /**
     * An authorization in force.
     *
     * @param deadline by the clock of this set
     */
    private record Entry(
            TemporaryAuthorization authorization, long deadline, EventLoop.Timer expiry) {}

    /**
     * An authorization that has ended, for explanations.
     *
     * @param how such as {@code expired}
     * @param ended by the clock of this set
     */
    private record Former(String id, String action, long uid, String how, long ended) {}

    /**
     * Makes an empty set.
     *
     * @param state records each authorization before it is in force; lent
     * @param changed called after an authorization was added or removed
     * @param clock in nanoseconds
     */
    public TemporaryAuthorizations(
            EventLoop loop,
            Sessions sessions,
            AuthorityState state,
            Runnable changed,
            LongSupplier clock) {
        this.loop = loop;
        this.sessions = sessions;
        this.state = state;
        this.changed = changed;
        this.clock = clock;
    }

    /**
     * Adds an authorization.
     *
     * @param subject duplicated
     */
    public TemporaryAuthorization add(
            Subject.UnixProcess subject,
            String action,
            Subject scope,
            OptionalLong administrator,
            Duration life) {
        makeRoom(subject.uid());
        Subject.UnixProcess held = subject.duplicate();
        try {
            Instant now = Instant.now(); // for display
            AuthorizationRecord record =
                    new AuthorizationRecord(
                            state.nextId(),
                            action,
                            held,
                            scope,
                            now,
                            now.plus(life),
                            clock.getAsLong() + life.toNanos(),
                            administrator);
            state.write(record);
            return enforce(record, life);
        } catch (RuntimeException e) {
            held.close();
            throw e;
        }
    }

    /**
     * Adds an authorization that the previous authority has recorded.
     *
     * @param record its subjects are owned from now on
     */
    public void restore(AuthorizationRecord record) {
        TemporaryAuthorization _ =
                enforce(record, Duration.ofNanos(record.deadline() - clock.getAsLong()));
    }

    private TemporaryAuthorization enforce(AuthorizationRecord record, Duration left) {
        String id = record.id();
        TemporaryAuthorization added =
                new TemporaryAuthorization(
                        id,
                        record.action(),
                        record.subject(),
                        record.scope(),
                        record.obtained(),
                        record.expires(),
                        record.administrator());
        var _ =
                loop.watch(
                        record.subject().pidFd().fd(),
                        Readiness.IN,
                        _ -> remove(id, "of a process that has exited"));
        Duration life = left.isNegative() ? Duration.ZERO : left;
        entries.put(
                id,
                new Entry(added, record.deadline(), loop.after(life, () -> remove(id, "expired"))));
        publish();
        return added;
    }

    private void makeRoom(long uid) {
        List<TemporaryAuthorization> ofUser =
                inForce().filter(each -> each.subject().uid() == uid).toList();
        for (int i = 0; i <= ofUser.size() - MAX_PER_USER; i++) {
            remove(ofUser.get(i).id(), "replaced: its user has too many");
        }
    }

    private void publish() {
        inForce = List.copyOf(entries.values());
        changed.run();
    }

    private Stream<TemporaryAuthorization> inForce() {
        return inForce.stream().map(Entry::authorization);
    }

    /**
     * The authorizations for an action, from the view of one process.
     *
     * @param applicable those that apply to the process, the oldest first
     * @param inapplicable why each other one does not apply
     */
    public record Found(List<TemporaryAuthorization> applicable, List<String> inapplicable) {}

    /** Finds the authorizations of a process's user for an action. Any thread; may block. */
    public Found find(Subject.UnixProcess process, String action) {
        List<TemporaryAuthorization> applicable = new ArrayList<>();
        List<String> inapplicable = new ArrayList<>();
        for (Entry entry : inForce) {
            TemporaryAuthorization each = entry.authorization();
            if (each.action().equals(action) && each.subject().uid() == process.uid()) {
                Optional<String> reason =
                        ended(entry).or(() -> SharedTerminal.mismatch(each.subject(), process));
                if (reason.isEmpty()) {
                    applicable.add(each);
                } else {
                    inapplicable.add(each.id() + " is " + reason.get());
                }
            }
        }
        for (Former each : former) {
            if (each.action().equals(action) && each.uid() == process.uid()) {
                long seconds = Duration.ofNanos(clock.getAsLong() - each.ended()).toSeconds();
                if (seconds < REMEMBERED.toSeconds()) {
                    inapplicable.add(each.id() + " is " + each.how() + ", since " + seconds + " s");
                }
            }
        }
        return new Found(applicable, inapplicable);
    }

    /** Returns why an authorization has ended, if it has ended but was not removed yet. */
    private Optional<String> ended(Entry entry) {
        if (clock.getAsLong() - entry.deadline() >= 0) {
            return Optional.of("expired");
        }
        return isOfEndedSession(entry.authorization())
                ? Optional.of("of a session that has ended")
                : Optional.empty();
    }

    /** Returns whether the user has logged out of the session, even if processes of it remain. */
    private boolean isOfEndedSession(TemporaryAuthorization authorization) {
        return authorization.scope() instanceof Subject.UnixSession(String id, long uid)
                && sessions.session(id)
                        .filter(session -> session.uid() == uid && !session.isClosing())
                        .isEmpty();
    }

    /** Returns the authorizations whose session has ended, for removal. Any thread; may block. */
    public List<TemporaryAuthorization> ofEndedSessions() {
        return inForce().filter(this::isOfEndedSession).toList();
    }

    /** Returns the authorizations with a matching scope. Any thread. */
    public List<TemporaryAuthorization> inScope(Predicate<Subject> scope) {
        return inForce().filter(each -> scope.test(each.scope())).toList();
    }

    /** Finds an authorization by its id. On the loop. */
    public Optional<TemporaryAuthorization> byId(String id) {
        return Optional.ofNullable(entries.get(id)).map(Entry::authorization);
    }

    /**
     * Removes an authorization. Does nothing if there is none with this id.
     *
     * @param how for explanations, such as {@code revoked}
     */
    public void remove(String id, String how) {
        Entry gone = entries.get(id);
        if (gone != null) {
            state.remove(id);
            entries.remove(id, gone);
            remember(gone.authorization(), how);
            publish();
            release(gone);
        }
    }

    private void remember(TemporaryAuthorization gone, String how) {
        List<Former> all = new ArrayList<>(former);
        if (all.size() == MAX_REMEMBERED) {
            Former _ = all.removeFirst();
        }
        all.add(new Former(gone.id(), gone.action(), gone.subject().uid(), how, clock.getAsLong()));
        former = List.copyOf(all);
    }

    private static void release(Entry gone) {
        gone.expiry().cancel();
        gone.authorization().subject().close();
    }

    @Override
    public void close() {
        entries.keySet().forEach(state::remove);
        entries.values().forEach(TemporaryAuthorizations::release);
        entries.clear();
        inForce = List.of();
    }
}
