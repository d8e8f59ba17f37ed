package io.holdfast.dbus;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs the calls of each caller one after the other, in the order in which they arrived; callers do
 * not wait for each other. Safe for use by any thread.
 */
final class CallOrder {
    private static final Logger LOG = System.getLogger(CallOrder.class.getName());

    @GuardedBy("this")
    private final Map<String, Line> lines = new HashMap<>();

    /** The calls of one caller; guarded by the order. */
    private static final class Line {
        final Deque<Turn> turns = new ArrayDeque<>();
        boolean underWay; // the first call has begun
        boolean moving; // a thread is looking for the next call to begin
    }

    /** The place of one call in its caller's order. */
    final class Turn {
        private final String caller;
        private @Nullable Supplier<CompletionStage<?>> call; // guarded by the order

        private Turn(String caller) {
            this.caller = caller;
        }

        /**
         * Begins the call once all earlier calls of its caller are over. Must be called once for
         * each turn, even if there is nothing left to do.
         *
         * @param call begins the call, which is over when its stage completes
         */
        void ready(Supplier<CompletionStage<?>> call) {
            synchronized (CallOrder.this) {
                this.call = call;
            }
            move(caller);
        }
    }

    /** Returns the place after all other calls of the caller. */
    synchronized Turn next(String caller) {
        Turn turn = new Turn(caller);
        lines.computeIfAbsent(caller, _ -> new Line()).turns.addLast(turn);
        return turn;
    }

    private void move(String caller) {
        if (!tryMove(caller)) {
            return;
        }
        for (Supplier<CompletionStage<?>> call = first(caller);
                call != null;
                call = first(caller)) {
            var _ = begun(call).whenComplete((_, _) -> over(caller));
        }
    }

    private static CompletionStage<?> begun(Supplier<CompletionStage<?>> call) {
        try {
            return call.get();
        } catch (RuntimeException | Error e) { // the calls behind it must still be answered
            LOG.log(Level.WARNING, "a call was not answered", e);
            return CompletableFuture.completedStage(null);
        }
    }

    private synchronized boolean tryMove(String caller) {
        Line line = lines.get(caller);
        if (line == null || line.moving) {
            return false;
        }
        line.moving = true;
        return true;
    }

    /** Returns the call that begins now; if there is none, the line stops moving. */
    private synchronized @Nullable Supplier<CompletionStage<?>> first(String caller) {
        Line line = lines.get(caller);
        if (line == null) {
            return null;
        }
        Turn turn = line.turns.peekFirst();
        if (turn == null) {
            lines.remove(caller);
            return null;
        }
        boolean begins = !line.underWay && turn.call != null;
        line.underWay |= begins;
        line.moving = begins;
        return begins ? turn.call : null;
    }

    private void over(String caller) {
        synchronized (this) {
            Line line = lines.get(caller);
            if (line != null) {
                line.underWay = false;
                line.turns.pollFirst();
            }
        }
        move(caller);
    }
}
