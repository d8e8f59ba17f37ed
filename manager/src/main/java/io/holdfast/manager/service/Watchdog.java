package io.holdfast.manager.service;

import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.unit.value.TimeSpan;

/** Ends a service that does not send its keep-alive in time ({@code WatchdogSec=}). */
final class Watchdog {
    private final ServiceLife life;
    private final ServiceReload reload;
    private final ServiceStop stop;

    Watchdog(ServiceLife life, ServiceReload reload, ServiceStop stop) {
        this.life = life;
        this.reload = reload;
        this.stop = stop;
    }

    /** Restarts the timeout, if the service is up. */
    void feed() {
        if (watches()) {
            life.watchdog.set(life.watchdogTime(), this::expired);
        }
    }

    /** Handles {@code WATCHDOG_USEC=}: another timeout for this run. */
    void replace(TimeSpan timeout) {
        life.watchdogTime(timeout);
        feed();
    }

    private boolean watches() {
        return life.is(ServiceState.RUNNING) || life.isReloading();
    }

    /** Handles that the timeout has passed. */
    private void expired() {
        fail("watchdog timeout (WatchdogSec=)");
    }

    /** Handles {@code WATCHDOG=trigger}. */
    void triggered() {
        fail("watchdog triggered by the service (WATCHDOG=trigger)");
    }

    private void fail(String reason) {
        if (watches()) {
            life.fail(reason);
            reload.cancel(JobResult.FAILED);
            stop.watchdogExpired();
        }
    }
}
