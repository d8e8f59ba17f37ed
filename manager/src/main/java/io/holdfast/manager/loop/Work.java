package io.holdfast.manager.loop;

import io.holdfast.core.EventLoop;
import io.holdfast.manager.unit.value.TimeSpan;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One thing that a worker does, from when it is asked for until its answer has come on the loop, or
 * nobody waits for it any more.
 *
 * <pre>{@code
 * lane.work("the check of its conditions", () -> check(unit))
 *         .within(timeout)
 *         .begin((verdict, failure) -> …);
 * }</pre>
 */
public final class Work<T> {
    /** What becomes of it, on the loop. */
    public interface Answer<T> {
        /**
         * @param value null if it failed
         * @param failure null if it did not; a {@link LateException} if it has not come back in
         *     time
         */
        void accept(@Nullable T value, @Nullable Exception failure);
    }

    /** Work that has not come back in time. */
    public static final class LateException extends Exception {
        private static final long serialVersionUID = 1L;

        LateException(String message) {
            super(message);
        }
    }

    /** Why it failed, in one line. */
    public static String reason(@Nullable Exception failure) {
        if (failure == null) {
            return "no reason known";
        }
        String message = failure.getMessage();
        return message == null ? failure.toString() : message;
    }

    private enum State {
        NEW,
        WAITING,
        RUNNING,
        /** It has come back; its answer is on its way. */
        DONE,
        OVER
    }

    final Lane lane;
    final String what;
    private final Callable<T> call;
    private Consumer<? super T> release = _ -> {};
    private boolean evenIfLate;
    private Runnable unused = () -> {};
    private @Nullable Duration limit;
    private Answer<? super T> answer = (_, _) -> {};

    // guarded by the workers
    private State state = State.NEW;
    private boolean wanted = true; // by whoever gets the answer
    private boolean slow;
    private boolean toldGivenUp;
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

    // ---- what is asked for

    /**
     * What becomes of a result that nobody waits for any more, such as a child that has come too
     * late: by the worker, before anything else is done in the lane.
     */
    public Work<T> releasing(Consumer<? super T> release) {
        this.release = release;
        return this;
    }

    /**
     * Runs a task if the work is called off before it has begun: gives back what only the work
     * itself would have given back. By the thread that calls it off; must not block.
     */
    public Work<T> ifNeverBegun(Runnable task) {
        unused = task;
        return this;
    }

    /** It is done though nobody waits for the answer any more, such as a clean-up. */
    public Work<T> evenIfLate() {
        evenIfLate = true;
        return this;
    }

    /** How long its answer is waited for. */
    public Work<T> within(Duration limit) {
        this.limit = limit;
        return this;
    }

    /** How long its answer is waited for. */
    public Work<T> within(TimeSpan limit) {
        this.limit = limit.duration().orElse(null);
        return this;
    }

    /**
     * Has it done. Where too much waits in its lane already, it answers with that, as it does with
     * every other failure.
     *
     * @throws RejectedExecutionException if the workers are closed
     */
    public Work<T> begin(Answer<? super T> answer) {
        this.answer = answer;
        EventLoop loop = workers().loop;
        RejectedExecutionException refusal = tryAdd();
        if (refusal != null) {
            unused.run();
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

    /** Why it is not taken; then it has failed with that. */
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

    /** Changes how long its answer is waited for, from now on. On the loop. */
    public void limit(Duration length) {
        liftTimer();
        synchronized (workers()) {
            if (!wanted || state == State.OVER) {
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
            if (!wanted || state == State.DONE || state == State.OVER) {
                return;
            }
            runs = state == State.RUNNING;
            toldGivenUp = runs;
            if (evenIfLate) {
                wanted = false;
            } else {
                cancel();
            }
        }
        workers().settled(this);
        if (runs) {
            workers().tellGivenUp(this);
        }
        answer.accept(null, new LateException(reason));
    }

    /**
     * Nobody waits for its answer any more: it is not begun, unless it is to be done {@linkplain
     * #evenIfLate even so}, or what comes of it is released. By any thread; does nothing once it
     * has answered.
     */
    public void cancel() {
        T left = null;
        boolean neverBegun = false;
        synchronized (workers()) {
            if (!wanted || state == State.OVER) {
                return;
            }
            wanted = false;
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
            unused.run();
        }
        if (left != null) {
            T released = left;
            try {
                new Work<>(lane, "undoing " + what, () -> released(released)).first();
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

    /** It has a thread. */
    void begun() {
        state = State.RUNNING;
        begun = System.nanoTime();
    }

    /** On the worker. */
    void perform() {
        T result = null;
        Exception thrown = null;
        try {
            result = call.call();
        } catch (Exception e) {
            thrown = e;
        } catch (Error e) { // whoever waits for the answer is to hear of it
            thrown = new IllegalStateException(e);
        }
        end(result, thrown);
    }

    /** It could not even begin. */
    void fail(Exception why) {
        end(null, why);
    }

    private void end(@Nullable T result, @Nullable Exception thrown) {
        boolean delivered;
        boolean told;
        synchronized (workers()) {
            delivered = wanted;
            told = toldGivenUp;
            value = result;
            failure = thrown;
            state = delivered ? State.DONE : State.OVER;
        }
        if (!delivered) {
            if (result != null) {
                release(result);
            }
            if (told) {
                workers().tellBack(this);
            }
        }
        if (delivered) { // before that of what comes behind it in the lane
            workers().loop.postEnding(this::deliver);
        }
        workers().over(this);
    }

    private void release(T result) {
        try {
            release.accept(result);
        } catch (RuntimeException e) {
            workers().tellNotUndone(this, e);
        }
    }

    private void deliver() {
        liftTimer();
        synchronized (workers()) {
            if (!wanted || state != State.DONE) {
                return;
            }
            state = State.OVER;
        }
        workers().settled(this);
        answer.accept(value, failure);
    }

    // ---- asked by the workers, who hold their lock

    /** Whether nobody waits for it while it runs. */
    boolean isGivenUp() {
        return !wanted;
    }

    /** Whether it has become slow since this was asked last. */
    boolean isSlowNow() {
        boolean now = !slow && age().compareTo(Workers.SLOW) > 0;
        slow |= now;
        return now;
    }

    boolean wasSlow() {
        return slow;
    }

    /** Whether it has come back, and its answer has not. */
    boolean isBack() {
        synchronized (workers()) {
            return state == State.DONE;
        }
    }

    /** Since it has its thread. */
    Duration age() {
        return Duration.ofNanos(System.nanoTime() - begun);
    }

    @Override
    public String toString() {
        return lane.name + ": " + what;
    }
}
