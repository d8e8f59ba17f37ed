package io.holdfast.manager.service;

import io.holdfast.manager.runtime.RunPhase;
import io.holdfast.manager.runtime.StateTable;
import io.holdfast.manager.unit.ActiveState;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/**
 * The state of a service, with its {@link ActiveState} and the states that may follow ({@link
 * #TABLE}).
 *
 * <p>The names are those of systemd, with two differences. A start first checks the conditions of
 * the unit on a worker; meanwhile the unit is still {@code dead} or {@code failed}, and stays so if
 * a condition is not met. And {@code cleaning} is the removal of what was made for the run, after
 * the last process has exited; systemd does that without a separate state.
 */
enum ServiceState {
    DEAD(ActiveState.INACTIVE, RunPhase.DOWN),
    /** Dead, and its descriptor store is kept ({@code FileDescriptorStorePreserve=yes}). */
    DEAD_RESOURCES_PINNED(ActiveState.INACTIVE, RunPhase.DOWN),
    FAILED(ActiveState.FAILED, RunPhase.DOWN),
    /** Dead, while a start checks the unit's conditions. */
    DEAD_CHECKING(ActiveState.INACTIVE, RunPhase.BUSY, "dead"),
    /** Failed, while a start checks the unit's conditions. */
    FAILED_CHECKING(ActiveState.FAILED, RunPhase.BUSY, "failed"),

    /** The run is prepared, and {@code ExecCondition=} runs. */
    CONDITION(ActiveState.ACTIVATING, RunPhase.BUSY),
    START_PRE(ActiveState.ACTIVATING, RunPhase.BUSY),
    START(ActiveState.ACTIVATING, RunPhase.BUSY),
    START_POST(ActiveState.ACTIVATING, RunPhase.BUSY),

    RUNNING(ActiveState.ACTIVE, RunPhase.RUNNING),
    /** No process is left, and it stays active ({@code RemainAfterExit=}). */
    EXITED(ActiveState.ACTIVE, RunPhase.BUSY),
    /** {@code ExecReload=} runs. */
    RELOAD(ActiveState.RELOADING, RunPhase.BUSY),
    /** The reload signal was sent, and the service has not answered. */
    RELOAD_SIGNAL(ActiveState.RELOADING, RunPhase.BUSY),
    /** The service has announced a reload, and has not reported its end. */
    RELOAD_NOTIFY(ActiveState.RELOADING, RunPhase.BUSY),

    /** {@code ExecStop=} runs. */
    STOP(ActiveState.DEACTIVATING, RunPhase.STOPPING),
    /** The main process was sent {@code WatchdogSignal=}. */
    STOP_WATCHDOG(ActiveState.DEACTIVATING, RunPhase.STOPPING),
    /** The processes were sent {@code KillSignal=}. */
    STOP_SIGTERM(ActiveState.DEACTIVATING, RunPhase.STOPPING),
    /** The processes were sent {@code FinalKillSignal=}. */
    STOP_SIGKILL(ActiveState.DEACTIVATING, RunPhase.STOPPING),
    /** {@code ExecStopPost=} runs. */
    STOP_POST(ActiveState.DEACTIVATING, RunPhase.STOPPING),
    /** Processes left by {@code ExecStopPost=} were sent {@code KillSignal=}. */
    FINAL_SIGTERM(ActiveState.DEACTIVATING, RunPhase.STOPPING),
    /** Processes left by {@code ExecStopPost=} were sent {@code FinalKillSignal=}. */
    FINAL_SIGKILL(ActiveState.DEACTIVATING, RunPhase.STOPPING),
    /** The last process has exited, and what was made for the run is being removed. */
    CLEANING(ActiveState.DEACTIVATING, RunPhase.STOPPING),

    /** It ended well and is restarted automatically: the state before {@link #AUTO_RESTART}. */
    DEAD_BEFORE_AUTO_RESTART(ActiveState.INACTIVE, RunPhase.DOWN),
    /** It failed and is restarted automatically: the state before {@link #AUTO_RESTART}. */
    FAILED_BEFORE_AUTO_RESTART(ActiveState.FAILED, RunPhase.DOWN),
    /** It waits for {@code RestartSec=}. */
    AUTO_RESTART(ActiveState.ACTIVATING, RunPhase.WAITING),
    /** The job of its automatic restart is queued. */
    AUTO_RESTART_QUEUED(ActiveState.ACTIVATING, RunPhase.WAITING);

    /** The states that may follow when a run is over and has no processes to stop. */
    private static final Set<ServiceState> ENDS =
            EnumSet.of(
                    DEAD,
                    DEAD_RESOURCES_PINNED,
                    FAILED,
                    DEAD_BEFORE_AUTO_RESTART,
                    FAILED_BEFORE_AUTO_RESTART,
                    AUTO_RESTART); // directly with RestartMode=direct

    /**
     * The states in which the processes of a run are signalled; they may follow its start and its
     * reloads.
     */
    private static final Set<ServiceState> SIGNALS = EnumSet.of(STOP_SIGTERM, STOP_WATCHDOG);

