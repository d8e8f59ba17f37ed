package io.holdfast.benchmarks.library;

import io.holdfast.benchmarks.frame.Line;
import io.holdfast.benchmarks.frame.Native;
import io.holdfast.benchmarks.frame.Row;
import io.holdfast.benchmarks.frame.TestCgroup;
import io.holdfast.benchmarks.frame.Turns;
import io.holdfast.benchmarks.frame.Worker;
import io.holdfast.core.ErrnoException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Many children watched to their exit: threads, heap, and processor time. This process, which is
 * not measured, kills all of them at once.
 */
public final class WatchRow implements Row {
    private static final int CHILDREN = 10_000;
    private static final int FOR_JDK = 1_000; // 10,000 at once did not finish within minutes
    private static final int WARM_UP_EACH = 10_000; // one by one: a batch is begun only once
    private static final int WARM_UP = 4; // samples
    private static final int ROUNDS = 11; // an exit frees memory later, at the cost of others
    private static final double CPU_REACH = 1.3;
    private static final int HEAP_REACH = 1024;

    @Override
    public String name() {
        return "watch";
    }

    @Override
    public List<Line> measure(Effort effort) throws IOException, InterruptedException {
        int n = effort.count(CHILDREN);
        int fewer = effort.count(FOR_JDK);
        List<double[]> ourBegins = new ArrayList<>();
        List<double[]> jdkBegins = new ArrayList<>();
        try (Worker ours = Worker.java(LibrarySubject.class, "Holdfast");
                Worker jdk = Worker.java(LibrarySubject.class, "JDK");
                Worker c = Worker.c();
                Worker clock = Worker.c()) {
            double[] _ = ours.request("watch-each " + effort.count(WARM_UP_EACH));
            for (int i = 0; i < effort.rounds(WARM_UP); i++) {
                double[] _ = sample(clock, ours, "watch", n, new ArrayList<>());
                double[] _ = sample(clock, jdk, "watch-jdk", fewer, new ArrayList<>());
            }
            Turns turns = new Turns();
            int we = turns.add(() -> sample(clock, ours, "watch", n, ourBegins));
            int they = turns.add(() -> sample(clock, c, "watch", n, new ArrayList<>()));
            int java = turns.add(() -> sample(clock, jdk, "watch-jdk", fewer, jdkBegins));
            turns.run(effort.rounds(2), effort.rounds(ROUNDS));

            String what = "watch " + n + " children to their exit: ";
            String jdkOf = "`Process.onExit()` of " + fewer;
            double heap = median(ourBegins, 0);
            double threads = median(ourBegins, 1);
            return List.of(
                    Line.limit(
                            what + "threads",
                            Line.format("%.0f", threads),
                            jdkOf + Line.format(": %.0f", median(jdkBegins, 1)),
                            "≤ 1",
                            threads <= 1),
                    Line.limit(
                            what + "heap each",
                            Line.format("%.0f B", heap),
                            jdkOf + Line.format(": %.0f B", median(jdkBegins, 0)),
                            "≤ " + HEAP_REACH + " B",
                            heap <= HEAP_REACH),
                    Line.of(
                            what + "CPU an exit",
                            Line.nanoseconds(turns.median(we, 0)),
                            "C epoll",
                            Line.nanoseconds(turns.median(they, 0)),
                            turns.ratio(we, they, 0),
                            CPU_REACH),
                    Line.of(
                            what + "CPU an exit",
                            Line.nanoseconds(turns.median(we, 0)),
                            jdkOf,
                            Line.nanoseconds(turns.median(java, 0)),
                            turns.ratio(we, java, 0)));
        } catch (ErrnoException e) {
            return List.of(Line.skipped("watch children in a cgroup", e.toString()));
        }
    }

    /**
     * Starts the children, and kills them while the worker waits. Uses a new cgroup each time:
     * since Linux 6.15 a cgroup that was killed kills processes that are born in it later.
     */
    private static double[] sample(
            Worker clock, Worker worker, String command, int n, List<double[]> begins)
            throws IOException, InterruptedException {
        String pause = Native.PAUSE.build().toString();
        try (TestCgroup cgroup = TestCgroup.make()) {
            begins.add(worker.request(command + " " + n + " " + cgroup.folder() + " " + pause));
            worker.send("exits");
            worker.expect("go");
            String question = "clock " + worker.pid();
            double begin = clock.request(question)[0];
            cgroup.cgroup().kill();
            worker.expect("done");
            return new double[] {(clock.request(question)[0] - begin) / n};
        }
    }

    private static double median(List<double[]> samples, int value) {
        return Turns.quantile(samples.stream().mapToDouble(s -> s[value]).toArray(), 0.5);
    }
}
