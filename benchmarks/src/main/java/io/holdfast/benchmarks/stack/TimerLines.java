package io.holdfast.benchmarks.stack;

import io.holdfast.benchmarks.frame.Launcher;
import io.holdfast.benchmarks.frame.Line;
import io.holdfast.benchmarks.frame.ScratchFolder;
import io.holdfast.benchmarks.frame.Worker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What a thousand waiting timers cost the manager, and what a hundred cost that elapse together.
 */
final class TimerLines {
    private static final int WAITING = 1_000;
    private static final int DUE = 100;
    private static final Duration IDLE = Duration.ofSeconds(10);

    /** More than the JVM wakes in {@link #IDLE} at other times. */
    private static final long MOST_WAKEUPS = 10;

    /** The timers elapse this long after their start; their services have ended soon after. */
    private static final Duration DUE_AFTER = Duration.ofSeconds(3);

    private static final Duration DONE_AFTER = Duration.ofSeconds(6);
    private static final double MOST = 2;

    /** Fields of proc_pid_stat(5), counted from the one behind the name. */
    private static final int UTIME = 11;

    private static final int STIME = 12;
    private static final double TICKS_PER_SECOND = 100; // USER_HZ of every architecture of Linux

    private TimerLines() {}

    static void write(ScratchFolder units) throws IOException, InterruptedException {
        String timer =
                """
                [Unit]
                DefaultDependencies=no
                PartOf=%s
                [Timer]
                OnActiveSec=%s
                AccuracySec=1us
                Unit=oneshot@%%i.service
                """;
        units.write("waiting@.timer", timer.formatted("waiting.target", "1d"));
        units.write("due@.timer", timer.formatted("due.target", DUE_AFTER.toSeconds() + "s"));
        ManagerRow.writeTarget(units, "waiting", "waiting@%d.timer", WAITING);
        ManagerRow.writeTarget(units, "due", "due@%d.timer", DUE);
    }

    static List<Line> measure(Worker our, StackProcess ours, Worker their, SystemdProcess theirs)
            throws IOException, InterruptedException {
        long pid = ours.managerPid();
        long theirPid = theirs.managerPid();
        double tick = tick(our, pid);
        double theirTick = tick(their, theirPid);
        double starts = starts(our, pid);
        double theirStarts = starts(their, theirPid);
        long without = wakeups(pid);
        var _ = our.request("jobs StartUnit waiting.target 1 1");
        var _ = their.request("jobs StartUnit waiting.target 1 1");
        long with = wakeups(pid);
        long theirWith = wakeups(theirPid);
        return List.of(
                Line.limit(
                        "wakeups in " + IDLE.toSeconds() + " s while " + WAITING + " timers wait",
                        with + " (else " + without + ")",
                        "systemd " + theirWith,
                        "≤ " + MOST_WAKEUPS + " more than else",
                        with <= without + MOST_WAKEUPS),
                Line.limit(
                        "processor time of " + DUE + " timers that elapse, beside as many starts",
                        "%s, %s"
                                .formatted(
                                        Line.nanoseconds(tick * 1e9),
                                        Line.nanoseconds(starts * 1e9)),
                        "systemd %s, %s"
                                .formatted(
                                        Line.nanoseconds(theirTick * 1e9),
                                        Line.nanoseconds(theirStarts * 1e9)),
                        Line.format("≤ %.0f ×", MOST),
                        tick <= MOST * starts));
    }

    /** Returns the processor time, in seconds, from before the timers elapse until all is over. */
    private static double tick(Worker worker, long pid) throws IOException, InterruptedException {
        long begun = System.nanoTime();
        var _ = worker.request("jobs StartUnit due.target 1 1");
        double before = seconds(pid);
        Thread.sleep(DONE_AFTER.minusNanos(System.nanoTime() - begun));
        double tick = seconds(pid) - before;
        var _ = worker.request("jobs StopUnit due.target 1 1");
        return tick;
    }

    private static double starts(Worker worker, long pid) throws IOException, InterruptedException {
        double before = seconds(pid);
        var _ = worker.request("jobs StartUnit oneshot@ %d %d".formatted(DUE, DUE));
        return seconds(pid) - before;
    }

    /**
     * Returns the processor time of a process, also of its threads that have ended:
     * proc_pid_stat(5).
     */
    static double seconds(long pid) throws IOException {
        String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return (Long.parseLong(fields[UTIME]) + Long.parseLong(fields[STIME])) / TICKS_PER_SECOND;
    }

    /** Returns how often the threads of a process begin to run within a while. */
    private static long wakeups(long pid) throws IOException, InterruptedException {
        Map<Path, Long> before = switches(pid);
        Thread.sleep(IDLE);
        long sum = 0;
        for (Map.Entry<Path, Long> thread : switches(pid).entrySet()) {
            sum += thread.getValue() - before.getOrDefault(thread.getKey(), 0L);
        }
        return sum;
    }

    private static Map<Path, Long> switches(long pid) throws IOException {
        Map<Path, Long> switches = new HashMap<>();
        try (Stream<Path> threads = Files.list(Path.of("/proc/" + pid + "/task"))) {
            for (Path thread : threads.toList()) {
                long id = Long.parseLong(thread.getFileName().toString());
                switches.put(thread, Launcher.status(id, "voluntary_ctxt_switches"));
            }
        }
        return switches;
    }
}
