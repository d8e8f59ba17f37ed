package io.holdfast.manager.exec;

import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitFile;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.host.Host;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.section.UnitReader;
import java.nio.file.Path;
import java.util.List;

/** Creates units from text, and scopes of managers whose folders are temporary. */
public final class TestUnits {
    private TestUnits() {}

    /** Returns the scope of a system manager, with all its folders below this one. */
    public static ManagerScope scopeIn(Path folder) {
        return new ManagerScope(
                false,
                folder + "/run",
                folder + "/state",
                folder + "/cache",
                folder + "/log",
                folder + "/etc",
                folder + "/share",
                ManagerScope.Account.ROOT,
                folder + "/tmp",
                folder + "/tmp",
                java.util.Map.of(),
                ManagerScope.SYSTEM_UMASK);
    }

    /** Returns a service as its execution sees it. */
    static ExecutedUnit executed(ServiceUnit unit) {
        return new ExecutedUnit(
                unit.name(),
                unit.exec(),
                unit.service().commands().start(),
                unit.service().notifyAccess().allowsMain(),
                unit.service().notifyAccess().allowsOthers(),
                true,
                unit.service().timeouts().watchdog(),
                unit.unit().dependencies().of(Dependency.JOINS_NAMESPACE_OF),
                unit.diagnostics());
    }

    /** Returns a service by the lines of its {@code [Service]} section. */
    static ServiceUnit service(ManagerScope scope, String... lines) {
        boolean starts = List.of(lines).stream().anyMatch(line -> line.startsWith("ExecStart="));
        String text =
                "[Service]\n"
                        + (starts ? "" : "ExecStart=/bin/true\n")
                        + String.join("\n", lines)
                        + "\n";
        UnitSource source =
                UnitSource.inMemory(UnitName.of("test.service"), UnitFile.parse("test", text));
        return (ServiceUnit) new UnitReader(Host.UNKNOWN, scope).read(source);
    }
}
