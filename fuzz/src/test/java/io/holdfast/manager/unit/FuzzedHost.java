package io.holdfast.manager.unit;

import java.util.Map;

/** The machine and the manager that fuzzed unit files are read for, the same on every machine. */
final class FuzzedHost {
    static final Host HOST =
            new Host(
                    "box.example.org",
                    "0123456789abcdef0123456789abcdef",
                    "fedcba9876543210fedcba9876543210",
                    "6.18.3-test",
                    "x86-64",
                    Map.of("ID", "debian", "VERSION_ID", "13"),
                    "root=/dev/sda1 quiet",
                    Virtualization.NONE,
                    false);
    static final ManagerScope SCOPE = ManagerScope.system(Map.of());

    private FuzzedHost() {}
}
