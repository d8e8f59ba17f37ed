package io.holdfast.manager.systemd1.property;

import io.holdfast.manager.unit.settings.SandboxSettings;
import io.holdfast.manager.unit.settings.SandboxSettings.PrivateTmp;
import java.util.function.Function;

/** The properties that describe the sandbox of a unit's processes, with what it implies. */
final class SandboxProperties {
    private SandboxProperties() {}

    static <T> void addTo(PropertyTable<T> table, Function<T, SandboxSettings> sandbox) {
        for (SandboxSettings.Flag flag : SandboxSettings.Flag.values()) {
            table.fixed(flag.directive(), "b", t -> sandbox.apply(t).has(flag));
        }
        table.fixed(
                        "ProtectSystem",
                        "s",
                        t -> UnitProperties.word(sandbox.apply(t).protectSystem()))
                .fixed("ProtectHome", "s", t -> UnitProperties.word(sandbox.apply(t).protectHome()))
                .fixed("PrivateTmp", "b", t -> sandbox.apply(t).privateTmp() != PrivateTmp.NO);
    }
}
