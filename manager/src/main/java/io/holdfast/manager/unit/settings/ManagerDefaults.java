package io.holdfast.manager.unit.settings;

import io.holdfast.core.process.Resource;
import io.holdfast.core.sys.process.SysResource;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.resource.ResourceDefaults;
import io.holdfast.manager.unit.settings.CgroupSettings.OomPolicy;
import io.holdfast.manager.unit.value.ResourceLimit;
import io.holdfast.manager.unit.value.StandardStream;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What the configuration of a manager sets for its units, after systemd-system.conf(5).
 *
 * @param timeoutStart of services, except oneshot services
 * @param timeoutStop of services and scopes
 * @param timeoutAbort of services; empty: their stop timeout
 * @param restart the delay before an automatic restart
 * @param timerAccuracy of timers
 * @param startLimitInterval with {@code startLimitBurst}, the start limit of all units
 * @param environment variables of all processes
 * @param managerEnvironment variables of the manager itself: a unit can pass them on, and the units
 *     of a user's manager inherit them
 * @param withheld names of variables that no process inherits from the manager
 * @param limits of all processes; a resource without an entry keeps the manager's own limits
 * @param oomScoreAdjust of all processes; empty: that of the manager
 * @param resources of all units with a cgroup
 * @param oomPolicy of services and scopes without {@code Delegate=}
 * @param logLevel the least severe level of the manager's log, a syslog priority from 0 (emerg) to
 *     7 (debug)
 */
public record ManagerDefaults(
        TimeSpan timeoutStart,
        TimeSpan timeoutStop,
        Optional<TimeSpan> timeoutAbort,
        TimeSpan restart,
        TimeSpan timerAccuracy,
        TimeSpan startLimitInterval,
        int startLimitBurst,
        StandardStream output,
        StandardStream error,
        Map<String, String> environment,
        Map<String, String> managerEnvironment,
        Set<String> withheld,
        Map<Resource, ResourceLimit> limits,
        Optional<Integer> oomScoreAdjust,
        ResourceDefaults resources,
        OomPolicy oomPolicy,
        int logLevel) {
    /**
     * The default of {@code LimitNOFILE=}. The soft limit is not ours, since select(2) cannot wait
     * for descriptors from 1024 on.
     */
    private static final long SOFT_DESCRIPTORS = 1024;

    private static final long HARD_DESCRIPTORS = 524_288;

    /** The log level without a configuration: info. */
    static final int LOG_LEVEL = 6;

    /** The values without a configuration. */
    public static final ManagerDefaults STANDARD =
            new ManagerDefaults(
                    TimeSpan.seconds(90),
                    TimeSpan.seconds(90),
                    Optional.empty(),
                    TimeSpan.millis(100),
                    TimeSpan.seconds(60),
                    TimeSpan.seconds(10),
                    5,
                    StandardStream.JOURNAL,
                    StandardStream.INHERIT,
                    Map.of(),
                    Map.of(),
                    Set.of(),
                    Map.of(),
                    Optional.empty(),
                    ResourceDefaults.STANDARD,
                    OomPolicy.STOP,
                    LOG_LEVEL);

    public ManagerDefaults {
        environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
        managerEnvironment = Collections.unmodifiableMap(new LinkedHashMap<>(managerEnvironment));
        withheld = Set.copyOf(withheld);
        limits = Map.copyOf(limits);
    }

    /** Returns the time that a service has after a watchdog timeout, if its unit sets none. */
    public TimeSpan timeoutAbortOrStop() {
        return timeoutAbort.orElse(timeoutStop);
    }

    /** Returns the limits of processes whose unit sets none. */
    public ResourceLimit limit(Resource resource) {
        ResourceLimit set = limits.get(resource);
        if (set != null) {
            return set;
        }
        long[] ours = SysResource.limit(resource.number());
        if (resource != Resource.NOFILE) {
            return new ResourceLimit(ours[0], ours[1]);
        }
        long hard = lower(HARD_DESCRIPTORS, ours[1]);
        return new ResourceLimit(lower(SOFT_DESCRIPTORS, hard), hard);
    }

    private static long lower(long a, long b) {
        return Long.compareUnsigned(a, b) < 0 ? a : b;
    }

    /**
     * Returns these values with more variables.
     *
     * @param weaker variables that the configured ones override
     * @param stronger variables that override the configured ones
     * @param withoutThese names of variables that are in none of them, nor inherited
     */
    ManagerDefaults with(
            Map<String, String> weaker, Map<String, String> stronger, Set<String> withoutThese) {
        Map<String, String> all = new LinkedHashMap<>(weaker);
        all.putAll(environment);
        all.putAll(stronger);
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
                all,
                managerEnvironment,
                withoutThese,
                limits,
                oomScoreAdjust,
                resources,
                oomPolicy,
                logLevel);
    }

    /**
     * Returns the variables of the manager itself, which units can pass on.
     *
     * @param received the environment of the manager's process
     */
    public Map<String, String> ofManager(Map<String, String> received) {
        Map<String, String> all = new LinkedHashMap<>(received);
        all.putAll(managerEnvironment);
        return all;
    }

    /**
     * Returns the variables that the manager passes to all its units, in a new map.
     *
     * @param received the environment of the manager's process
     */
    public Map<String, String> ofUnits(ManagerScope scope, Map<String, String> received) {
        Map<String, String> all = scope.environment(ofManager(received));
        all.putAll(environment);
        all.keySet().removeAll(withheld);
        return all;
    }
}
