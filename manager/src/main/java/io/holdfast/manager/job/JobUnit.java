package io.holdfast.manager.job;

import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.UnitName;
import java.time.Duration;
import java.util.Collection;
import java.util.Optional;
import java.util.function.Consumer;

/** A unit as its jobs see it. All methods on the manager's loop; two are equal if they are one. */
public interface JobUnit {
    UnitName name();

    ActiveState activeState();

    /**
     * Why it cannot have such a job: it is not found, masked, or has a bad setting. A stop always
     * can.
     */
    Optional<JobRefusedException> problem(JobType type);

    /** Whether units of its kind, with its settings, can have such a job. */
    boolean isApplicable(JobType type);

    /** The loaded units that have this relation to it, each once. */
    Collection<? extends JobUnit> related(Relation relation);

    /** All units that are loaded, this one included. */
    Collection<? extends JobUnit> loaded();

    /** The units that start this one when something comes: its sockets. */
    Collection<? extends JobUnit> triggeredBy();

    /** Whether a request may stop everything else for it ({@code AllowIsolate=}). */
    boolean allowsIsolate();

    /** Whether it stays when another unit is isolated ({@code IgnoreOnIsolate=}). */
    boolean ignoresIsolate();

    /** How long a job of it may take, waiting included ({@code JobTimeoutSec=}). */
    Optional<Duration> jobTimeout();

    /** How long a job of it may take once it has begun ({@code JobRunningTimeoutSec=}). */
    Optional<Duration> jobRunningTimeout();

    /** A job of it was granted, and has not begun. */
    default void granted(JobType type) {}

    /** A granted job of it ended, and had not begun. */
    default void withdrawn(JobType type) {}

    /**
     * Whether a job could begin now. If not, it waits for a change of the unit's state: a start
     * waits until a stop by itself is over.
     */
    boolean isReadyFor(JobType type);

    /**
     * Begins a job: {@link JobType#START}, {@link JobType#STOP}, {@link JobType#RELOAD}, or {@link
     * JobType#RESTART}, of which this is the stop.
     *
     * @param done called once with how it ended, perhaps before this returns
     */
    void begin(JobType type, Consumer<JobResult> done);
}
