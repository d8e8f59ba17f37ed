package io.holdfast.manager.runtime;

import io.holdfast.core.state.Fields;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.view.UnitChecks;
import io.holdfast.manager.view.UnitStatus;
import io.holdfast.manager.view.UnitTimes;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A unit without processes that waits for an event, and then starts another unit: a timer, a path
 * or an automount.
 *
 * <pre>
 *   start       dead, failed ─▶ waiting ─▶ running ─▶ waiting
 *               waiting, running ─▶ elapsed ─▶ waiting
 *               dead, failed ─▶ running
 *   stop        waiting, running, elapsed ─▶ dead, failed
 *   refused     dead ─▶ failed
 *   reset       failed ─▶ dead
 * </pre>
 *
 * It is running from the event until the triggered unit is down again. A definition that was read
 * anew takes effect at once, as in systemd. Used on the event loop.
 */
public abstract class TriggeringUnit implements ManagedUnit {
    /** The state, named as in systemd. */
    public enum State {
        DEAD(ActiveState.INACTIVE),
        FAILED(ActiveState.FAILED),
        /** It waits for its event. */
        WAITING(ActiveState.ACTIVE),
        /** The unit that it has triggered is up. */
        RUNNING(ActiveState.ACTIVE),
        /** No further event can come. */
        ELAPSED(ActiveState.ACTIVE);

        /** All transitions. */
        static final StateTable<State> TABLE =
                StateTable.of(State.class)
                        .from(DEAD, EnumSet.of(WAITING, RUNNING, ELAPSED, FAILED))
                        .from(FAILED, EnumSet.of(WAITING, RUNNING, ELAPSED, DEAD))
                        .from(WAITING, EnumSet.of(RUNNING, ELAPSED, DEAD, FAILED))
                        .from(RUNNING, EnumSet.of(WAITING, ELAPSED, DEAD, FAILED))
                        .from(ELAPSED, EnumSet.of(WAITING, RUNNING, DEAD, FAILED))
                        .build();

        private final ActiveState active;

        State(ActiveState active) {
            this.active = active;
        }

        /** Returns whether the unit is active. */
        public boolean isUp() {
            return active == ActiveState.ACTIVE;
        }

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** The reason why it has failed, in systemd's words. */
    public enum Result {
        SUCCESS,
        /** It could not wait for its event, or the other unit could not be started. */
        RESOURCES,
        /** It was started too often. */
        START_LIMIT_HIT,
        /** It has started the other unit too often. */
        TRIGGER_LIMIT_HIT,
        /** The start limit of the other unit was hit. */
        UNIT_START_LIMIT_HIT,
        /** The start limit of the mount was hit. */
        MOUNT_START_LIMIT_HIT;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    protected final ManagerContext context;

    /** Runs what may block. */
    protected final Lane lane;

    private final CheckedStart starting;
    private Unit unit;
    private @Nullable Unit gone; // the last read, which found no files
    private StartLimit startLimit;
    private State state = State.DEAD;
    private Result result = Result.SUCCESS;
    private UnitTimes times = UnitTimes.NEVER;
    private Instant since = Instant.EPOCH;
    private boolean stopAnnounced;
    private boolean triggering; // the start of the other unit is not over

    protected TriggeringUnit(ManagerContext context, Unit unit) {
        this.context = context;
        this.unit = unit;
        lane = context.workers().ownLane(unit.name().text());
        startLimit = new StartLimit(unit.unit().startLimit());
        starting = new CheckedStart(context, lane, () -> context.events().changed(unit.name()));
    }

    /** Returns the unit that it triggers. */
    protected final UnitName triggered() {
        return unit.triggered().orElseThrow();
    }

    /**
     * Does what may block before it waits, and then {@linkplain #up goes up}; called at each start.
     *
     * @param done to be called with the result
     */
    protected abstract void begin(Consumer<JobResult> done);

    /**
     * Waits for the event: enters waiting or elapsed, or {@link #trigger triggers} at once. Called
     * when the triggered unit is down again, when that may have changed what it waits for, and when
     * the definition has changed.
     */
    protected abstract void await();

    /** Waits no more. */
    protected abstract void ignore();

    /** Handles that the other unit is about to be started. */
    protected void triggering() {}

    /** Handles that it has gone down. */
    protected void wentDown() {}

    /** Handles a change of the other unit's state, while this unit is up. */
    protected void noteTriggered(ManagedUnit other) {}

    /** Adds the fields of its type to a record. */
    protected void recordOwn(Fields fields) {}

    /** Restores the fields of its type. */
    protected void restoreOwn(Fields fields) {}

    @Override
    public Unit unit() {
        return unit;
    }

    @Override
    public Unit newest() {
        return gone == null ? unit : gone;
    }

    protected final UnitName name() {
        return unit.name();
    }

    protected final State state() {
        return state;
    }

    @Override
    public ActiveState activeState() {
        return state.active;
    }

    @Override
    public void reloaded(Unit newer) {
        if (newer.source().state() == UnitSource.State.NOT_FOUND) {
            gone = newer;
            return;
        }
        gone = null;
        Unit before = unit;
        unit = newer;
        if (!newer.unit().startLimit().equals(before.unit().startLimit())) {
            startLimit = new StartLimit(newer.unit().startLimit());
        }
        if (!newer.equals(before) && (state == State.WAITING || state == State.ELAPSED)) {
            ignore();
            awaitUnlessStopping();
        }
    }

    protected final void enter(State next) {
        if (state != next) {
            State.TABLE.check(state, next, text -> context.error(name(), text));
            times = times.withTransition(state.active, next.active);
            state = next;
            since = Instant.now();
        }
        context.events().changed(name());
    }

