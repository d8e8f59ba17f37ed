package io.holdfast.manager.job;

import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.UnitName;
import java.time.Duration;
import java.util.Collection;
import java.util.Optional;
import java.util.SequencedCollection;
import java.util.function.Consumer;

/**
 * A unit as its jobs see it. All methods are called on the manager's event loop. Two instances are
 * equal only if they are the same unit.
 */
public interface JobUnit {
    UnitName name();

    ActiveState activeState();

    /**
     * Returns why the unit cannot have such a job: it is not found, masked, or has a bad setting. A
     * stop is always possible.
     */
    Optional<JobRefusedException> problem(JobType type);

    /** Returns whether units of its kind, with its settings, support such a job. */
    boolean isApplicable(JobType type);

    /** Returns the loaded units that have this relation to it, each once. */
    SequencedCollection<? extends JobUnit> related(Relation relation);

    /** Returns all loaded units, including this one. */
    Collection<? extends JobUnit> loaded();

    /** Returns the units that start this one on an event, such as its sockets. */
    Collection<? extends JobUnit> triggeredBy();

    /** Returns whether a request may stop all other units for it ({@code AllowIsolate=}). */
    boolean allowsIsolate();

    /**
     * Returns whether it keeps running when another unit is isolated ({@code IgnoreOnIsolate=}).
     */
    boolean ignoresIsolate();

    /** Returns how long a job of it may take, including waiting ({@code JobTimeoutSec=}). */
    Optional<Duration> jobTimeout();

    /** Returns how long a job of it may take once it has begun ({@code JobRunningTimeoutSec=}). */
    Optional<Duration> jobRunningTimeout();

    /** Called when a job of it was granted and has not begun. */
    default void granted(JobType type) {}

    /** Called when a granted job of it ended without having begun. */
    default void withdrawn(JobType type) {}

    /**
     * Returns whether a job could begin now. If not, the job waits for a change of the unit's
     * state: a start waits until an automatic stop is over.
     */
    boolean isReadyFor(JobType type);

    /**
     * Begins a job: {@link JobType#START}, {@link JobType#STOP}, {@link JobType#RELOAD}, or {@link
     * JobType#RESTART}, for which this does only the stop.
     *
     * @param done called once with the result, perhaps before this method returns
     */
    void begin(JobType type, Consumer<JobResult> done);
}
