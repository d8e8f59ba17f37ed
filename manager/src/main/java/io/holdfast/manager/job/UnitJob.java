package io.holdfast.manager.job;

import io.holdfast.manager.unit.UnitName;

/**
 * A job of a unit, as it is at one moment.
 *
 * @param id counted from 1, never used again by a manager
 * @param running whether it has begun; else it waits for others that it is ordered behind
 */
public record UnitJob(long id, UnitName unit, JobType type, boolean running) {
    /** The word of systemd for where it stands. */
    public String state() {
        return running ? "running" : "waiting";
    }
}
