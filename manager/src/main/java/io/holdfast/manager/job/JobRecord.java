package io.holdfast.manager.job;

/**
 * A job as the next manager has to know it.
 *
 * @param isRunning whether it has begun
 * @param isIrreversible whether no other request may replace it
 * @param ignoresOrder whether it waits for no other job
 * @param timeoutAt when it times out, by {@link System#nanoTime}; 0: it does not
 */
public record JobRecord(
        long id,
        JobType type,
        boolean isRunning,
        boolean isIrreversible,
        boolean ignoresOrder,
        long timeoutAt) {}
