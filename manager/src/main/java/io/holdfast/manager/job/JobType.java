package io.holdfast.manager.job;

import io.holdfast.manager.unit.ActiveState;
import java.util.Locale;
import java.util.Optional;

/**
 * What a job does to its unit.
 *
 * <p>{@link #TRY_RESTART}, {@link #TRY_RELOAD} and {@link #RELOAD_OR_START} depend on whether the
 * unit is up: {@link #collapse} replaces them by one of the others before a job is queued.
 */
public enum JobType {
    START,
    /** Succeeds if the unit is active, and fails otherwise; does nothing to the unit. */
    VERIFY_ACTIVE,
    STOP,
    RELOAD,
    /** A stop, after which the job turns into {@link #START}. */
    RESTART,
    /** Does nothing: the remainder of a job that has nothing to do. */
    NOP,
    /** A restart, if the unit is up. */
    TRY_RESTART,
    /** A reload, if the unit is up and has started. */
    TRY_RELOAD,
    /** A reload if the unit is up and has started, else a start. */
    RELOAD_OR_START;

    /** Returns the name that systemd uses. */
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Returns the type that this one becomes for a unit in that state. */
    public JobType collapse(ActiveState state) {
        boolean down =
                switch (state) {
                    case INACTIVE, FAILED, DEACTIVATING -> true;
                    case ACTIVATING, ACTIVE, RELOADING -> false;
                };
        boolean starts = state == ActiveState.ACTIVATING; // with the current configuration
        return switch (this) {
            case TRY_RESTART -> down ? NOP : RESTART;
            case TRY_RELOAD -> down || starts ? NOP : RELOAD;
            case RELOAD_OR_START -> down || starts ? START : RELOAD;
            default -> this;
        };
    }

    /**
     * Returns the one type that does the work of two jobs of the same unit; empty if one would undo
     * the other.
     *
     * <pre>
     *                 start          verify-active  reload
     * verify-active   start
     * reload          reload-or-start  reload
     * restart         restart        restart        restart
     * </pre>
     *
     * A stop cannot be merged with any other type.
     */
    Optional<JobType> merge(JobType other) {
        if (this == other) {
            return Optional.of(this);
        }
        if (this == NOP || other == NOP || this == STOP || other == STOP) {
            return Optional.empty();
        }
        if (this == RESTART || other == RESTART) {
            return Optional.of(RESTART);
        }
        if (this == VERIFY_ACTIVE) {
            return Optional.of(other);
        }
        if (other == VERIFY_ACTIVE) {
            return Optional.of(this);
        }
        return Optional.of(RELOAD_OR_START);
    }

    /** Returns whether one would undo the other; a job that does nothing conflicts with none. */
    boolean conflictsWith(JobType other) {
        return this != NOP && other != NOP && merge(other).isEmpty();
    }

    /** Returns whether a job of this type does all that a job of the other type does. */
    boolean includes(JobType other) {
        return merge(other).filter(merged -> merged == this).isPresent();
    }

    /**
     * Returns whether the unit is already in the state that this job leads to. A restart is never
     * redundant, because the configuration that the unit was started with may be out of date.
     */
    boolean isRedundant(ActiveState state) {
        return switch (this) {
            case START, VERIFY_ACTIVE ->
                    state == ActiveState.ACTIVE || state == ActiveState.RELOADING;
            case STOP -> state == ActiveState.INACTIVE || state == ActiveState.FAILED;
            case RELOAD -> state == ActiveState.RELOADING;
            case NOP -> true;
            default -> false;
        };
    }

    /** Returns whether it stops the unit first. */
    boolean isStopping() {
        return this == STOP || this == RESTART;
    }
}
