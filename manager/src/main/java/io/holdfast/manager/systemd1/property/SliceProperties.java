package io.holdfast.manager.systemd1.property;

import io.holdfast.manager.systemd1.property.UnitProperties.Subject;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.section.SliceUnit;

/** The properties of {@code org.freedesktop.systemd1.Slice}. */
final class SliceProperties {
    static final PropertyTable<Subject> TABLE = table();

    private SliceProperties() {}

    private static PropertyTable<Subject> table() {
        PropertyTable<Subject> table =
                new PropertyTable<Subject>()
                        .fixed("Slice", "s", SliceProperties::parent)
                        .unsignalled("ControlGroup", "s", CgroupProperties::path);
        ResourceProperties.addTo(
                table, slice -> slice, slice -> ((SliceUnit) slice.view().unit()).resources());
        return table;
    }

    private static String parent(Subject subject) {
        return ((SliceUnit) subject.view().unit()).parent().map(UnitName::text).orElse("");
    }
}
