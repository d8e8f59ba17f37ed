package io.holdfast.manager.systemd1.property;

import io.holdfast.manager.systemd1.property.UnitProperties.Subject;
import io.holdfast.manager.view.DeviceStatus;

/** The properties of {@code org.freedesktop.systemd1.Device}. */
final class DeviceProperties {
    static final PropertyTable<Subject> TABLE =
            new PropertyTable<Subject>()
                    .changing(
                            "SysFSPath",
                            "s",
                            s ->
                                    s.view()
                                            .details(DeviceStatus.class)
                                            .map(DeviceStatus::path)
                                            .orElse(""));

    private DeviceProperties() {}
}
