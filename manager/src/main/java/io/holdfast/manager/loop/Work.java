package io.holdfast.manager.loop;

import io.holdfast.core.EventLoop;
import io.holdfast.manager.unit.value.TimeSpan;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A task for a worker, from its description until its answer has arrived on the loop or is no
 * longer awaited.
 *
 * <pre>{@code
 * lane.work("the check of its conditions", () -> check(unit))
 *         .within(timeout)
 *         .begin((verdict, failure) -> …);
 * }</pre>
 */
public final class Work<T> {
    /** Receives the outcome of the work, on the loop. */
    public interface Answer<T> {
        /**
         * Receives the value or the failure.
         *
         * @param value null if the work failed
         * @param failure null if the work succeeded; a {@link LateException} if it has not returned
         *     in time
         */
        void accept(@Nullable T value, @Nullable Exception failure);
    }

    /** The work has not returned within its time limit. */
    public static final class LateException extends Exception {
        private static final long serialVersionUID = 1L;

        LateException(String message) {
            super(message);
        }
    }

    /** Describes in one line why the work failed. */
    public static String reason(@Nullable Exception failure) {
        if (failure == null) {
            return "unknown reason";
        }
        String message = failure.getMessage();
        return message == null ? failure.toString() : message;
    }

    private enum State {
        NEW,
        WAITING,
        RUNNING,
        /** The work has returned; its answer is on its way to the loop. */
        DONE,
        OVER
    }

    final Lane lane;
    final String what;
    private final Callable<T> call;
    private Consumer<? super T> release = _ -> {};
    private boolean evenIfLate;
    private Runnable onCancelled = () -> {};
    private @Nullable Duration limit;
    private Answer<? super T> answer = (_, _) -> {};

    // guarded by the workers
    private State state = State.NEW;
    private boolean isAwaited = true; // an answer is still awaited
    private boolean slow;
    private boolean reportedAbandoned;
    private long begun;
    private @Nullable T value;
    private @Nullable Exception failure;

    private EventLoop.@Nullable Timer timer; // of the loop

    Work(Lane lane, String what, Callable<T> call) {
        this.lane = lane;
        this.what = what;
        this.call = call;
    }

    private Workers workers() {
        return lane.workers;
    }

    // ---- the request

    /**
     * Sets the release of a result that is no longer awaited, such as a child that was spawned too
     * late. The worker runs it before any other work of the lane.
     */
    public Work<T> releasing(Consumer<? super T> release) {
        this.release = release;
        return this;
    }

    /**
     * Sets a task that runs if the work is cancelled before it has begun: it gives back what
     * otherwise only the work itself would give back. It runs on the thread that cancels, and must
     * not block.
     */
    public Work<T> ifNeverBegun(Runnable task) {
        onCancelled = task;
        return this;
    }

    /** Runs the work even if its answer is no longer awaited, such as a clean-up. */
    public Work<T> evenIfLate() {
        evenIfLate = true;
        return this;
    }

    /** Limits how long the answer is awaited. */
    public Work<T> within(Duration limit) {
        this.limit = limit;
        return this;
    }

    /** Limits how long the answer is awaited. */
    public Work<T> within(TimeSpan limit) {
        this.limit = limit.duration().orElse(null);
        return this;
    }

    /**
     * Queues the work. If the lane is full, that is reported through the answer, as every other
     * failure is.
     *
     * @throws RejectedExecutionException if the workers are closed
     */
    public Work<T> begin(Answer<? super T> answer) {
        this.answer = answer;
        EventLoop loop = workers().loop;
        RejectedExecutionException refusal = tryAdd();
        if (refusal != null) {
            onCancelled.run();
            if (workers().isClosed()) {
                throw refusal;
            }
            loop.postEnding(this::deliver);
            return this;
        }
        Duration length = limit;
        if (length == null) {
            return this;
        }
        if (loop.isOwner()) {
            limit(length);
        } else {
            loop.postEnding(() -> limit(length));
        }
        return this;
    }

    /** Queues the work. If it is refused, it has failed with the refusal that is returned. */
    private @Nullable RejectedExecutionException tryAdd() {
        synchronized (workers()) {
            try {
                state = State.WAITING;
                workers().add(this, false);
                return null;
            } catch (RejectedExecutionException e) {
                state = State.DONE;
                failure = e;
                return e;
            }
        }
    }

