package io.holdfast.authority.rules.engine;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.rules.sandbox.Budget;
import io.holdfast.core.Readiness;
import io.holdfast.core.limit.FairShare;
import io.holdfast.core.limit.Limit;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What waits for an evaluator. Users come in turn, and what each has waiting in its order; nobody
 * may have more than his share of the places, nor of the evaluators: what he has waiting then waits
 * for his own. Safe for use by any thread.
 */
final class WorkQueue {
    private final FairShare<Long> waiting;
    private final FairShare<Long> running;
    private final int evaluators;

    /** Users with something waiting, in the order of their turns. */
    @GuardedBy("this")
    private final Map<Long, Deque<Waiting>> users = new LinkedHashMap<>();

    WorkQueue(RuleLimits limits) {
        waiting = share(RuleLimits.WAITING, limits.waiting());
        running = share(RuleLimits.EVALUATORS, limits.evaluators());
        evaluators = limits.evaluators();
    }

    private static FairShare<Long> share(Limit limit, int value) {
        return FairShare.<Long>of(limit.what(), value, limit.remedy()).withLeast(1);
    }

    /** No record: two of them are never equal. */
    static final class Waiting {
        final long user;
        final RuleEngine.Work work;
        private final long since = System.nanoTime();
        private final Duration patience;
        private final boolean hasPlace;

        private Waiting(long user, RuleEngine.Work work, Duration patience, boolean hasPlace) {
            this.user = user;
            this.work = work;
            this.patience = patience;
            this.hasPlace = hasPlace;
        }

        private boolean isOverdue() {
            return System.nanoTime() - since > Readiness.nanos(patience);
        }
    }

    /**
     * Adds something new.
     *
     * @param patience how long it may wait
     * @return why not, if its user has no place left
     */
    synchronized Optional<String> add(long user, RuleEngine.Work work, Duration patience) {
        if (!waiting.tryTake(user, 1)) {
            return Optional.of(waiting.refusal(user));
        }
        of(user).addLast(new Waiting(user, work, patience, true));
        return Optional.empty();
    }

    /** Adds what goes on, before what its user has waiting. */
    synchronized void addAgain(long user, RuleEngine.Work work, Duration patience) {
        of(user).addFirst(new Waiting(user, work, patience, false));
    }

    @GuardedBy("this")
    private Deque<Waiting> of(long user) {
        return users.computeIfAbsent(user, _ -> new ArrayDeque<>());
    }

    /**
     * What is to be run next, on one of its user's evaluators until {@link #done}.
     *
     * @return null if nothing waits but of users who have their share of the evaluators
     */
    synchronized @Nullable Waiting take() {
        for (Iterator<Map.Entry<Long, Deque<Waiting>>> turns = users.entrySet().iterator();
                turns.hasNext(); ) {
            Map.Entry<Long, Deque<Waiting>> turn = turns.next();
            if (running.tryTake(turn.getKey(), 1)) {
                Deque<Waiting> own = turn.getValue();
                Waiting head = own.removeFirst();
                turns.remove();
                if (!own.isEmpty()) {
                    users.put(head.user, own); // at the end: the others come first
                }
                leave(head);
                return head;
            }
        }
        return null;
    }

    private void leave(Waiting waiting) {
        if (waiting.hasPlace) {
            this.waiting.release(waiting.user, 1);
        }
    }

    /** Its evaluator is free for others. */
    void done(Waiting taken) {
        running.release(taken.user, 1);
    }

    /** So many evaluators are stuck, which stay their users' and are replaced. */
    void stuck(int number) {
        running.limit(evaluators + number);
    }

    /** Whether there is something to {@link #take}. */
    synchronized boolean isAnyReady() {
        for (long user : users.keySet()) {
            if (running.mayTake(user, 1)) {
                return true;
            }
        }
        return false;
    }

    synchronized boolean isEmpty() {
        return users.isEmpty();
    }

    /** Refuses what has waited for longer than it may. */
    void refuseOverdue() {
        for (Waiting each : remove(Waiting::isOverdue)) {
            each.work.refused(
                    "no evaluator was free for "
                            + Budget.describe(each.patience)
                            + ": "
                            + running.refusal(each.user));
        }
    }

    void refuseAll(String why) {
        remove(_ -> true).forEach(each -> each.work.refused(why));
    }

    private synchronized List<Waiting> remove(Predicate<Waiting> which) {
        List<Waiting> removed = new ArrayList<>();
        for (Iterator<Deque<Waiting>> each = users.values().iterator(); each.hasNext(); ) {
            Deque<Waiting> own = each.next();
            List<Waiting> going = own.stream().filter(which).toList();
            going.forEach(this::leave);
            boolean _ = own.removeAll(going);
            boolean _ = removed.addAll(going);
            if (own.isEmpty()) {
                each.remove();
            }
        }
        return removed;
    }
}
