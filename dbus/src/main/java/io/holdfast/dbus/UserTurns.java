package io.holdfast.dbus;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayDeque;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs calls on the executors of their objects: those of one user in their order, and the users in
 * turn, so that a user with many calls under way delays each call of another user by a single one
 * of its own. The calls that wait are bounded by {@link CallsUnderWay}. Thread-safe.
 */
final class UserTurns {
    /** The calls that run before other tasks of the executor get their turn. */
    private static final int AT_ONCE = 8;

    /** The calls of each user that wait for an executor on which a task of this runs or waits. */
    @GuardedBy("this")
    private final IdentityHashMap<Executor, Map<Object, ArrayDeque<Waiting>>> waiting =
            new IdentityHashMap<>();

    private record Waiting(Runnable call, Consumer<RejectedExecutionException> refusal) {}

    /**
     * Runs a call on an executor.
     *
     * @param refusal called instead if the executor rejects the call
     */
    void execute(
            Executor executor,
            Object user,
            Runnable call,
            Consumer<RejectedExecutionException> refusal) {
        if (!add(executor, user, new Waiting(call, refusal))) {
            return;
        }
        try {
            executor.execute(() -> run(executor));
        } catch (RejectedExecutionException e) {
            for (Waiting next = next(executor); next != null; next = next(executor)) {
                next.refusal.accept(e);
            }
        }
    }

    /** Adds a call; returns whether no task runs or waits on the executor yet. */
    private synchronized boolean add(Executor executor, Object user, Waiting call) {
        Map<Object, ArrayDeque<Waiting>> users = waiting.get(executor);
        boolean isFirst = users == null;
        if (users == null) {
            users = new LinkedHashMap<>();
            waiting.put(executor, users);
        }
        users.computeIfAbsent(user, _ -> new ArrayDeque<>()).add(call);
        return isFirst;
    }

    private void run(Executor executor) {
        boolean more = true;
        try {
            for (int i = 0; more && i < AT_ONCE; i++) {
                more = runNext(executor);
            }
        } finally {
            if (more) {
                runMore(executor);
            }
        }
    }

    private void runMore(Executor executor) {
        try {
            executor.execute(() -> run(executor));
        } catch (RejectedExecutionException e) {
            run(executor); // on its thread: it has accepted them
        }
    }

    private boolean runNext(Executor executor) {
        Waiting next = next(executor);
        if (next != null) {
            next.call.run();
        }
        return next != null;
    }

    /** Takes the next call, and moves its user to the end. */
    private synchronized @Nullable Waiting next(Executor executor) {
        Map<Object, ArrayDeque<Waiting>> users = waiting.getOrDefault(executor, Map.of());
        Iterator<Map.Entry<Object, ArrayDeque<Waiting>>> all = users.entrySet().iterator();
        if (!all.hasNext()) {
            waiting.remove(executor);
            return null;
        }
        Map.Entry<Object, ArrayDeque<Waiting>> first = all.next();
        Object user = first.getKey();
        ArrayDeque<Waiting> calls = first.getValue();
        all.remove();
        Waiting next = calls.remove();
        if (!calls.isEmpty()) {
            users.put(user, calls);
        }
        return next;
    }
}
