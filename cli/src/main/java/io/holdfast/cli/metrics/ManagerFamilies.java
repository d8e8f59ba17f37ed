package io.holdfast.cli.metrics;

import io.holdfast.manager.ManagerMetrics;
import io.holdfast.manager.job.JobResult;
import java.util.Locale;

/** The metrics of a manager: its units, jobs and processes, and the number of its crashes. */
public final class ManagerFamilies {
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
