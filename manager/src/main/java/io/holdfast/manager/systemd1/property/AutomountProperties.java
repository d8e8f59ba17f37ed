package io.holdfast.manager.systemd1.property;

import static io.holdfast.manager.systemd1.property.SettableProperty.mode;
import static io.holdfast.manager.systemd1.property.SettableProperty.text;
import static io.holdfast.manager.systemd1.property.SettableProperty.time;

import io.holdfast.manager.systemd1.format.Micros;
import io.holdfast.manager.systemd1.property.UnitProperties.Subject;
import io.holdfast.manager.unit.section.AutomountUnit;

/** The properties of {@code org.freedesktop.systemd1.Automount}. */
final class AutomountProperties {
    static final PropertyTable<Subject> TABLE =
            new PropertyTable<Subject>()
                    .settable("Where", text("Where"), s -> section(s).where())
                    .settable(
                            "ExtraOptions",
                            text("ExtraOptions"),
                            s -> section(s).extraOptions().toString())
                    .settable(
                            "DirectoryMode",
                            mode("DirectoryMode"),
                            s -> (long) section(s).directoryMode())
                    .settable(
                            "TimeoutIdleUSec",
                            time("TimeoutIdleSec"),
                            s -> Micros.of(section(s).idleTimeout()))
                    .changing("Result", "s", s -> s.view().status().result());

    private AutomountProperties() {}

    private static AutomountUnit.Section section(Subject subject) {
        return ((AutomountUnit) subject.view().unit()).automount();
    }
}
