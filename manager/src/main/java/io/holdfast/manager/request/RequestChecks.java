package io.holdfast.manager.request;

import io.holdfast.manager.job.JobEngine;
import io.holdfast.manager.job.JobRefusedException;
import io.holdfast.manager.job.JobRefusedException.Reason;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.JobUnit;
import io.holdfast.manager.job.Relation;
import io.holdfast.manager.runtime.LoadedUnit;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.unit.section.Unit;

/** Checks that refuse a request before the job engine sees it. Used on the event loop. */
final class RequestChecks {
    private final UnitTable units;
    private final JobEngine engine;

    RequestChecks(UnitTable units, JobEngine engine) {
        this.units = units;
        this.engine = engine;
    }

    /** Refuses a request for a unit that may be started or stopped only by dependency. */
    void requireManual(Unit unit, JobType type) {
        boolean refused =
                switch (type) {
                    case START -> unit.unit().refuseManualStart();
                    case STOP -> unit.unit().refuseManualStop();
                    case RESTART, TRY_RESTART ->
                            unit.unit().refuseManualStart() || unit.unit().refuseManualStop();
                    default -> false;
                };
        if (refused) {
            throw new JobRefusedException(
                    Reason.ONLY_BY_DEPENDENCY,
                    "Operation refused, unit "
                            + unit.name()
                            + " may be requested by dependency only (it is configured to refuse"
                            + " manual start/stop).");
        }
    }

    /**
     * Refuses a restart of a running unit that could not start again, as far as that is known
     * before it stops: the units in its {@code Requisite=} must be active, and a socket's service
     * must not keep running with the old socket.
     */
    void requireRestartable(LoadedUnit node, JobType type) {
        if (type.collapse(node.activeState()) != JobType.RESTART || !node.activeState().isUp()) {
            return;
        }
        for (JobUnit other : node.related(Relation.REQUIRES_ACTIVE)) {
            if (!other.activeState().isUp() && engine.of(other).isEmpty()) {
                throw new JobRefusedException(
                        Reason.DEPENDENCY, "Requisite=" + other.name() + " is not active.");
            }
        }
        if (node.lastDefinition().passesDescriptors()) {
            requireServicesStop(node);
        }
    }

    private void requireServicesStop(LoadedUnit node) {
        for (LoadedUnit service : units.triggered(node)) {
            boolean restartsToo =
                    node.related(Relation.RESTARTED_WITH).contains(service)
                            || engine.of(service)
                                    .filter(job -> job.type() != JobType.RELOAD)
                                    .isPresent();
            if (service.unit().keepsRunningOnStart() && !restartsToo) {
                throw new JobRefusedException(
                        Reason.BAD_SETTING,
                        node.name(),
                        "has a bad unit file setting.",
                        "service "
                                + service.name()
                                + " is active and cannot receive the new socket; stop it first");
            }
        }
    }
}
