package io.holdfast.benchmarks.library;

import io.holdfast.benchmarks.frame.Line;
import io.holdfast.benchmarks.frame.Row;
import io.holdfast.benchmarks.frame.TestCgroup;
import io.holdfast.benchmarks.frame.Turns;
import io.holdfast.benchmarks.frame.Worker;
import io.holdfast.core.ErrnoException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Starts {@code /bin/true} and waits for it: one and two threads, a small and a large heap. */
public final class SpawnRow implements Row {
    private static final int SPAWNS = 100; // a sample, by each thread
    private static final int WARM_UP = 6_000; // until all code on the path is compiled

    // indexes in a sample
    private static final int WHOLE = 0;
    private static final int CALL = 1;

    private final boolean inCgroup;

    private SpawnRow(boolean inCgroup) {
        this.inCgroup = inCgroup;
    }

    public static SpawnRow free() {
        return new SpawnRow(false);
    }

    /** The same with children born in a cgroup, which of the peers only C can do. */
    public static SpawnRow inCgroup() {
        return new SpawnRow(true);
    }

    @Override
    public String name() {
        return inCgroup ? "spawn-cgroup" : "spawn";
    }

    @Override
    public List<Line> measure(Effort effort) throws IOException, InterruptedException {
        if (!inCgroup) {
            List<Line> lines = new ArrayList<>(measure(effort, "small heap", "-", List.of()));
            lines.addAll(
                    measure(
                            effort,
                            "4 GiB heap",
                            "-",
                            List.of("-Xms4g", "-Xmx4g", "-XX:+AlwaysPreTouch")));
            return lines;
        }
        try (TestCgroup cgroup = TestCgroup.make()) {
            return measure(effort, "into a cgroup", cgroup.folder(), List.of());
        } catch (ErrnoException e) {
            return List.of(Line.skipped("spawn into a cgroup", e.toString()));
        }
    }

    private List<Line> measure(Effort effort, String how, String cgroup, List<String> flags)
            throws IOException, InterruptedException {
        List<Line> lines = new ArrayList<>();
        try (Worker java = Worker.java(LibrarySubject.class, "JVM", flags.toArray(String[]::new));
                Worker c = Worker.c()) {
            String warmUp = " " + effort.count(WARM_UP) + " 1 " + cgroup;
            var _ = java.request("spawn" + warmUp);
            if (!inCgroup) {
                var _ = java.request("spawn-ProcessBuilder" + warmUp);
            }
            for (int threads = 1; threads <= 2; threads++) {
                lines.addAll(measure(effort, how, cgroup, threads, java, c));
            }
        }
        return lines;
    }

    private List<Line> measure(
            Effort effort, String how, String cgroup, int threads, Worker java, Worker c)
            throws IOException, InterruptedException {
        int n = effort.count(SPAWNS);
        String arguments = n + " " + threads + " " + cgroup;
        Turns turns = new Turns();
        int we = turns.add(() -> java.request("spawn " + arguments));
        int they = turns.add(() -> c.request("spawn " + arguments));
        int builder =
                inCgroup ? -1 : turns.add(() -> java.request("spawn-ProcessBuilder " + arguments));
        turns.run(effort.rounds(5), effort.rounds(21));

        String on = ", " + how + ", " + threads + (threads == 1 ? " thread" : " threads");
        String what = "spawn and wait" + on;
        String call = "the call alone" + on;
        double each = (double) n * threads;
        List<Line> lines = new ArrayList<>();
        Comparison reference = new Comparison(turns, we, "C", they, each);
        lines.add(reference.line(what, WHOLE, inCgroup ? 1.2 : 1.15));
        lines.add(reference.line(call, CALL));
        if (!inCgroup) {
            Comparison jdk = new Comparison(turns, we, "ProcessBuilder", builder, each);
            lines.add(jdk.line(what, WHOLE, 0.5));
            lines.add(jdk.line(call, CALL, 0.2));
            Turns fewer = new Turns();
            int again = fewer.add(() -> java.request("spawn " + arguments));
            int nuProcess = fewer.add(() -> java.request("spawn-NuProcess " + arguments));
            var _ = fewer.run(effort.rounds(1), effort.rounds(3)); // one sample may take 60 ms
            lines.add(
                    new Comparison(fewer, again, "NuProcess, cold", nuProcess, each)
                            .line(what, WHOLE));
        }
        return lines;
    }

    /** Compares us with one peer, in the same turns. */
    private record Comparison(Turns turns, int we, String name, int they, double each) {
        Line line(String what, int value, double most) {
            return Line.of(what, text(we, value), name, text(they, value), ratio(value), most);
        }

        Line line(String what, int value) {
            return Line.of(what, text(we, value), name, text(they, value), ratio(value));
        }

        private String text(int who, int value) {
            return Line.nanoseconds(turns.median(who, value) / each);
        }

        private Turns.Ratio ratio(int value) {
            return turns.ratio(we, they, value);
        }
    }
}
