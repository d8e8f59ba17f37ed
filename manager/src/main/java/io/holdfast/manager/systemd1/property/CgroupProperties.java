package io.holdfast.manager.systemd1.property;

import io.holdfast.dbus.DBusException;
import io.holdfast.manager.systemd1.property.UnitProperties.Subject;
import io.holdfast.manager.unit.settings.CgroupSettings;
import io.holdfast.manager.unit.settings.CgroupSettings.OomPolicy;
import java.util.function.Function;

/** The properties that describe the place of a unit in the cgroup tree. */
final class CgroupProperties {
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
                        "Delegate",
                        SettableProperty.bool("Delegate"),
                        cgroup.andThen(CgroupSettings::delegate))
                .settable(
                        "DelegateControllers",
                        ResourceProperties.controllers("Delegate"),
                        cgroup.andThen(c -> ResourceProperties.words(c.delegation().controllers())))
                .settable(
                        "DelegateSubgroup",
                        SettableProperty.text("DelegateSubgroup"),
                        cgroup.andThen(c -> c.delegation().subgroup().orElse("")))
                .settable(
                        "CoredumpReceive",
                        SettableProperty.bool("CoredumpReceive"),
                        cgroup.andThen(CgroupSettings::receivesCoredumps))
                .unsignalled("ControlGroup", "s", of.andThen(CgroupProperties::path));
        ResourceProperties.addTo(table, of, cgroup.andThen(CgroupSettings::resources));
    }

    private static String slice(Subject subject, CgroupSettings cgroup) {
        return cgroup.sliceOf(subject.view().unit().name(), subject.manager().scope()).text();
    }

    /** Returns the path of the cgroup that a unit has now; empty if it has none. */
    static String path(Subject subject) {
        return subject.view().status().cgroup().orElse("");
    }

    /** Returns the error for a property that cannot be set. */
    static DBusException readOnly(String property) {
        return new DBusException(
                DBusException.PROPERTY_READ_ONLY,
                "Cannot set property " + property + ", or unknown property.");
    }
}