    // ---- jobs

    @Override
    public void start(Consumer<JobResult> done) {
        if (state.isUp()) {
            done.accept(JobResult.DONE);
            return;
        }
        if (!starting.isUnderWay()) {
            stopAnnounced = false;
            result = Result.SUCCESS;
            if (!startLimit.tryStart(System.nanoTime())) {
                context.events().startLimitHit(name());
                fail(
                        Result.START_LIMIT_HIT,
                        "start limit hit; clear it with: holdfast reset-failed " + name());
                done.accept(JobResult.FAILED);
                return;
            }
        }
        starting.begin(unit, done, this::begin);
    }

    /** Begins to wait, after {@link #begin}. */
    protected final void up(Consumer<JobResult> done) {
        await();
        done.accept(state == State.FAILED ? JobResult.FAILED : JobResult.DONE);
    }

    /** Refuses a start; the state stays as it is. */
    protected final void refuse(Consumer<JobResult> done, String text) {
        context.error(name(), text);
        starting.failed(text);
        done.accept(JobResult.FAILED);
    }

    @Override
    public void stop(Consumer<JobResult> done) {
        starting.cancel();
        down(State.DEAD);
        done.accept(JobResult.DONE);
    }

    private void down(State end) {
        ignore();
        stopAnnounced = false;
        triggering = false;
        boolean settles = state != end && (state.isUp() || end == State.FAILED);
        if (state.isUp() || end == State.FAILED) {
            enter(end);
        }
        wentDown();
        if (settles) {
            context.events().settled(name(), activeState());
        }
    }

    /** Ends without a failure: no event can come. */
    protected final void end() {
        down(State.DEAD);
    }

    protected final void fail(Result why, String text) {
        context.error(name(), text);
        starting.failed(text);
        if (result == Result.SUCCESS) {
            result = why;
        }
        down(State.FAILED);
    }

    @Override
    public void announceStop() {
        if (state.isUp()) {
            stopAnnounced = true;
            ignore();
        }
    }

    @Override
    public void withdrawStop() {
        boolean announced = stopAnnounced;
        stopAnnounced = false;
        if (announced && (state == State.WAITING || state == State.ELAPSED)) {
            await();
        } else if (announced && state == State.RUNNING) {
            awaitIfDown();
        }
    }

    @Override
    public void resetFailed() {
        startLimit.reset();
        if (state == State.FAILED) {
            result = Result.SUCCESS;
            enter(State.DEAD);
        }
    }

    @Override
    public void notStarted(String why) {
        starting.failed(why);
    }

    @Override
    public Optional<Duration> mayStartIn() {
        return startLimit.hitFor(System.nanoTime());
    }

    // ---- the other unit

    /**
     * Starts the other unit, because the event has come.
     *
     * @param variables that describe the event to its processes, beside {@code TRIGGER_UNIT}
     */
    protected final void trigger(String why, Supplier<Map<String, String>> variables) {
        if (stopAnnounced) {
            return;
        }
        ignore();
        triggering();
        enter(State.RUNNING);
        triggering = true;
        context.debug(triggered(), "is started: " + why + " of " + name());
        Map<String, String> all = new HashMap<>(variables.get());
        all.put("TRIGGER_UNIT", name().text());
        context.events().activation().start(name(), triggered(), all, this::triggered);
    }

    private void triggered(boolean begun) {
        triggering = false;
        if (!begun && state.isUp()) {
            fail(Result.RESOURCES, "cannot start " + triggered());
        } else {
            awaitIfDown();
        }
    }

    private void awaitIfDown() {
        if (state == State.RUNNING
                && !triggering
                && context.events().activation().phaseOf(triggered()) == RunPhase.DOWN) {
            awaitUnlessStopping();
        }
    }

    private void awaitUnlessStopping() {
        if (!stopAnnounced) {
            await();
        }
    }

    @Override
    public void triggeredChanged(ManagedUnit other) {
        if (!state.isUp() || !unit.triggers(other.unit())) {
            return;
        }
        noteTriggered(other);
        if (state == State.RUNNING) {
            awaitIfDown();
        } else if (state.isUp()) { // it may have failed
            awaitUnlessStopping();
        }
    }

    // ---- when the manager is killed

    @Override
    public Optional<Fields> record() {
        if (state == State.DEAD) {
            return Optional.empty();
        }
        Fields fields =
                new Fields()
                        .put("state", state.name())
                        .put("since", since.toEpochMilli())
                        .put("result", result.name())
                        .put("failure", starting.failure().orElse(""))
                        .put("times", times.toString());
        startLimit.record(fields);
        recordOwn(fields);
        return Optional.of(fields);
    }

    @Override
    public Runnable restore(Fields record) {
        state = record.word("state", State.class);
        since = Instant.ofEpochMilli(record.number("since"));
        result = record.word("result", Result.class);
        times = UnitTimes.parse(record.text("times"));
        startLimit.restore(record);
        restoreOwn(record);
        record.find("failure").ifPresent(starting::failed);
        return () -> {
            if (state == State.WAITING || state == State.ELAPSED) {
                await();
            } else {
                awaitIfDown();
            }
        };
    }

    @Override
    public void unloaded() {
        ignore();
    }

    @Override
    public void abandon() {
        ignore();
    }

    // ---- status

    @Override
    public boolean isKept() {
        return starting.isUnderWay();
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
    public UnitStatus status() {
        return UnitStatus.of(unit, activeState(), state.word(), since, result.toString())
                .withFailure(starting.failure());
    }
}
