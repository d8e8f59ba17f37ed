package io.holdfast.manager.systemd1.property;

import io.holdfast.manager.systemd1.property.UnitProperties.Subject;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.section.ScopeUnit;

/** The properties of {@code org.freedesktop.systemd1.Scope}. */
final class ScopeProperties {
    /** A scope with its subject. */
    record Scope(Subject subject, ScopeUnit unit) {
        static Scope of(Subject subject) {
            return new Scope(subject, (ScopeUnit) subject.view().unit());
        }

        UnitName slice() {
            return unit.cgroup().sliceOf(unit.name(), subject.manager().scope());
        }
    }

    static final PropertyTable<Scope> TABLE = table();

    private ScopeProperties() {}

    private static PropertyTable<Scope> table() {
        PropertyTable<Scope> table =
                new PropertyTable<Scope>()
                        .changing("Controller", "s", _ -> "")
                        .changing("Result", "s", s -> s.subject.view().status().result())
                        .fixed("TimeoutStopUSec", "t", s -> Micros.of(s.unit.limits().stop()))
                        .fixed("RuntimeMaxUSec", "t", s -> Micros.of(s.unit.limits().run()))
                        .fixed(
                                "RuntimeRandomizedExtraUSec",
                                "t",
                                s -> Micros.of(s.unit.limits().runExtra()))
                        .fixed(
                                "OOMPolicy",
                                "s",
                                s -> UnitProperties.word(s.unit.cgroup().oomPolicy()))
                        .fixed("Slice", "s", s -> s.slice().text())
                        .fixed("Delegate", "b", s -> s.unit.cgroup().delegate())
                        .unsignalled(
                                "ControlGroup",
                                "s",
                                s -> s.subject.view().status().cgroup().orElse(""));
        KillProperties.addTo(table, s -> s.unit.kill());
        return table;
    }
}
