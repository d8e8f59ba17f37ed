package io.holdfast.manager.runtime;

import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.view.UnitStatus;
import java.util.Optional;
import java.util.function.Consumer;

/** A unit that is always inactive: its kind cannot run here, or it is not loaded. */
public final class InactiveUnit implements ManagedUnit {
    private Unit unit;
    private final Optional<String> why;

    /**
     * @param why why it cannot be started, if it cannot
     */
    public InactiveUnit(Unit unit, Optional<String> why) {
        this.unit = unit;
        this.why = why;
    }

    @Override
    public Unit unit() {
        return unit;
    }

    @Override
    public ActiveState activeState() {
        return ActiveState.INACTIVE;
    }

    @Override
    public void reloaded(Unit newer) {
        unit = newer;
    }

    @Override
    public void start(Consumer<JobResult> done) {
        done.accept(JobResult.UNSUPPORTED);
    }

    @Override
    public void stop(Consumer<JobResult> done) {
        done.accept(JobResult.DONE);
    }

    @Override
    public UnitStatus status() {
        return UnitStatus.of(unit, activeState(), "dead").withFailure(why);
    }
}
