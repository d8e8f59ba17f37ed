package io.holdfast.manager.runtime;

import io.holdfast.core.state.Fields;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.view.UnitChecks;
import io.holdfast.manager.view.UnitStatus;
import io.holdfast.manager.view.UnitTimes;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A unit without processes, which is active or inactive and cannot fail. Used on the event loop.
 */
public abstract class PassiveUnit implements ManagedUnit {
    protected final ManagerContext context;

    /** Runs the checks before a start. */
    protected final Lane lane;

    private final CheckedStart starting;
    private Unit unit;
    private @Nullable Unit gone; // the last read, which found no files
    private ActiveState state = ActiveState.INACTIVE;
    private UnitTimes times = UnitTimes.NEVER;

    protected PassiveUnit(ManagerContext context, Unit unit) {
        this.context = context;
        this.unit = unit;
        lane = context.workers().ownLane(unit.name().text());
        starting = new CheckedStart(context, lane, () -> context.events().changed(unit.name()));
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
        return state;
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

    protected final void enter(ActiveState next) {
        if (state != next) {
            times = times.withTransition(state, next);
            state = next;
            context.events().changed(unit.name());
        }
    }

    /**
     * Does what makes it active, after its conditions were checked.
     *
     * @param done to be called when that is done
     */
    protected void begin(Runnable done) {
        done.run();
    }

    /**
     * Does what makes it inactive.
     *
     * @param done to be called when that is done
     */
    protected void end(Runnable done) {
        done.run();
    }

    @Override
    public void start(Consumer<JobResult> done) {
        if (state == ActiveState.ACTIVE) {
            done.accept(JobResult.DONE);
            return;
        }
        starting.begin(
                unit,
                done,
                started ->
                        begin(() -> {
                            enter(ActiveState.ACTIVE);
                            started.accept(JobResult.DONE);
                        }));
    }

    @Override
    public void stop(Consumer<JobResult> done) {
        starting.cancel();
        end(() -> {
            enter(ActiveState.INACTIVE);
            done.accept(JobResult.DONE);
        });
    }

    @Override
    public void notStarted(String why) {
        starting.failed(why);
    }

    @Override
    public boolean isKept() {
        return starting.isUnderWay() || isPerpetual();
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
    public Optional<Fields> record() {
        return state == ActiveState.ACTIVE && !isPerpetual()
                ? Optional.of(
                        new Fields().put("state", state.name()).put("times", times.toString()))
                : Optional.empty();
    }

    @Override
    public Runnable restore(Fields record) {
        state = ActiveState.ACTIVE; // others are not recorded
        times = UnitTimes.parse(record.text("times"));
        return () -> {};
    }

    @Override
    public UnitStatus status() {
        return UnitStatus.of(unit, state, state == ActiveState.ACTIVE ? "active" : "dead")
                .withFailure(starting.failure());
    }
}
