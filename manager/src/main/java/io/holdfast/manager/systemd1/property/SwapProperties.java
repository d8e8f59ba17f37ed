package io.holdfast.manager.systemd1.property;

import io.holdfast.manager.systemd1.format.Micros;
import io.holdfast.manager.systemd1.property.UnitProperties.Subject;
import io.holdfast.manager.unit.section.SwapUnit;
import io.holdfast.manager.view.SwapStatus;

/** The properties of {@code org.freedesktop.systemd1.Swap}. */
final class SwapProperties {
    static final PropertyTable<Subject> TABLE = table();

    private SwapProperties() {}

    private static SwapUnit unit(Subject subject) {
        return (SwapUnit) subject.view().unit();
    }

    private static PropertyTable<Subject> table() {
        PropertyTable<Subject> table =
                new PropertyTable<Subject>()
                        .fixed("What", "s", s -> unit(s).swap().what())
                        .fixed("Priority", "i", SwapProperties::priority)
                        .fixed("Options", "s", s -> unit(s).swap().options().toString())
                        .fixed("TimeoutUSec", "t", s -> Micros.of(unit(s).timeout()))
                        .changing("ControlPID", "u", SwapProperties::control)
                        .changing("Result", "s", s -> s.view().status().result());
        ExecProperties.addTo(table, s -> unit(s).exec());
        KillProperties.addTo(table, s -> unit(s).kill());
        CgroupProperties.addTo(table, s -> s, s -> unit(s).cgroup());
        return table;
    }

    private static int priority(Subject subject) {
        return subject.view()
                .details(SwapStatus.class)
                .flatMap(SwapStatus::priority)
                .or(unit(subject).swap()::priority)
                .orElse(-1); // the kernel's choice
    }

    private static int control(Subject subject) {
        return subject.view()
                .details(SwapStatus.class)
                .flatMap(SwapStatus::control)
                .map(process -> process.pid())
                .orElse(0);
    }
}
