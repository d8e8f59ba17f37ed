package io.holdfast.cli.metrics;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.manager.ManagerMetrics;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.resource.ResourceUsage;
import java.math.BigDecimal;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;

/**
 * The metrics of a manager: its units, jobs and processes, the number of its crashes, and what the
 * cgroups of its units use, which the kernel is asked for each time.
 */
public final class ManagerFamilies {
    private static final long NANOS_A_MICRO = 1000;
    private static final int MICRO = 6; // digits behind the point

    private final MetricFamilies families = new MetricFamilies("holdfast_manager_");

    private ManagerFamilies() {}

    /**
     * Returns the metrics in the OpenMetrics format.
     *
     * @param droppedLines lines that were dropped because the reader of the output was too slow
     */
    public static String text(ManagerMetrics metrics, long droppedLines) {
        ManagerFamilies all = new ManagerFamilies();
        all.manager(metrics);
        all.units(metrics);
        all.usage(metrics.cgroups());
        all.processes(metrics.processes());
        all.lines(metrics, droppedLines);
        return all.families.text();
    }

    private void manager(ManagerMetrics metrics) {
        families.counter(
                "crashes",
                "Managers that ended unexpectedly since the start of the keeper.",
                metrics.crashes());
        families.gauge(
                "adopted_units",
                "Units that this manager has adopted from its predecessor.",
                metrics.adopted());
        families.counter("faults", "Internal errors of the manager.", metrics.faults());
    }

    private void units(ManagerMetrics metrics) {
        families.gauge(
                "units",
                "Units that are loaded, by type and state.",
                samples ->
                        metrics.units()
                                .forEach((type, byState) ->
                                        byState.forEach((state, count) ->
                                                samples.add(
                                                        count,
                                                        "type",
                                                        type.name().toLowerCase(Locale.ROOT),
                                                        "state",
                                                        state.word()))));
        families.gauge(
                "jobs",
                "Jobs that have not ended.",
                samples -> {
                    samples.add(metrics.waitingJobs(), "state", "waiting");
                    samples.add(metrics.runningJobs(), "state", "running");
                });
        families.counter(
                "finished_jobs",
                "Jobs that have ended, by their result.",
                samples -> {
                    for (JobResult result : JobResult.values()) {
                        samples.add(
                                metrics.finishedJobs().getOrDefault(result, 0L),
                                "result",
                                result.word());
                    }
                });
    }

    private void usage(Map<String, String> cgroups) {
        Map<String, ResourceUsage> usages = new TreeMap<>();
        cgroups.forEach((unit, path) -> {
            try (Cgroup cgroup = Cgroup.open(path)) {
                usages.put(unit, ResourceUsage.of(cgroup.fd(), true));
            } catch (ErrnoException e) {
                // it has ended meanwhile
            }
        });
        families.counter(
                "unit_cpu_seconds",
                "CPU time that the cgroup of a unit has used.",
                samples ->
                        usages.forEach((unit, usage) -> {
                            if (usage.cpuNanos() >= 0) {
                                long micros = usage.cpuNanos() / NANOS_A_MICRO;
                                samples.add(BigDecimal.valueOf(micros, MICRO), "unit", unit);
                            }
                        }));
        families.gauge(
                "unit_memory_bytes",
                "Memory that the cgroup of a unit uses.",
                each(usages, ResourceUsage::memory));
        families.gauge(
                "unit_tasks",
                "Processes and threads in the cgroup of a unit.",
                each(usages, ResourceUsage::tasks));
        families.counter(
                "unit_read_bytes",
                "Bytes that the cgroup of a unit has read from block devices.",
                each(usages, ResourceUsage::readBytes));
        families.counter(
                "unit_written_bytes",
                "Bytes that the cgroup of a unit has written to block devices.",
                each(usages, ResourceUsage::writtenBytes));
        families.counter(
                "unit_ip_received_bytes",
                "Bytes of IP packets that a unit with IPAccounting=yes has received.",
                each(usages, usage -> usage.packets().receivedBytes()));
        families.counter(
                "unit_ip_sent_bytes",
                "Bytes of IP packets that a unit with IPAccounting=yes has sent.",
                each(usages, usage -> usage.packets().sentBytes()));
    }

    private static Consumer<MetricFamilies.Samples> each(
            Map<String, ResourceUsage> usages, ToLongFunction<ResourceUsage> item) {
        return samples ->
                usages.forEach((unit, usage) -> {
                    long value = item.applyAsLong(usage);
                    if (value >= 0) {
                        samples.add(value, "unit", unit);
                    }
                });
    }

    private void processes(ManagerMetrics.Processes processes) {
        families.counter(
                "spawns", "Processes that were spawned for services.", processes.spawned());
        families.counter(
                "failed_spawns",
                "Processes of services that could not be spawned.",
                processes.failed());
        families.counter(
                "exits",
                "Main and control processes that have ended, by outcome.",
                samples ->
                        processes
                                .exits()
                                .forEach((outcome, count) ->
                                        samples.add(count, "outcome", outcome)));
    }

    private void lines(ManagerMetrics metrics, long droppedLines) {
        families.counter("restarts", "Automatic restarts of services.", metrics.restarts());
        families.counter("log_lines", "Lines that units have written.", metrics.logLines());
        families.counter(
                "dropped_log_lines",
                "Lines that were dropped, as the reader of the output was too slow.",
                droppedLines);
        families.counter(
                "notify_messages", "Notify messages that have arrived.", metrics.notifyMessages());
        families.counter(
                "refused_notify_messages",
                "Notify messages that were refused or ignored.",
                metrics.refusedNotifyMessages());
    }
}
