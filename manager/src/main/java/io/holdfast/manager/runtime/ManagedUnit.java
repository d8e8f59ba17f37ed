package io.holdfast.manager.runtime;

import io.holdfast.core.Signal;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.loop.DualTimestamp;
import io.holdfast.manager.process.KillWhom;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.view.ServiceView;
import io.holdfast.manager.view.SocketStatus;
import io.holdfast.manager.view.UnitChecks;
import io.holdfast.manager.view.UnitStatus;
import io.holdfast.manager.view.UnitTimes;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/** A unit at run time. All methods on the manager's loop. */
public interface ManagedUnit {
    /**
     * What its files say; the newest that was read while it was inactive. That they are gone never
     * comes in force: it is known by its names until it is forgotten.
     */
    Unit unit();

    /**
     * What its files said when they were last read; of what is up, in force from the next start.
     */
    Unit newest();

    /** What its files said when they were last there: its dependencies are those. */
    default Unit meant() {
        Unit newest = newest();
        return newest.source().state() == UnitSource.State.LOADED ? newest : unit();
    }

    ActiveState activeState();

    /** Whether a start leaves it as it is, or joins the one that is under way. */
    default boolean goesOn() {
        return activeState().isUp();
    }

    /** Whether it is there for as long as the manager, and cannot be stopped. */
    default boolean isPerpetual() {
        return false;
    }

    /** Whether it can be started once only: then there is no restart of it. */
    default boolean startsOnce() {
        return false;
    }

    /**
     * Whether it stays loaded though it is at rest and has no job: what it keeps would be lost, or
     * a start that has begun, and that outlives its job, would go on in what nobody holds.
     */
    default boolean isKept() {
        return isPerpetual();
    }

    /** It is not in the table any more: nothing comes of it again. */
    default void unloaded() {}

    /** Why this manager cannot start what these files say, or empty. */
    default Optional<String> unsupported(Unit next) {
        return Optional.empty();
    }

    /** What its files say now, to be in force from the next start. */
    void reloaded(Unit unit);

    /** Whether a job can begin now; if not, it waits for a change of the unit's state. */
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
     * Starts it, or waits for a start that is under way. Only while it {@linkplain #isReadyFor is
     * ready} for a start.
     *
     * @param done called once with how that went
     */
    void start(Consumer<JobResult> done);

    /**
     * Stops it, or waits for a stop that is under way; also ends a wait for a restart.
     *
     * @param done called once when it is inactive or failed
     */
    void stop(Consumer<JobResult> done);

    /**
     * A stop of it is to come, after what is stopped before: until then it begins nothing new by
     * itself.
     */
    default void announceStop() {}

    /** The announced stop does not come: the unit works on. */
    default void withdrawStop() {}

    /** The job of a start has ended before the start began. */
    default void withdrawStart() {}

    /**
     * Makes it take up its configuration again, or waits for a reload that is under way.
     *
     * @param done called once with how that went: INVALID if it cannot, or is not running
     */
    void reload(Consumer<JobResult> done);

    /** Forgets that it has failed, and how often it was started. */
    void resetFailed();

    /**
     * Signals its processes because somebody asked for it.
     *
     * @param all its whole cgroup, or the main process and what runs beside it
     * @return false if it has none
     */
    default boolean kill(Signal signal, boolean all) {
        return false;
    }

    /**
     * The same of some of them.
     *
     * @param value sent with it, as sigqueue(3) does
     * @return whether there were such
     */
    default boolean kill(Signal signal, KillWhom whom, OptionalInt value) {
        return false;
    }

    /**
     * Leaves its processes to themselves: whoever has made it takes no interest in it any more.
     *
     * @return false if it is no scope that runs
     */
    default boolean release() {
        return false;
    }

    /** When nobody runs the loop any more: kills what runs, and lets go of it. */
    default void abandon() {}

    /** How long it must not be started yet, since that was done too often. */
    default Optional<Duration> mayStartIn() {
        return Optional.empty();
    }

    /**
     * A start of it has ended without its doing.
     *
     * @param why for its status
     */
    default void notStarted(String why) {}

    /** When it came into its states. */
    default UnitTimes times() {
        return UnitTimes.NEVER;
    }

    /**
     * Whether its end is hidden from units that are bound to it, since it is started again at once
     * ({@code RestartMode=direct}).
     */
    default boolean restartsDirectly() {
        return false;
    }

    /** What came of its conditions and assertions. */
    default UnitChecks checks() {
        DualTimestamp started = times().inactiveExit();
        return started.equals(DualTimestamp.NEVER)
                ? UnitChecks.NEVER
                : new UnitChecks(true, true, started, started, Map.of());
    }

    /** What is known of it as a service. */
    default Optional<ServiceView> service() {
        return Optional.empty();
    }

    /** What is known of it as a socket. */
    default Optional<SocketStatus> socket() {
        return Optional.empty();
    }

    /** A description of its present state. */
    UnitStatus status();

    /** What the next manager needs to know of it, should this one be killed; empty: nothing. */
    default Optional<Fields> record() {
        return Optional.empty();
    }

    /**
     * Becomes what it was for a manager that was killed. Before the loop runs; blocking.
     *
     * @param record what that one has written down last
     * @return what is to be done when all units are restored
     * @throws IllegalArgumentException if that is no record of such a unit
     */
    default Runnable restore(Fields record) {
        return () -> {};
    }
}
