package io.holdfast.manager;

import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.UnitType;
import java.util.Map;

/**
 * What a manager has done since it began, and what it holds at one moment. It does not include the
 * work of earlier managers below the same keeper, except the number of crashes.
 *
 * @param units loaded units, by type and state
 * @param cgroups the paths of the cgroups of units, by the units' names
 * @param waitingJobs jobs that have not begun
 * @param runningJobs jobs that have begun
 * @param finishedJobs ended jobs, by result
 * @param processes main and control processes of services
 * @param restarts automatic restarts of services
 * @param logLines lines that units have written
 * @param notifyMessages messages received on the notify socket
 * @param refusedNotifyMessages received messages that were refused or ignored
 * @param crashes managers that have ended unexpectedly since the keeper was started
 * @param adopted units that this manager has adopted from the previous one
 * @param faults internal errors that the manager survived
 */
public record ManagerMetrics(
        Map<UnitType, Map<ActiveState, Long>> units,
        Map<String, String> cgroups,
        long waitingJobs,
        long runningJobs,
        Map<JobResult, Long> finishedJobs,
        Processes processes,
        long restarts,
        long logLines,
        long notifyMessages,
        long refusedNotifyMessages,
        int crashes,
        int adopted,
        long faults) {
    public ManagerMetrics {
        units = Map.copyOf(units);
        cgroups = Map.copyOf(cgroups);
        finishedJobs = Map.copyOf(finishedJobs);
    }

    /**
     * The processes that the manager spawned for services.
     *
     * @param spawned processes that execute their program
     * @param failed processes that could not be spawned
     * @param exits ended main and control processes, by {@code success}, {@code exit-code}, {@code
     *     signal}, {@code core-dump} or {@code unknown}
     */
    public record Processes(long spawned, long failed, Map<String, Long> exits) {
        public Processes {
            exits = Map.copyOf(exits);
        }
    }
}
