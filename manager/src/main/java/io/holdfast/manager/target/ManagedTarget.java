package io.holdfast.manager.target;

import io.holdfast.core.state.Fields;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.runtime.CheckedStart;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.view.UnitChecks;
import io.holdfast.manager.view.UnitStatus;
import io.holdfast.manager.view.UnitTimes;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A target at run time: active once it is reached. */
final class ManagedTarget implements ManagedUnit {
    private Unit unit;
    private @Nullable Unit gone; // the last read, which found no files
    private final ManagerContext context;
    private final CheckedStart starting;
    private boolean reached;
    private UnitTimes times = UnitTimes.NEVER;

    ManagedTarget(ManagerContext context, Unit unit) {
        this.context = context;
        this.unit = unit;
        this.starting =
                new CheckedStart(
                        context, context.workers().ownLane(unit.name().text()), this::changed);
    }

    private void changed() {
        context.events().changed(unit.name());
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
        if (reached) {
            done.accept(JobResult.DONE);
            return;
        }
        starting.begin(
                unit,
                done,
                started -> {
                    reached(true);
                    started.accept(JobResult.DONE);
                });
    }

    private void reached(boolean now) {
        if (reached != now) {
            ActiveState before = activeState();
            reached = now;
            times = times.withTransition(before, activeState());
            changed();
        }
    }

    @Override
    public void notStarted(String why) {
        starting.failed(why);
    }

    @Override
    public boolean isKept() {
        return starting.isUnderWay() || ManagedUnit.super.isKept();
    }

    @Override
    public UnitChecks checks() {
        return starting.checks();
    }

    @Override
    public UnitTimes times() {
        return times;
    }

    @Override
    public void stop(Consumer<JobResult> done) {
        starting.cancel();
        reached(false);
        done.accept(JobResult.DONE);
    }

    @Override
    public void reload(Consumer<JobResult> done) {
        done.accept(JobResult.INVALID); // a target cannot be reloaded
    }

    /** Does nothing: a target cannot fail. */
    @Override
    public void resetFailed() {}

    @Override
    public Optional<Fields> record() {
        return reached
                ? Optional.of(new Fields().put("state", "REACHED").put("times", times.toString()))
                : Optional.empty();
    }

    @Override
    public Runnable restore(Fields record) {
        reached = record.text("state").equals("REACHED");
        times = UnitTimes.parse(record.text("times"));
        return () -> {};
    }

    @Override
    public UnitStatus status() {
        return UnitStatus.of(unit, activeState(), reached ? "active" : "dead")
                .withFailure(starting.failure());
    }
}
