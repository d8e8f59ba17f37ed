package io.holdfast.manager.job;

import io.holdfast.manager.unit.UnitName;

/**
 * A job of a unit, as it is at one moment.
 *
 * @param id unique within one process of the manager; the next one counts from 1 again
 * @param isRunning whether it has begun; if not, it waits for jobs that are ordered before it
 */
public record UnitJob(long id, UnitName unit, JobType type, boolean isRunning) {
    /** The word of systemd for where it stands. */
    public String state() {
        return isRunning ? "running" : "waiting";
    }
}
