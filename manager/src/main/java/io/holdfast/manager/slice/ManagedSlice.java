package io.holdfast.manager.slice;

import io.holdfast.core.state.Fields;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.process.UnitCgroups;
import io.holdfast.manager.runtime.CheckedStart;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.section.SliceUnit;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.view.UnitChecks;
import io.holdfast.manager.view.UnitStatus;
import io.holdfast.manager.view.UnitTimes;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A slice at run time. It has a cgroup while it is active. The units in it require it, so they stop
 * with it and before it.
 */
final class ManagedSlice implements ManagedUnit {
    private final ManagerContext context;
    private final Lane lane;
    private final CheckedStart starting;
    private SliceUnit unit;
    private ActiveState state = ActiveState.INACTIVE;
    private UnitTimes times = UnitTimes.NEVER;

    ManagedSlice(ManagerContext context, SliceUnit unit) {
        this.context = context;
        this.unit = unit;
        lane = context.workers().ownLane(unit.name().text());
        starting = new CheckedStart(context, lane, () -> context.events().changed(unit.name()));
        if (unit.isPerpetual()) {
            enter(ActiveState.ACTIVE);
        }
    }

    @Override
    public Unit unit() {
        return unit;
    }

    @Override
    public Unit newest() {
        return unit;
    }

    @Override
    public void reloaded(Unit newer) {
        if (newer instanceof SliceUnit slice) {
            unit = slice;
        }
    }

    @Override
    public ActiveState activeState() {
        return state;
    }

    @Override
    public boolean isPerpetual() {
        return unit.isPerpetual();
    }

    private void enter(ActiveState next) {
        if (state != next) {
            times = times.withTransition(state, next);
            state = next;
            context.events().changed(unit.name());
        }
    }

    @Override
    public void start(Consumer<JobResult> done) {
        if (state == ActiveState.ACTIVE) {
            done.accept(JobResult.DONE);
        } else {
            starting.begin(unit, done, this::make);
        }
    }

    private void make(Consumer<JobResult> started) {
        withCgroups(
                "the creation of its cgroup",
                cgroups -> cgroups.makeSlice(unit.name()),
                () -> {
                    enter(ActiveState.ACTIVE);
                    started.accept(JobResult.DONE);
                });
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
    public void stop(Consumer<JobResult> done) {
        starting.cancel();
        withCgroups(
                "the removal of its cgroup",
                cgroups -> cgroups.removeSlice(unit.name()),
                () -> {
                    enter(ActiveState.INACTIVE);
                    done.accept(JobResult.DONE);
                    context.events().settled(unit.name(), state);
                });
    }

    /**
     * Runs a task on a worker. A failure is logged and stops nothing: units make the cgroups that
     * they need.
     */
    private void withCgroups(String what, Consumer<UnitCgroups> task, Runnable then) {
        Optional<UnitCgroups> cgroups = context.cgroups();
        if (cgroups.isEmpty()) {
            then.run();
            return;
        }
        Work<Boolean> _ =
                lane.work(
                                what,
                                () -> {
                                    task.accept(cgroups.get());
                                    return true;
                                })
                        .begin((_, failure) -> {
                            if (failure != null) {
                                context.warn(unit.name(), what + ": " + Work.reason(failure));
                            }
                            then.run();
                        });
    }

    @Override
    public void reload(Consumer<JobResult> done) {
        done.accept(JobResult.INVALID); // it has no processes of its own
    }

    /** Does nothing: a slice cannot fail. */
    @Override
    public void resetFailed() {}

    @Override
    public UnitTimes times() {
        return times;
    }

    @Override
    public Optional<Fields> record() {
        return state == ActiveState.ACTIVE && !isPerpetual()
                ? Optional.of(
                        new Fields().put("state", state.name()).put("times", times.toString()))
                : Optional.empty();
    }

    @Override
    public Runnable restore(Fields record) {
        state = record.word("state", ActiveState.class);
        times = UnitTimes.parse(record.text("times"));
        return () -> {};
    }

    @Override
    public UnitStatus status() {
        boolean active = state == ActiveState.ACTIVE;
        UnitStatus status =
                UnitStatus.of(unit, state, active ? "active" : "dead")
                        .withFailure(starting.failure());
        return active
                ? status.withCgroup(
                        context.cgroups().map(cgroups -> cgroups.pathOf(unit.name()).path()))
                : status;
    }
}
