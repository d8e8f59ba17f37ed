package io.holdfast.manager.runtime;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.exec.PassedDescriptors;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.loop.DualTimestamp;
import io.holdfast.manager.notify.NotifyRouter;
import io.holdfast.manager.process.KillWhom;
import io.holdfast.manager.resource.ResourceUsage;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.view.UnitChecks;
import io.holdfast.manager.view.UnitDetails;
import io.holdfast.manager.view.UnitStatus;
import io.holdfast.manager.view.UnitTimes;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/** A unit at run time. All methods are called on the manager's event loop. */
public interface ManagedUnit {
    /**
     * Returns the definition in effect: the newest that was read while the unit was inactive. If
     * the files vanish, the loaded definition stays in effect, and the unit keeps its names until
     * it is unloaded.
     */
    Unit unit();

    /**
     * Returns the definition that was last read from its files; for a unit that is up it takes
     * effect at the next start.
     */
    default Unit newest() {
        return unit();
    }

    /** Returns the definition that was last found in its files; its dependencies come from it. */
    default Unit lastDefinition() {
        Unit newest = newest();
        return newest.source().state() == UnitSource.State.LOADED ? newest : unit();
    }

    ActiveState activeState();

    /** Returns its state as the units that trigger it see it. */
    default RunPhase phase() {
        return RunPhase.of(activeState());
    }

    /** Returns whether a start leaves the unit as it is, or joins a start that is under way. */
    default boolean keepsRunningOnStart() {
        return activeState().isUp();
    }

    /** Returns whether the unit exists for as long as the manager, and cannot be stopped. */
    default boolean isPerpetual() {
        return false;
    }

    /**
     * Returns whether the unit must stay loaded though it is inactive and has no job: it keeps
     * something that would be lost, or a start that outlives its job is still under way.
     */
    default boolean isKept() {
        return isPerpetual();
    }

    /** Called when the unit is no longer in the table; it must do nothing from then on. */
    default void unloaded() {}

    /** Returns why this manager cannot start the unit with these files; empty if it can. */
    default Optional<String> unsupported(Unit next) {
        return Optional.empty();
    }

    /** Takes a new definition, which takes effect at the next start. */
    void reloaded(Unit unit);

    /** Returns whether a job can begin now; if not, it waits for a change of the unit's state. */
    default boolean isReadyFor(JobType type) {
        return switch (type) {
            case START -> activeState() != ActiveState.DEACTIVATING;
            case RELOAD ->
                    activeState() != ActiveState.RELOADING
                            && activeState() != ActiveState.ACTIVATING;
            default -> true;
        };
    }

    /**
     * Starts the unit, or waits for a start that is under way. Called only while it {@linkplain
     * #isReadyFor is ready} for a start.
     *
     * @param done called once with the result
     */
    void start(Consumer<JobResult> done);

    /**
     * Stops the unit, or waits for a stop that is under way; also cancels a pending automatic
     * restart.
     *
     * @param done called once when it is inactive or failed
     */
    void stop(Consumer<JobResult> done);

    /**
     * Announces a stop that waits for other stops: until then the unit begins nothing new
     * automatically.
     */
    default void announceStop() {}

    /** Withdraws the announced stop: the unit continues normally. */
    default void withdrawStop() {}

    /** Called when the job of a start has ended before the start began. */
    default void withdrawStart() {}

    /**
     * Makes the unit reload its configuration, or waits for a reload that is under way.
     *
     * @param done called once with the result: INVALID if it cannot reload, as here, or is not
     *     running
     */
    default void reload(Consumer<JobResult> done) {
        done.accept(JobResult.INVALID);
    }

    /** Resets its failed state and its start counter; does nothing for a unit that cannot fail. */
    default void resetFailed() {}

    /** Closes the descriptors that it stores for its next run. Called only if it is down. */
    default void releaseDescriptors() {}

    /**
     * Sends a signal to some of its processes.
     *
     * @param value sent with the signal, as sigqueue(3) does
     * @return whether there were such processes
     */
    default boolean kill(Signal signal, KillWhom whom, OptionalInt value) {
        return false;
    }

    /**
     * Stops managing its processes, which run on: their creator has no further interest in the
     * unit.
     *
     * @return false if it is not a running scope
     */
    default boolean release() {
        return false;
    }

    /**
     * Passes it the resources of the request that made it, before its first start.
     *
     * @param resources closed by the unit; a unit that uses none closes them at once
     */
    default void take(TransientResources resources) {
        resources.close();
    }

    /**
     * Adopts an orphan that belongs to its present run; otherwise the caller keeps it.
     *
     * @param invocation the run that the orphan's environment names
     */
    default boolean adopt(PidFd orphan, String invocation) {
        return false;
    }

    /** Returns the cgroup of its present run, lent; empty if it has none. */
    default Optional<Cgroup> cgroup() {
        return Optional.empty();
    }

    /** Returns the recipient of its notify messages, if its processes may send any. */
    default Optional<NotifyRouter.Recipient> recipient() {
        return Optional.empty();
    }

    /** Kills its processes and releases them. Called when the loop no longer runs. */
    default void abandon() {}

    /** Returns how long its start limit still refuses starts; empty if it does not. */
    default Optional<Duration> mayStartIn() {
        return Optional.empty();
    }

    /**
     * Called when a start of it ended before the unit could fail by itself.
     *
     * @param why for its status
     */
    default void notStarted(String why) {}

    /** Returns when it entered its states. */
    default UnitTimes times() {
        return UnitTimes.NEVER;
    }

    /**
     * Returns whether its end is hidden from units that are bound to it, because it is restarted at
     * once ({@code RestartMode=direct}).
     */
    default boolean restartsDirectly() {
        return false;
    }

    /** Returns the variables that describe its end to a unit that is started because of it. */
    default Map<String, String> monitorVariables() {
        return Map.of();
    }

    /** Handles that a unit that it triggers has changed its phase or its active state. */
    default void triggeredChanged(ManagedUnit triggered) {}

    /** Returns duplicates of the descriptors that it passes to a unit that it triggers. */
    default List<PassedDescriptors.Passed> passedTo(Unit triggered) {
        return List.of();
    }

    /** Returns the results of its conditions and assertions. */
    default UnitChecks checks() {
        DualTimestamp started = times().inactiveExit();
        return started.equals(DualTimestamp.NEVER)
                ? UnitChecks.NEVER
                : new UnitChecks(true, true, started, started, Map.of());
    }

    /** Returns the state that its type adds to its status. */
    default Optional<? extends UnitDetails> details() {
        return Optional.empty();
    }

    /** Returns what its cgroup uses, or has used in the last run. Reads files of the kernel. */
    default ResourceUsage usage() {
        return ResourceUsage.UNKNOWN;
    }

    /** Returns its present state. */
    UnitStatus status();

    /**
     * Returns the record of it that the next manager needs if this one is killed; empty if there is
     * nothing to record.
     */
    default Optional<Fields> record() {
        return Optional.empty();
    }

    /**
     * Restores the state that it had in a killed manager. Called before the loop runs; blocking.
     *
     * @param record the last record of that manager
     * @return to be run when all units are restored
     * @throws IllegalArgumentException if it is not a record of such a unit
     */
    default Runnable restore(Fields record) {
        return () -> {};
    }
}
