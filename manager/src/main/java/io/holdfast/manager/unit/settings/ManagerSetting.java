package io.holdfast.manager.unit.settings;

import io.holdfast.core.process.Resource;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.resource.PressureWatch;
import io.holdfast.manager.unit.resource.ResourceDefaults;
import io.holdfast.manager.unit.resource.ResourceDirective;
import io.holdfast.manager.unit.settings.CgroupSettings.OomPolicy;
import io.holdfast.manager.unit.value.ResourceLimit;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.StandardStream;
import io.holdfast.manager.unit.value.SyslogPriority;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/**
 * A setting of {@code [Manager]} in system.conf and user.conf. {@link #ALL} has one row for each:
 * it reads the setting, and the page of the directives is written from it.
 *
 * @param effect what the setting does here, or what holds instead if it is not supported; empty: it
 *     has no meaning here
 * @param reader applies an assignment; empty: the setting is not supported
 */
public record ManagerSetting(
        String name, String effect, Optional<BiConsumer<Values, Assignment>> reader) {
    /** The settings, by name. */
    public static final Map<String, ManagerSetting> ALL = all();

    private static final int MAX_SCORE = 1000;

    /** The values that the files have set so far. */
    static final class Values {
        private TimeSpan timeoutStart = ManagerDefaults.STANDARD.timeoutStart();
        private TimeSpan timeoutStop = ManagerDefaults.STANDARD.timeoutStop();
        private Optional<TimeSpan> timeoutAbort = Optional.empty();
        private TimeSpan restart = ManagerDefaults.STANDARD.restart();
        private TimeSpan timerAccuracy = ManagerDefaults.STANDARD.timerAccuracy();
        private TimeSpan startLimitInterval = ManagerDefaults.STANDARD.startLimitInterval();
        private int startLimitBurst = ManagerDefaults.STANDARD.startLimitBurst();
        private StandardStream output = ManagerDefaults.STANDARD.output();
        private StandardStream error = ManagerDefaults.STANDARD.error();
        private final Map<String, String> environment = new LinkedHashMap<>();
        private final Map<String, String> managerEnvironment = new LinkedHashMap<>();
        private final Map<Resource, ResourceLimit> limits = new EnumMap<>(Resource.class);
        private Optional<Integer> oomScoreAdjust = Optional.empty();
        private ResourceDefaults resources = ResourceDefaults.STANDARD;
        private OomPolicy oomPolicy = OomPolicy.STOP;
        private int logLevel = ManagerDefaults.LOG_LEVEL;

        ManagerDefaults build() {
            return new ManagerDefaults(
                    timeoutStart,
                    timeoutStop,
                    timeoutAbort,
                    restart,
                    timerAccuracy,
                    startLimitInterval,
                    startLimitBurst,
                    output,
                    error,
                    environment,
                    managerEnvironment,
                    Set.of(),
                    limits,
                    oomScoreAdjust,
                    resources,
                    oomPolicy,
                    logLevel);
        }
    }

    public boolean isSupported() {
        return reader.isPresent();
    }

    private static Map<String, ManagerSetting> all() {
        Map<String, ManagerSetting> all = new TreeMap<>();
        applied(
                all,
                "LogLevel",
                "the least severe level of the manager's log",
                (values, a) -> values.logLevel = a.value(values.logLevel, SyslogPriority::level));
        applied(
                all,
                "DefaultTimeoutStartSec",
                "TimeoutStartSec= of services, except oneshot services",
                (values, a) -> values.timeoutStart = a.timeout(values.timeoutStart));
        applied(
                all,
                "DefaultTimeoutStopSec",
                "TimeoutStopSec= of services and scopes",
                (values, a) -> values.timeoutStop = a.timeout(values.timeoutStop));
        applied(
                all,
                "DefaultTimeoutAbortSec",
                "TimeoutAbortSec= of services",
                (values, a) ->
                        values.timeoutAbort =
                                a.isEmpty()
                                        ? Optional.empty()
                                        : Optional.of(
                                                a.timeout(
                                                        values.timeoutAbort.orElse(
                                                                values.timeoutStop))));
        applied(
                all,
                "DefaultRestartSec",
                "RestartSec= of services",
                (values, a) -> values.restart = a.span(values.restart));
        applied(
                all,
                "DefaultTimerAccuracySec",
                "AccuracySec= of timers",
                (values, a) -> values.timerAccuracy = a.span(values.timerAccuracy));
        BiConsumer<Values, Assignment> interval =
                (values, a) -> values.startLimitInterval = a.span(values.startLimitInterval);
        applied(all, "DefaultStartLimitIntervalSec", "StartLimitIntervalSec= of units", interval);
        applied(all, "DefaultStartLimitInterval", "the same, the older name", interval);
        applied(
                all,
                "DefaultStartLimitBurst",
                "StartLimitBurst= of units",
                (values, a) ->
                        values.startLimitBurst =
                                a.value(
                                        values.startLimitBurst,
                                        text -> Scalars.parseInt(text, 0, Integer.MAX_VALUE)));
        applied(
                all,
                "DefaultStandardOutput",
                "StandardOutput= of services",
                (values, a) -> values.output = a.value(values.output, ManagerSetting::stream));
        applied(
                all,
                "DefaultStandardError",
                "StandardError= of services",
                (values, a) -> values.error = a.value(values.error, ManagerSetting::stream));
        applied(
                all,
                "DefaultEnvironment",
                "variables of all processes, below those of their units",
                (values, a) -> ExecSettingsReader.environment(a, values.environment));
        applied(
                all,
                "ManagerEnvironment",
                "variables that PassEnvironment= finds, and that the units of a user's manager"
                        + " inherit; the manager itself keeps the environment that it was started"
                        + " with",
                (values, a) -> ExecSettingsReader.environment(a, values.managerEnvironment));
        applied(
                all,
                "DefaultOOMScoreAdjust",
                "OOMScoreAdjust= of services",
                (values, a) ->
                        values.oomScoreAdjust =
                                a.optional(
                                        values.oomScoreAdjust,
                                        text -> Scalars.parseInt(text, -MAX_SCORE, MAX_SCORE)));
        for (ResourceDirective directive : ResourceDirective.defaulted()) {
            applied(
                    all,
                    "Default" + directive.key(),
                    directive.key() + "= of units",
                    (values, a) -> values.resources = values.resources.read(directive, a));
        }
        applied(
                all,
                "DefaultMemoryPressureWatch",
                "MemoryPressureWatch= of services",
                (values, a) ->
                        values.resources =
                                values.resources.with(
                                        values.resources
                                                .pressure()
                                                .readMode(a, PressureWatch.STANDARD)));
        applied(
                all,
                "DefaultMemoryPressureThresholdSec",
                "MemoryPressureThresholdSec= of services",
                (values, a) ->
                        values.resources =
                                values.resources.with(
                                        values.resources
                                                .pressure()
                                                .readThreshold(a, PressureWatch.STANDARD)));
        applied(
                all,
                "DefaultOOMPolicy",
                "OOMPolicy= of services and scopes",
                (values, a) ->
                        values.oomPolicy =
                                a.word(values.oomPolicy, OomPolicy.values(), OomPolicy.STOP));
        for (Resource resource : Resource.values()) {
            applied(
                    all,
                    "DefaultLimit" + resource,
                    "Limit" + resource + "= of services",
                    (values, a) -> limit(values, resource, a));
        }
        for (String line : NOT_SUPPORTED.lines().toList()) {
            int colon = line.indexOf(": ");
            String effect = colon < 0 ? "" : line.substring(colon + 2);
            for (String name : line.substring(0, colon < 0 ? line.length() : colon).split(" ")) {
                all.put(name, new ManagerSetting(name, effect, Optional.empty()));
            }
        }
        return Map.copyOf(all);
    }

    /** Settings that are not supported: names, a colon, and what holds instead. */
    private static final String NOT_SUPPORTED =
            """
            DefaultSmackProcessLabel: the Smack label is not set
            DefaultDeviceTimeoutSec: devices are not started
            CPUAffinity NUMAPolicy NUMAMask: the manager and its units use all CPUs and nodes that it was started with
            CapabilityBoundingSet: units can have all capabilities that the manager was started with
            NoNewPrivileges: set-user-ID programs grant privileges
            ProtectSystem: the manager itself can write to /usr
            SystemCallArchitectures: system calls of every architecture are allowed
            TimerSlackNSec: the timer slack is that of the manager's process
            ReloadLimitIntervalSec ReloadLimitBurst: reloads are not limited
            LogTarget LogColor LogLocation LogTime: the log goes to the output of the manager
            ShowStatus StatusUnitFormat: lines name their unit
            DumpCore CrashChVT CrashChangeVT CrashShell CrashReboot CrashAction: the keeper starts the next manager
            CtrlAltDelBurstAction RuntimeWatchdogSec RuntimeWatchdogPreSec RuntimeWatchdogPreGovernor RebootWatchdogSec ShutdownWatchdogSec KExecWatchdogSec WatchdogDevice: the machine is not this manager's
            """;

    private static void applied(
            Map<String, ManagerSetting> all,
            String name,
            String effect,
            BiConsumer<Values, Assignment> reader) {
        all.put(name, new ManagerSetting(name, effect, Optional.of(reader)));
    }

    private static void limit(Values values, Resource resource, Assignment a) {
        a.optional(
                        Optional.ofNullable(values.limits.get(resource)),
                        text -> ResourceLimit.parse(resource, text))
                .ifPresentOrElse(
                        limit -> values.limits.put(resource, limit),
                        () -> values.limits.remove(resource));
    }

    private static StandardStream stream(String text) {
        StandardStream stream = StandardStream.parseOutput(text);
        Set<StandardStream.Kind> own =
                EnumSet.of(
                        StandardStream.Kind.SOCKET,
                        StandardStream.Kind.FD,
                        StandardStream.Kind.FILE,
                        StandardStream.Kind.APPEND,
                        StandardStream.Kind.TRUNCATE);
        if (own.contains(stream.kind())) {
            throw new IllegalArgumentException(text + " cannot be the default of all services");
        }
        return stream;
    }
}
