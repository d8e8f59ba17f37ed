package io.holdfast.manager.systemd1.property;

import static io.holdfast.manager.systemd1.property.SettableProperty.time;

import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.manager.systemd1.format.Errors;
import io.holdfast.manager.systemd1.format.Micros;
import io.holdfast.manager.systemd1.property.UnitProperties.Subject;
import io.holdfast.manager.unit.section.ScopeUnit;
import java.util.List;

/** The properties of {@code org.freedesktop.systemd1.Scope}. */
final class ScopeProperties {
    static final PropertyTable<Subject> TABLE = table();

    private ScopeProperties() {}

    private static ScopeUnit unit(Subject subject) {
        return (ScopeUnit) subject.view().unit();
    }

    private static PropertyTable<Subject> table() {
        PropertyTable<Subject> table =
                new PropertyTable<Subject>()
                        .changing("Controller", "s", _ -> "")
                        .settable("Controller", new SettableProperty("s", (_, _, v) -> refuse(v)))
                        .changing("Result", "s", s -> s.view().status().result())
                        .settable(
                                "TimeoutStopUSec",
                                time("TimeoutStopSec"),
                                s -> Micros.of(unit(s).limits().stop()))
                        .settable(
                                "RuntimeMaxUSec",
                                time("RuntimeMaxSec"),
                                s -> Micros.of(unit(s).limits().run()))
                        .settable(
                                "RuntimeRandomizedExtraUSec",
                                time("RuntimeRandomizedExtraSec"),
                                s -> Micros.of(unit(s).limits().runExtra()))
                        .settable(
                                "PIDs",
                                new SettableProperty(
                                        "au",
                                        (unit, _, v) ->
                                                any(v).forEach(pid -> unit.process((Long) pid))))
                        .settable(
                                "PIDFDs",
                                new SettableProperty(
                                        "ah",
                                        (unit, _, v) ->
                                                any(v).forEach(fd -> unit.process((Handle) fd))));
        CgroupProperties.addTo(table, s -> s, s -> unit(s).cgroup());
        KillProperties.addTo(table, s -> unit(s).kill());
        return table;
    }

    private static List<?> any(Object values) {
        if (((List<?>) values).isEmpty()) {
            throw Errors.invalid("Failed to set unit properties: Invalid argument");
        }
        return (List<?>) values;
    }

    /**
     * Refuses a controller, which systemd would ask to stop the scope. Here scopes always get their
     * signals at once.
     */
    private static void refuse(Object controller) {
        if (!controller.equals("")) {
            throw new DBusException(
                    DBusException.NOT_SUPPORTED,
                    "Controllers of scopes are not supported by this manager.");
        }
    }
}
