package io.holdfast.manager.runtime;

import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.view.UnitChecks;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The start of a unit that has no processes, such as a target or a slice: first checks its
 * conditions and assertions, on a worker thread. A unit without any is started at once. Used on the
 * event loop.
 */
public final class CheckedStart {
    private final ManagerContext context;
    private final Lane lane;
    private final Runnable changed;
    private final JobWaiters waiters = new JobWaiters();
    private UnitChecks checks = UnitChecks.NEVER;
    private Optional<String> failure = Optional.empty();
    private @Nullable Work<StartChecks> work;

    /**
     * @param changed called when the result of the checks has changed
     */
    public CheckedStart(ManagerContext context, Lane lane, Runnable changed) {
        this.context = context;
        this.lane = lane;
        this.changed = changed;
    }

    /** Returns whether a start is being checked. */
    public boolean isUnderWay() {
        return work != null;
    }

    /** Returns the result of the last checks. */
    public UnitChecks checks() {
        return checks;
    }

    /** Returns why the last start failed; empty if it did not. */
    public Optional<String> failure() {
        return failure;
    }

    /** Records that the last start failed. */
    public void failed(String why) {
        failure = Optional.of(why);
        changed.run();
    }

    /**
     * Checks a unit, and starts it if the checks allow it.
     *
     * @param done called with the result if the unit is not started; otherwise {@code start}
     *     receives it
     * @param start called with the consumer of the result for when the unit is up
     */
    public void begin(Unit unit, Consumer<JobResult> done, Consumer<Consumer<JobResult>> start) {
        boolean hasChecks =
                !unit.unit().conditions().isEmpty() || !unit.unit().assertions().isEmpty();
        failure = Optional.empty();
        if (!hasChecks) {
            checked(checks.afterNone());
            start.accept(done);
            return;
        }
        waiters.add(done);
        if (work != null) {
            return;
        }
        work =
                lane.work("the check of its conditions", () -> StartChecks.of(unit, context))
                        .within(ManagerLimits.READ_TIMEOUT.duration());
        work.begin((result, error) -> {
            if (work != null) { // otherwise the start was cancelled
                work = null;
                checked(unit, result, error, start);
                context.events().unused(List.of(unit.name())); // if its job has ended before
            }
        });
    }

    private void checked(
            Unit unit,
            @Nullable StartChecks result,
            @Nullable Exception error,
            Consumer<Consumer<JobResult>> start) {
        if (result == null) {
            String why = "cannot check its conditions: " + Work.reason(error);
            context.error(unit.name(), why);
            failed(why);
            waiters.answer(JobResult.FAILED);
            return;
        }
        checked(result.after(checks));
        if (!result.conditions().met()) {
            context.notice(unit.name(), result.refusal());
            failed(result.refusal());
            waiters.answer(JobResult.DONE);
        } else if (!result.assertions().met()) {
            context.error(unit.name(), result.refusal());
            failed(result.refusal());
            waiters.answer(JobResult.ASSERT);
        } else {
            JobWaiters started = waiters.take();
            start.accept(started::answer);
        }
    }

    private void checked(UnitChecks now) {
        checks = now;
        changed.run();
    }

    /** Cancels the start, because the unit is stopped instead. */
    public void cancel() {
        if (work != null) {
            Work<StartChecks> pending = work;
            work = null;
            pending.cancel();
            waiters.answer(JobResult.CANCELED);
        }
    }
}
