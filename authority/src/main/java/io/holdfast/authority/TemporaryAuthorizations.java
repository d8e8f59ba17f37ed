package io.holdfast.authority;

import io.holdfast.authority.subject.Subject;
import io.holdfast.core.linux.EventLoop;
import io.holdfast.core.linux.Readiness;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Predicate;

/**
 * The temporary authorizations that are in force. Each ends when its time is over, when it is
 * revoked, and the moment its process exits. Changed on the loop; any thread may look for one.
 */
final class TemporaryAuthorizations implements AutoCloseable {
    /** How many one user may have; the oldest goes when a further one comes. */
    static final int MAX_PER_USER = AuthorityLimits.TEMPORARY_AUTHORIZATIONS.intValue();

    private final EventLoop loop;
    private final Runnable changed;
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private volatile List<TemporaryAuthorization> inForce = List.of();
    private long last;

    private record Entry(TemporaryAuthorization authorization, EventLoop.Timer expiry) {}

    /**
     * @param changed called after one has come or gone
     */
    TemporaryAuthorizations(EventLoop loop, Runnable changed) {
        this.loop = loop;
        this.changed = changed;
    }

    /**
     * Puts one in force.
     *
     * @param subject duplicated
     */
    TemporaryAuthorization add(
            Subject.UnixProcess subject,
            String action,
            Subject scope,
            OptionalLong administrator,
            Duration life) {
        makeRoom(subject.uid());
        String id = "tmpauthz" + ++last;
        Subject.UnixProcess held = subject.duplicate();
        try {
            Instant now = Instant.now();
            TemporaryAuthorization added =
                    new TemporaryAuthorization(
                            id, action, held, scope, now, now.plus(life), administrator);
            var _ = loop.watch(held.pidFd().fd(), Readiness.IN, _ -> remove(id)); // it has exited
            entries.put(id, new Entry(added, loop.after(life, () -> remove(id))));
            publish();
            return added;
        } catch (RuntimeException e) {
            held.close();
            throw e;
        }
    }

    private void makeRoom(long uid) {
        List<TemporaryAuthorization> ofUser =
                inForce.stream().filter(each -> each.subject().uid() == uid).toList();
        for (int i = 0; i <= ofUser.size() - MAX_PER_USER; i++) {
            remove(ofUser.get(i).id());
        }
    }

    private void publish() {
        inForce = entries.values().stream().map(Entry::authorization).toList();
        changed.run();
    }

    /**
     * What serves a process for an action.
     *
     * @param fit the oldest first
     * @param unfit why each other one of the action does not
     */
    record Found(List<TemporaryAuthorization> fit, List<String> unfit) {}

    /** By any thread; may block. */
    Found find(Subject.UnixProcess process, String action) {
        List<TemporaryAuthorization> fit = new ArrayList<>();
        List<String> unfit = new ArrayList<>();
        for (TemporaryAuthorization each : inForce) {
            if (each.action().equals(action) && each.subject().uid() == process.uid()) {
                Optional<String> reason = SharedTerminal.unfit(each.subject(), process);
                if (reason.isEmpty()) {
                    fit.add(each);
                } else {
                    unfit.add(each.id() + " is " + reason.get());
                }
            }
        }
        return new Found(fit, unfit);
    }

    /** By any thread. */
    List<TemporaryAuthorization> inScope(Predicate<Subject> scope) {
        return inForce.stream().filter(each -> scope.test(each.scope())).toList();
    }

    Optional<TemporaryAuthorization> byId(String id) {
        return Optional.ofNullable(entries.get(id)).map(Entry::authorization);
    }

    void remove(String id) {
        Entry gone = entries.remove(id);
        if (gone != null) {
            publish();
            release(gone);
        }
    }

    private static void release(Entry gone) {
        gone.expiry().cancel();
        gone.authorization().subject().close();
    }

    @Override
    public void close() {
        entries.values().forEach(TemporaryAuthorizations::release);
        entries.clear();
        inForce = List.of();
    }
}
