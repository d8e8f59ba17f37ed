package io.holdfast.manager.systemd1.property;

import static io.holdfast.manager.systemd1.property.SettableProperty.bool;
import static io.holdfast.manager.systemd1.property.SettableProperty.mode;
import static io.holdfast.manager.systemd1.property.SettableProperty.text;
import static io.holdfast.manager.systemd1.property.SettableProperty.time;

import io.holdfast.manager.systemd1.format.Micros;
import io.holdfast.manager.systemd1.property.UnitProperties.Subject;
import io.holdfast.manager.unit.section.MountUnit;
import io.holdfast.manager.unit.section.MountUnit.Section;
import io.holdfast.manager.view.MountStatus;
import java.util.function.Function;

/** The properties of {@code org.freedesktop.systemd1.Mount}. */
final class MountProperties {
    static final PropertyTable<Subject> TABLE = table();

    private MountProperties() {}

    private static MountUnit unit(Subject subject) {
        return (MountUnit) subject.view().unit();
    }

    private static Section section(Subject subject) {
        return unit(subject).mount();
    }

    /** Returns what the kernel says of a mount; of one that is not loaded, its files. */
    private static String now(
            Subject subject, Function<MountStatus, String> of, Function<Section, String> written) {
        return subject.view()
                .details(MountStatus.class)
                .map(of)
                .orElseGet(() -> written.apply(section(subject)));
    }

    private static PropertyTable<Subject> table() {
        PropertyTable<Subject> table =
                new PropertyTable<Subject>()
                        .settable("Where", text("Where"), s -> section(s).where())
                        .changing("What", "s", s -> now(s, MountStatus::what, Section::what))
                        .settable("What", text("What"))
                        .changing(
                                "Options",
                                "s",
                                s -> now(s, MountStatus::options, w -> w.options().toString()))
                        .settable("Options", text("Options"))
                        .changing(
                                "Type",
                                "s",
                                s -> now(s, MountStatus::type, w -> w.type().orElse("")))
                        .settable("Type", text("Type"))
                        .settable(
                                "TimeoutUSec",
                                time("TimeoutSec"),
                                s -> Micros.of(section(s).timeout()))
                        .changing("ControlPID", "u", MountProperties::control)
                        .settable(
                                "DirectoryMode",
                                mode("DirectoryMode"),
                                s -> (long) section(s).directoryMode())
                        .settable("SloppyOptions", bool("SloppyOptions"), s -> section(s).sloppy())
                        .settable("LazyUnmount", bool("LazyUnmount"), s -> section(s).lazy())
                        .settable("ForceUnmount", bool("ForceUnmount"), s -> section(s).force())
                        .settable(
                                "ReadWriteOnly",
                                bool("ReadWriteOnly"),
                                s -> section(s).readWriteOnly())
                        .changing("Result", "s", s -> s.view().status().result());
        ExecProperties.addTo(table, s -> unit(s).exec());
        KillProperties.addTo(table, s -> unit(s).kill());
        CgroupProperties.addTo(table, s -> s, s -> unit(s).cgroup());
        return table;
    }

    private static int control(Subject subject) {
        return subject.view()
                .details(MountStatus.class)
                .flatMap(MountStatus::control)
                .map(process -> process.pid())
                .orElse(0);
    }
}
