package io.holdfast.manager;

import io.holdfast.manager.unit.Unit;
import java.util.function.Consumer;

/** A target, and any other unit that has no processes of its own: active once it is reached. */
final class ManagedTarget implements ManagedUnit {
    private Unit unit;
    private boolean reached;

    ManagedTarget(Unit unit) {
        this.unit = unit;
    }

    @Override
    public Unit unit() {
        return unit;
    }

    @Override
    public ActiveState activeState() {
        return reached ? ActiveState.ACTIVE : ActiveState.INACTIVE;
    }

    @Override
    public void reloaded(Unit newer) {
        unit = newer;
    }

    @Override
    public void start(Consumer<JobResult> done) {
        reached = true;
        done.accept(JobResult.DONE);
    }

    @Override
    public void stop(boolean restarting, Consumer<JobResult> done) {
        reached = false;
        done.accept(JobResult.DONE);
    }

    @Override
    public void reload(Consumer<JobResult> done) {
        done.accept(JobResult.INVALID); // there is nothing to it
    }

    /** It cannot fail. */
    @Override
    public void resetFailed() {}

    @Override
    public UnitStatus status() {
        return UnitStatus.of(unit, activeState(), activeState().word());
    }
}
