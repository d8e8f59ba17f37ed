package io.holdfast.manager.view;

import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.unit.section.Unit;
import java.util.Optional;

/**
 * A snapshot of a unit and of its definitions.
 *
 * @param unit the definition, from the files when they last existed
 * @param inForce as its files were when it was started
 * @param newest as its files were last read, even if they were gone
 * @param perpetual whether it cannot be stopped
 * @param service the state of a service that is loaded
 * @param socket the state of a socket that is loaded
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
