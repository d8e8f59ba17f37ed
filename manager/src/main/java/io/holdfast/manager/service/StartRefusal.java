package io.holdfast.manager.service;

import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.value.ServiceType;
import io.holdfast.manager.view.UnitStatus;
import java.util.Optional;

/** Decides whether a service cannot be started at all, whatever its conditions. */
final class StartRefusal {
    private StartRefusal() {}

    static Optional<String> of(ServiceLife life) {
        if (life.newest().source().state() == UnitSource.State.NOT_FOUND) {
            return Optional.of("there is no such unit any more");
        }
        ServiceUnit unit = life.unit();
        Optional<String> unsupported = unsupported(unit, life.context());
        if (unsupported.isPresent()) {
            return unsupported;
        }
        if (unit.isRefused()) {
            return Optional.of(
                    unit.diagnostics().stream()
                            .filter(d -> d.severity() == Diagnostic.Severity.ERROR)
                            .map(Object::toString)
                            .findFirst()
                            .orElse("it is " + UnitStatus.loadState(unit)));
        }
        return Optional.empty();
    }

    /** Returns why this manager cannot start a service with these files; empty if it can. */
    static Optional<String> unsupported(ServiceUnit unit, ManagerContext context) {
        boolean mayHaveBus = // after a crash the bus is known a little later
                context.events().busNames().isPresent() || context.survival().isAfterCrash();
        if (unit.service().type() == ServiceType.DBUS && !mayHaveBus) {
            return Optional.of("Type=dbus needs a message bus, and this manager has none");
        }
        return Optional.empty();
    }
}
