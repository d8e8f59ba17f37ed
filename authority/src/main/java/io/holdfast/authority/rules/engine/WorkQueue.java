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
 * The work that waits for an evaluator. Users take turns, and the work of one user runs in its
 * order. No user may have more than a fair share of the places in the queue or of the evaluators:
 * further work of that user waits for the user's own. Thread-safe.
 */
final class WorkQueue {
    private final FairShare<Long> waiting;
    private final FairShare<Long> running;
    private final int evaluators;

    /** The users who have work waiting, in the order of their turns. */
    @GuardedBy("this")
    private final Map<Long, Deque<Waiting>> users = new LinkedHashMap<>();

    WorkQueue(RuleLimits limits) {
        waiting = share(RuleLimits.WAITING, limits.evaluators().waiting());
        running = share(RuleLimits.EVALUATORS, limits.evaluators().count());
        evaluators = limits.evaluators().count();
    }

    private static FairShare<Long> share(Limit limit, int value) {
        return FairShare.<Long>of(limit.what(), value, limit.remedy()).withLeast(1);
    }

    /** A waiting piece of work. Not a record, so that two are never equal. */
    static final class Waiting {
        final long user;
        final RuleEngine.Work work;
        private final long since = System.nanoTime();
        private final Duration maxWait;
        private final boolean hasPlace;

        private Waiting(long user, RuleEngine.Work work, Duration maxWait, boolean hasPlace) {
            this.user = user;
            this.work = work;
            this.maxWait = maxWait;
            this.hasPlace = hasPlace;
        }

        private boolean isOverdue() {
            return System.nanoTime() - since > Readiness.nanos(maxWait);
        }
    }

    /**
     * Adds new work.
     *
     * @param maxWait how long it may wait
     * @return why it was not added, if its user has no place left
     */
    synchronized Optional<String> add(long user, RuleEngine.Work work, Duration maxWait) {
        if (!waiting.tryTake(user, 1)) {
            return Optional.of(waiting.refusal(user));
        }
        of(user).addLast(new Waiting(user, work, maxWait, true));
        return Optional.empty();
    }

    /** Adds work that resumes an evaluation, before all other work of its user. */
    synchronized void addAgain(long user, RuleEngine.Work work, Duration maxWait) {
        of(user).addFirst(new Waiting(user, work, maxWait, false));
    }

    @GuardedBy("this")
    private Deque<Waiting> of(long user) {
        return users.computeIfAbsent(user, _ -> new ArrayDeque<>());
    }

    /**
     * Takes the next work, and charges an evaluator to its user until {@link #done}.
     *
     * @return null if no work waits, or only work of users with a full share of the evaluators
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
                    users.put(head.user, own); // last: the other users' turns come first
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

    /** Gives back the charge for taken work. */
    void done(Waiting taken) {
        running.release(taken.user, 1);
    }

    /** Raises the number of evaluators by the stuck ones, which stay charged to their users. */
    void stuck(int number) {
        running.limit(evaluators + number);
    }

    /** Returns whether {@link #take} would return work. */
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

    /** Refuses the work that has waited for too long. */
    void refuseOverdue() {
        for (Waiting each : remove(Waiting::isOverdue)) {
            each.work.refused(
                    "no evaluator was free for "
                            + Budget.describe(each.maxWait)
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
