package io.holdfast.manager.target;

import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.UnitStatus;
import io.holdfast.manager.runtime.UnitTimes;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.Unit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A target: active once it is reached. */
final class ManagedTarget implements ManagedUnit {
    private Unit unit;
    private @Nullable Unit gone; // as it was read when there was none any more
    private final Runnable changed;
    private boolean reached;
    private UnitTimes times = UnitTimes.NEVER;

    /**
     * @param changed called after each change of its state
     */
    ManagedTarget(Unit unit, Runnable changed) {
        this.unit = unit;
        this.changed = changed;
    }

    @Override
    public Unit unit() {
        return unit;
    }

    @Override
    public Unit newest() {
        return gone == null ? unit : gone;
    }

    @Override
    public ActiveState activeState() {
        return reached ? ActiveState.ACTIVE : ActiveState.INACTIVE;
    }

    @Override
    public void reloaded(Unit newer) {
        if (newer.source().state() == UnitSource.State.NOT_FOUND) {
            gone = newer;
        } else {
            gone = null;
            unit = newer;
        }
    }

    @Override
    public void start(Consumer<JobResult> done) {
        reached(true);
        done.accept(JobResult.DONE);
    }

    private void reached(boolean now) {
        if (reached != now) {
            ActiveState before = activeState();
            reached = now;
            times = times.after(before, activeState());
            changed.run();
        }
    }

    @Override
    public UnitTimes times() {
        return times;
    }

    @Override
    public void stop(Consumer<JobResult> done) {
        reached(false);
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
        return UnitStatus.of(unit, activeState(), reached ? "active" : "dead");
    }
}
