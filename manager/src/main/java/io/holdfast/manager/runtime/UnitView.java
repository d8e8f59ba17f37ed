package io.holdfast.manager.runtime;

import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.unit.section.Unit;
import java.util.Optional;

/**
 * A unit as its files describe it and as it is at one moment.
 *
 * @param service of a service that is loaded
 * @param socket of a socket that is loaded
 */
public record UnitView(
        Unit unit,
        UnitStatus status,
        UnitTimes times,
        Optional<UnitJob> job,
        Optional<ServiceView> service,
        Optional<SocketStatus> socket) {}
