package io.holdfast.manager.systemd1.property;

import io.holdfast.core.process.Resource;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.loop.DualTimestamp;
import io.holdfast.manager.resource.MachineResources;
import io.holdfast.manager.systemd1.format.Micros;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.resource.Amount;
import io.holdfast.manager.unit.resource.ResourceDirective;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import io.holdfast.manager.view.UnitView;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** The properties of {@code org.freedesktop.systemd1.Manager}. Read on the manager's loop. */
public final class ManagerProperties {
    /** The systemd version that the interface follows, and the implementation. */
    private static final String VERSION = ManagerScope.SYSTEMD_VERSION + " (holdfast)";

    private static final List<String> BEGINNING =
            List.of("Userspace", "UnitsLoad", "UnitsLoadStart", "UnitsLoadFinish");

    /**
     * The steps of a boot that are not this manager's. systemd-analyze ends with a failed assertion
     * if the time of one is missing.
     */
    private static final List<String> NOT_HERE =
            List.of(
                    "Firmware",
                    "Loader",
                    "Kernel",
                    "InitRD",
                    "ShutdownStart",
                    "SecurityStart",
                    "SecurityFinish",
                    "GeneratorsStart",
                    "GeneratorsFinish",
                    "InitRDSecurityStart",
                    "InitRDSecurityFinish",
                    "InitRDGeneratorsStart",
                    "InitRDGeneratorsFinish",
                    "InitRDUnitsLoadStart",
                    "InitRDUnitsLoadFinish");

    private static final PropertyTable<ManagerView> TABLE = table();

    private ManagerProperties() {}

    public static void describe(BusInterface.Builder builder, ManagerView manager) {
        TABLE.describe(builder, manager);
    }

    public static Map<String, Variant> values(ManagerView manager) {
        return TABLE.values(manager);
    }

    private static PropertyTable<ManagerView> table() {
        PropertyTable<ManagerView> table = new PropertyTable<>();
        table.fixed("Version", "s", _ -> VERSION)
                .fixed("Features", "s", _ -> "")
                .fixed("Virtualization", "s", _ -> "")
                .fixed("Architecture", "s", _ -> System.getProperty("os.arch"))
                .fixed("Tainted", "s", _ -> "");
        for (String name : BEGINNING) {
            PropertyTimes.add(table, name, ManagerView::opened, false);
        }
        PropertyTimes.add(table, "Finish", ManagerView::whenBegun, false);
        for (String name : NOT_HERE) {
            PropertyTimes.add(table, name, _ -> DualTimestamp.NEVER, false);
        }
        table.unsignalled("SystemState", "s", ManagerProperties::state)
                .unsignalled("NNames", "u", manager -> manager.names().size())
                .unsignalled("NFailedUnits", "u", manager -> failed(manager))
                .unsignalled("NJobs", "u", manager -> manager.jobs().all().size())
                .unsignalled("NInstalledJobs", "u", manager -> manager.jobs().granted())
                .unsignalled("NFailedJobs", "u", manager -> manager.jobs().failed())
                .unsignalled("Progress", "d", _ -> 1.0)
                .unsignalled("Environment", "as", manager -> environment(manager))
                .unsignalled("ExitCode", "y", manager -> (byte) manager.exitStatus())
                .fixed(
                        "UnitPath",
                        "as",
                        manager ->
                                manager.loadPath().folders().stream().map(Path::toString).toList())
                .fixed("ServiceWatchdogs", "b", _ -> true)
                .fixed("ControlGroup", "s", manager -> manager.cgroups().path().orElse(""));
        defaults(table);
        return table;
    }

    /** Adds what the configuration sets for all units. A reload can change it without a signal. */
    private static void defaults(PropertyTable<ManagerView> table) {
        of(table, "DefaultStandardOutput", "s", defaults -> defaults.output().word());
        of(table, "DefaultStandardError", "s", defaults -> defaults.error().word());
        of(table, "DefaultTimeoutStartUSec", "t", all -> Micros.of(all.timeoutStart()));
        of(table, "DefaultTimeoutStopUSec", "t", all -> Micros.of(all.timeoutStop()));
        of(table, "DefaultTimeoutAbortUSec", "t", all -> Micros.of(all.timeoutAbortOrStop()));
        of(table, "DefaultRestartUSec", "t", all -> Micros.of(all.restart()));
        of(table, "DefaultStartLimitIntervalUSec", "t", all -> Micros.of(all.startLimitInterval()));
        of(table, "DefaultStartLimitBurst", "u", ManagerDefaults::startLimitBurst);
        of(table, "DefaultOOMScoreAdjust", "i", all -> all.oomScoreAdjust().orElse(0));
        for (ResourceDirective each : ResourceDirective.defaulted()) {
            boolean isTasks = each == ResourceDirective.TASKS_MAX;
            of(
                    table,
                    "Default" + each.property(),
                    isTasks ? "t" : "b",
                    all ->
                            isTasks
                                    ? MachineResources.tasks((Amount) all.resources().of(each))
                                    : all.resources().of(each));
        }
        of(
                table,
                "DefaultMemoryPressureThresholdUSec",
                "t",
                all -> Micros.of(all.resources().pressure().threshold()));
        of(
                table,
                "DefaultMemoryPressureWatch",
                "s",
                all -> UnitProperties.word(all.resources().pressure().mode()));
        of(table, "DefaultOOMPolicy", "s", all -> UnitProperties.word(all.oomPolicy()));
        for (Resource resource : Resource.values()) {
            String name = "DefaultLimit" + resource;
            of(table, name, "t", all -> all.limit(resource).hard());
            of(table, name + "Soft", "t", all -> all.limit(resource).soft());
        }
    }

    private static void of(
            PropertyTable<ManagerView> table,
            String name,
            String signature,
            Function<ManagerDefaults, Object> value) {
        table.unsignalled(name, signature, manager -> value.apply(manager.defaults()));
    }

    /** Returns the word of {@code systemctl is-system-running}. */
    private static String state(ManagerView manager) {
        if (manager.isStopping()) {
            return "stopping";
        }
        if (failed(manager) > 0) {
            return "degraded";
        }
        return "running";
    }

    private static int failed(ManagerView manager) {
        int failed = 0;
        for (UnitView unit : manager.units()) {
            failed += unit.status().activeState() == ActiveState.FAILED ? 1 : 0;
        }
        return failed;
    }

    /** Returns the environment that units inherit. */
    private static List<String> environment(ManagerView manager) {
        return manager.environment().entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(entry -> entry.getKey() + "=" + entry.getValue())
                .toList();
    }
}