    /** Sets a new limit, from now on, for how long the answer is awaited. On the loop. */
    public void limit(Duration length) {
        liftTimer();
        synchronized (workers()) {
            if (!isAwaited || state == State.OVER) {
                return;
            }
        }
        timer = workers().loop.after(length, this::late);
    }

    private void liftTimer() {
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
    }

    private void late() {
        timer = null;
        boolean runs;
        String reason = workers().reason(this);
        synchronized (workers()) {
            if (!isAwaited || state == State.DONE || state == State.OVER) {
                return;
            }
            runs = state == State.RUNNING;
            reportedAbandoned = runs;
            if (evenIfLate) {
                isAwaited = false;
            }
        }
        cancel(); // outside the lock, because it runs the task of work that has not begun
        workers().settled(this);
        if (runs) {
            workers().reportAbandoned(this);
        }
        answer.accept(null, new LateException(reason));
    }

    /**
     * Stops waiting for the answer. Work that has not begun is not run, unless it is to run
     * {@linkplain #evenIfLate even so}; the result of work that has begun is released. Called by
     * any thread; does nothing once the work has answered.
     */
    public void cancel() {
        T left = null;
        boolean neverBegun = false;
        synchronized (workers()) {
            if (!isAwaited || state == State.OVER) {
                return;
            }
            isAwaited = false;
            workers().settled(this);
            if (state == State.WAITING && !evenIfLate) {
                boolean _ = workers().remove(this);
                state = State.OVER;
                neverBegun = true;
            } else if (state == State.DONE) {
                left = value;
                state = State.OVER;
            }
        }
        if (neverBegun) {
            onCancelled.run();
        }
        if (left != null) {
            T released = left;
            try {
                new Work<>(lane, "the release of the result of " + what, () -> released(released))
                        .first();
            } catch (RejectedExecutionException e) { // the manager ends
                boolean _ = released(released);
            }
        }
    }

    private void first() {
        synchronized (workers()) {
            state = State.WAITING;
            workers().add(this, true);
        }
    }

    private boolean released(T result) {
        release.accept(result);
        return true;
    }

    // ---- the worker

    /** Records that the work has a thread. */
    void begun() {
        state = State.RUNNING;
        begun = System.nanoTime();
    }

    /** Runs the task. On the worker. */
    void perform() {
        T result = null;
        Exception thrown = null;
        try {
            result = call.call();
        } catch (Exception e) {
            thrown = e;
        } catch (Error e) { // reported through the answer
            thrown = new IllegalStateException(e);
        }
        end(result, thrown);
    }

    /** Fails work that could not even begin. */
    void fail(Exception why) {
        end(null, why);
    }

    private void end(@Nullable T result, @Nullable Exception thrown) {
        boolean delivered;
        boolean wasReported;
        synchronized (workers()) {
            delivered = isAwaited;
            wasReported = reportedAbandoned;
            value = result;
            failure = thrown;
            state = delivered ? State.DONE : State.OVER;
        }
        if (!delivered) {
            if (result != null) {
                release(result);
            }
            if (wasReported) {
                workers().reportReturned(this);
            }
        }
        if (delivered) { // before the answers of later work in the lane
            workers().loop.postEnding(this::deliver);
        }
        workers().over(this);
    }

    private void release(T result) {
        try {
            release.accept(result);
        } catch (RuntimeException e) {
            workers().reportNotReleased(this, e);
        }
    }

    private void deliver() {
        liftTimer();
        synchronized (workers()) {
            if (!isAwaited || state != State.DONE) {
                return;
            }
            state = State.OVER;
        }
        workers().settled(this);
        answer.accept(value, failure);
    }

    // ---- called by the workers, which hold their lock

    /** {@return whether the answer is no longer awaited} */
    boolean isGivenUp() {
        return !isAwaited;
    }

    /** {@return whether the work has become slow since the last call} */
    boolean isSlowNow() {
        boolean now = !slow && age().compareTo(Workers.SLOW) > 0;
        slow |= now;
        return now;
    }

    boolean wasSlow() {
        return slow;
    }

    /** {@return whether the work has returned and its answer is not delivered yet} */
    boolean isDone() {
        synchronized (workers()) {
            return state == State.DONE;
        }
    }

    /** {@return the time since the work got its thread} */
    Duration age() {
        return Duration.ofNanos(System.nanoTime() - begun);
    }

    @Override
    public String toString() {
        return lane.name + ": " + what;
    }
}
