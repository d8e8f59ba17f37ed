package io.holdfast.manager.systemd1.property;

import io.holdfast.dbus.BusInterface;
import io.holdfast.manager.systemd1.property.UnitProperties.Subject;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.view.UnitStatus;
import java.util.List;
import java.util.function.Predicate;

/**
 * The properties of {@code io.holdfast.Unit}, which systemd has no names for: settings in a unit's
 * files that the manager does not apply. {@code systemctl show} lists them with all others.
 */
public final class WarningProperties {
    private static final PropertyTable<Subject> TABLE = table();

    private WarningProperties() {}

    public static void describe(BusInterface.Builder builder, Subject subject) {
        TABLE.describe(builder, subject);
    }

    private static PropertyTable<Subject> table() {
        return new PropertyTable<Subject>()
                .unsignalled("Warnings", "as", unit -> warnings(unit.view().status(), _ -> true))
                .unsignalled(
                        "SecurityWarnings",
                        "as",
                        unit -> warnings(unit.view().status(), Diagnostic::isSecurity));
    }

    private static List<String> warnings(UnitStatus status, Predicate<Diagnostic> wanted) {
        return status.warnings().stream().filter(wanted).map(Diagnostic::toString).toList();
    }
}
