package io.holdfast.manager.systemd1.property;

import io.holdfast.dbus.wire.Struct;
import io.holdfast.manager.systemd1.format.Errors;
import io.holdfast.manager.systemd1.format.Micros;
import io.holdfast.manager.systemd1.property.UnitProperties.Subject;
import io.holdfast.manager.unit.section.PathUnit;
import io.holdfast.manager.unit.section.PathUnit.Kind;
import java.util.List;
import java.util.stream.Stream;

/** The properties of {@code org.freedesktop.systemd1.Path}. */
final class PathProperties {
    static final PropertyTable<Subject> TABLE =
            new PropertyTable<Subject>()
                    .changing("Result", "s", path -> path.view().status().result())
                    .settable(
                            "Unit",
                            SettableProperty.unit("Unit"),
                            path -> section(path).unit().text())
                    .settable("Paths", new SettableProperty("a(ss)", PathProperties::watch))
                    .fixed("Paths", "a(ss)", PathProperties::paths)
                    .settable(
                            "MakeDirectory",
                            SettableProperty.bool("MakeDirectory"),
                            path -> section(path).makeDirectory())
                    .settable(
                            "DirectoryMode",
                            SettableProperty.mode("DirectoryMode"),
                            path -> section(path).directoryMode())
                    .settable(
                            "TriggerLimitIntervalUSec",
                            SettableProperty.time("TriggerLimitIntervalSec"),
                            path -> Micros.of(section(path).triggerLimit().interval()))
                    .settable(
                            "TriggerLimitBurst",
                            SettableProperty.number("u", "TriggerLimitBurst"),
                            path -> section(path).triggerLimit().burst());

    private PathProperties() {}

    private static PathUnit.Section section(Subject subject) {
        return ((PathUnit) subject.view().unit()).path();
    }

    private static List<?> paths(Subject subject) {
        return section(subject).watched().stream()
                .map(one -> List.of(one.kind().directive(), one.path()))
                .toList()
                .reversed();
    }

    private static void watch(UnitDescription unit, String section, Object value) {
        SettableProperty.reset(unit, section, "PathExists", value);
        for (Object each : (List<?>) value) {
            String directive = (String) ((Struct) each).get(0);
            if (Stream.of(Kind.values()).noneMatch(kind -> kind.directive().equals(directive))) {
                throw Errors.invalid("Invalid path type: " + directive);
            }
            unit.literal(section, directive, (String) ((Struct) each).get(1));
        }
    }
}
