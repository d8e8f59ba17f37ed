package io.holdfast.manager.job;

import io.holdfast.manager.unit.ActiveState;
import java.util.Locale;
import java.util.Optional;

/**
 * What a job does to its unit.
 *
 * <p>{@link #TRY_RESTART}, {@link #TRY_RELOAD} and {@link #RELOAD_OR_START} depend on whether the
 * unit is up: {@link #collapse} makes one of the others of them before a job is added.
 */
public enum JobType {
    START,
    /** Ends well if the unit is active, and badly otherwise: nothing is done to it. */
    VERIFY_ACTIVE,
    STOP,
    RELOAD,
    /** A stop, after which the job turns into {@link #START}. */
    RESTART,
    /** Nothing: what is left of a job that has nothing to do. */
    NOP,
    /** A restart, if the unit is up. */
    TRY_RESTART,
    /** A reload, if the unit is up. */
    TRY_RELOAD,
    /** A reload if the unit is up, else a start. */
    RELOAD_OR_START;

    /** The word of systemd. */
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** What this comes to for a unit in that state. */
    public JobType collapse(ActiveState state) {
        boolean down =
                switch (state) {
                    case INACTIVE, FAILED, DEACTIVATING -> true;
                    case ACTIVATING, ACTIVE, RELOADING -> false;
                };
        return switch (this) {
            case TRY_RESTART -> down ? NOP : RESTART;
            case TRY_RELOAD -> down ? NOP : RELOAD;
            case RELOAD_OR_START -> down ? START : RELOAD;
            default -> this;
        };
    }

    /**
     * The one job that does what two of the same unit do; empty if one would undo the other.
     *
     * <pre>
     *                 start          verify-active  reload
     * verify-active   start
     * reload          reload-or-start  reload
     * restart         restart        restart        restart
     * </pre>
     *
     * A stop goes together with nothing else.
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

    /** Whether one would undo the other: a job that does nothing is in no other's way. */
    boolean conflictsWith(JobType other) {
        return this != NOP && other != NOP && merge(other).isEmpty();
    }

    /** Whether a job of this type does all that one of the other does. */
    boolean includes(JobType other) {
        return merge(other).filter(merged -> merged == this).isPresent();
    }

    /**
     * Whether the unit is already what this would make of it. A restart is never redundant, since
     * what the unit was started with may be out of date.
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

    /** Whether it stops the unit first. */
    boolean isStopping() {
        return this == STOP || this == RESTART;
    }
}
