package io.holdfast.manager.job;

import io.holdfast.manager.unit.UnitName;

/**
 * A job of a unit at one moment.
 *
 * @param id unique until the manager ends; a manager that adopts its units counts on
 * @param isRunning whether it has begun; if not, it waits for jobs that are ordered before it
 */
public record UnitJob(long id, UnitName unit, JobType type, boolean isRunning) {
    /** Returns the state as systemd names it. */
    public String state() {
        return isRunning ? "running" : "waiting";
    }
}
