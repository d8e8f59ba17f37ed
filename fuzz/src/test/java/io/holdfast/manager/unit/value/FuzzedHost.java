package io.holdfast.manager.unit.value;

import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.host.Host;
import io.holdfast.manager.unit.host.Virtualization;
import java.util.Map;
import java.util.Set;

/** The machine and the manager for which fuzzed unit files are read, the same on every machine. */
public final class FuzzedHost {
    public static final Host HOST =
            new Host(
                    "box.example.org",
                    "The Box",
                    "0123456789abcdef0123456789abcdef",
                    "fedcba9876543210fedcba9876543210",
                    "6.18.3-test",
                    "x86-64",
                    Map.of("ID", "debian", "VERSION_ID", "13"),
                    "root=/dev/sda1 quiet",
                    Virtualization.NONE,
                    Set.of());
    public static final ManagerScope SCOPE = ManagerScope.system(Map.of());

    private FuzzedHost() {}
}
