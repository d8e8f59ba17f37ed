package io.holdfast.manager.systemd1.property;

import io.holdfast.manager.systemd1.property.UnitProperties.Subject;
import io.holdfast.manager.unit.section.PathUnit;
import java.util.List;

/** The properties of {@code org.freedesktop.systemd1.Path}. */
final class PathProperties {
    static final PropertyTable<Subject> TABLE =
            new PropertyTable<Subject>()
                    .changing("Result", "s", path -> path.view().status().result())
                    .fixed("Unit", "s", path -> section(path).unit().text())
                    .fixed("Paths", "a(ss)", PathProperties::paths)
                    .fixed("MakeDirectory", "b", path -> section(path).makeDirectory())
                    .fixed("DirectoryMode", "u", path -> section(path).directoryMode())
                    .fixed(
                            "TriggerLimitIntervalUSec",
                            "t",
                            path -> Micros.of(section(path).triggerLimit().interval()))
                    .fixed("TriggerLimitBurst", "u", path -> section(path).triggerLimit().burst());

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
}
