package io.holdfast.manager.view;

import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.unit.section.Unit;
import java.util.Optional;

/**
 * A unit as its files describe it and as it is at one moment.
 *
 * @param unit as its files were when they were last there
 * @param inForce as they were when it was started
 * @param newest as they were last read, also if they were gone
 * @param perpetual whether it cannot be stopped
 * @param service of a service that is loaded
 * @param socket of a socket that is loaded
 */
public record UnitView(
        Unit unit,
        Unit inForce,
        Unit newest,
        UnitStatus status,
        UnitTimes times,
        UnitChecks checks,
        Optional<UnitJob> job,
        boolean perpetual,
        Optional<ServiceView> service,
        Optional<SocketStatus> socket) {}
