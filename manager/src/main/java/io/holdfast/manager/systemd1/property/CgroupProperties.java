package io.holdfast.manager.systemd1.property;

import io.holdfast.dbus.DBusException;
import io.holdfast.manager.systemd1.property.UnitProperties.Subject;
import io.holdfast.manager.unit.settings.CgroupSettings;
import io.holdfast.manager.unit.settings.CgroupSettings.OomPolicy;
import java.util.function.Function;

/** The properties that describe the place of a unit in the cgroup tree. */
final class CgroupProperties {
    private static final long UNLIMITED = -1; // UINT64_MAX

    private CgroupProperties() {}

    static <T> void addTo(
            PropertyTable<T> table, Function<T, Subject> of, Function<T, CgroupSettings> cgroup) {
        table.settable(
                        "Slice",
                        SettableProperty.slice("Slice"),
                        t -> slice(of.apply(t), cgroup.apply(t)))
                .settable(
                        "OOMPolicy",
                        SettableProperty.word("OOMPolicy", OomPolicy.values()),
                        cgroup.andThen(c -> UnitProperties.word(c.oomPolicy())))
                .settable(
                        "TasksMax", new SettableProperty("t", CgroupProperties::tasksMax).asLive())
                .fixed("Delegate", "b", cgroup.andThen(CgroupSettings::delegate))
                .unsignalled("ControlGroup", "s", of.andThen(CgroupProperties::path));
    }

    private static String slice(Subject subject, CgroupSettings cgroup) {
        return cgroup.sliceOf(subject.view().unit().name(), subject.manager().scope()).text();
    }

    /** Returns the path of the cgroup that a unit has now; empty if it has none. */
    static String path(Subject subject) {
        return subject.view().status().cgroup().orElse("");
    }

    /** Accepts that the number of tasks is not limited, as systemd-logind sets for its sessions. */
    private static void tasksMax(UnitDescription unit, String section, Object value) {
        if ((Long) value != UNLIMITED) {
            throw readOnly("TasksMax");
        }
    }

    /** Returns the error for a property that cannot be set. */
    static DBusException readOnly(String property) {
        return new DBusException(
                DBusException.PROPERTY_READ_ONLY,
                "Cannot set property " + property + ", or unknown property.");
    }
}