    /** All transitions. */
    static final StateTable<ServiceState> TABLE =
            StateTable.of(ServiceState.class)
                    // the start; if it does not happen, what was preserved for it is removed
                    .from(DEAD, EnumSet.of(DEAD_CHECKING, FAILED, DEAD_RESOURCES_PINNED, CLEANING))
                    .from(DEAD_RESOURCES_PINNED, EnumSet.of(DEAD_CHECKING, FAILED, DEAD, CLEANING))
                    .from(
                            FAILED,
                            EnumSet.of(FAILED_CHECKING, DEAD, DEAD_RESOURCES_PINNED, CLEANING))
                    .from(
                            DEAD_CHECKING,
                            EnumSet.of(CONDITION, CLEANING, DEAD, DEAD_RESOURCES_PINNED, FAILED))
                    .from(FAILED_CHECKING, EnumSet.of(CONDITION, CLEANING, DEAD_CHECKING, FAILED))
                    .from(CONDITION, EnumSet.of(START_PRE, START, STOP_SIGTERM, CLEANING))
                    .from(CONDITION, ENDS)
                    .from(START_PRE, EnumSet.of(START, STOP_SIGTERM))
                    .from(START, EnumSet.of(START_POST, RUNNING, EXITED, STOP, STOP_SIGTERM))
                    .from(START_POST, EnumSet.of(RUNNING, EXITED, STOP, STOP_SIGTERM))
                    // up
                    .from(RUNNING, EnumSet.of(EXITED, RELOAD, RELOAD_SIGNAL, RELOAD_NOTIFY, STOP))
                    .from(RUNNING, SIGNALS)
                    .from(EXITED, EnumSet.of(STOP, STOP_SIGTERM))
                    .from(RELOAD, EnumSet.of(RELOAD_SIGNAL, RELOAD_NOTIFY, RUNNING, EXITED, STOP))
                    .from(RELOAD, SIGNALS)
                    .from(RELOAD_SIGNAL, EnumSet.of(RELOAD_NOTIFY, RUNNING, EXITED, STOP))
                    .from(RELOAD_SIGNAL, SIGNALS)
                    .from(RELOAD_NOTIFY, EnumSet.of(RUNNING, EXITED, STOP))
                    .from(RELOAD_NOTIFY, SIGNALS)
                    // the stop
                    .from(STOP, EnumSet.of(STOP_SIGTERM))
                    .from(
                            STOP_WATCHDOG,
                            EnumSet.of(STOP_SIGTERM, STOP_SIGKILL, STOP_POST, CLEANING))
                    .from(STOP_SIGTERM, EnumSet.of(STOP_SIGKILL, STOP_POST, CLEANING))
                    .from(STOP_SIGKILL, EnumSet.of(STOP_POST, CLEANING))
                    .from(STOP_POST, EnumSet.of(FINAL_SIGTERM, CLEANING))
                    .from(FINAL_SIGTERM, EnumSet.of(FINAL_SIGKILL, CLEANING))
                    .from(FINAL_SIGKILL, EnumSet.of(CLEANING))
                    .from(CLEANING, ENDS)
                    // the automatic restart
                    .from(DEAD_BEFORE_AUTO_RESTART, EnumSet.of(AUTO_RESTART))
                    .from(FAILED_BEFORE_AUTO_RESTART, EnumSet.of(AUTO_RESTART))
                    .from(AUTO_RESTART, EnumSet.of(AUTO_RESTART_QUEUED, CLEANING))
                    .from(AUTO_RESTART, EnumSet.of(DEAD, DEAD_RESOURCES_PINNED, FAILED))
                    .from(AUTO_RESTART_QUEUED, EnumSet.of(CONDITION, CLEANING))
                    .from(AUTO_RESTART_QUEUED, EnumSet.of(DEAD, DEAD_RESOURCES_PINNED, FAILED))
                    .build();

    private final ActiveState active;
    private final RunPhase phase;
    private final String word;

    ServiceState(ActiveState active, RunPhase phase) {
        this.active = active;
        this.phase = phase;
        this.word = name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    ServiceState(ActiveState active, RunPhase phase, String word) {
        this.active = active;
        this.phase = phase;
        this.word = word;
    }

    /**
     * Returns the state in which the next manager adopts a service that was in this state when its
     * manager was killed. A start that had made nothing yet begins again with its job; a state that
     * a service only passes through leads to the next one.
     *
     * @param hasRun whether there is a run to continue
     */
    ServiceState afterCrash(boolean hasRun) {
        return switch (this) {
            case DEAD_CHECKING -> DEAD;
            case FAILED_CHECKING -> FAILED;
            case CONDITION -> hasRun ? CONDITION : DEAD;
            case DEAD_BEFORE_AUTO_RESTART, FAILED_BEFORE_AUTO_RESTART -> AUTO_RESTART;
            default -> this;
        };
    }

    /** Returns the state of the unit as a whole. */
    ActiveState active() {
        return active;
    }

    /** Returns the state as the sockets of the service see it. */
    RunPhase phase() {
        return phase;
    }

    /** Returns the name that systemd uses. */
    String word() {
        return word;
    }

    /** Returns whether a start is checking the unit's conditions. */
    boolean isChecking() {
        return this == DEAD_CHECKING || this == FAILED_CHECKING;
    }

    /**
     * Returns whether the service has no run and none is coming: new settings take effect at once.
     */
    boolean isDown() {
        return this == DEAD || this == DEAD_RESOURCES_PINNED || this == FAILED;
    }
}
