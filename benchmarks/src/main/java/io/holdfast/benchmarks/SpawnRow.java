package io.holdfast.benchmarks;

import io.holdfast.core.linux.ErrnoException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Starts {@code /bin/true} and waits for it: one and two threads, a small and a large heap. */
final class SpawnRow implements Row {
    private static final int SPAWNS = 100; // a sample, by each thread
    private static final int WARM_UP = 6_000; // until the compiler has done with all of the way
    private static final List<String> JAVA_PEERS = List.of("ProcessBuilder", "NuProcess");

    private final boolean inCgroup;

    private SpawnRow(boolean inCgroup) {
        this.inCgroup = inCgroup;
    }

    static SpawnRow free() {
        return new SpawnRow(false);
    }

    /** The same, born in a cgroup, which only C can do as well. */
    static SpawnRow inCgroup() {
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
        try (Worker java = Worker.java("JVM", flags.toArray(String[]::new));
                Worker c = Worker.c()) {
            String warmUp = " " + effort.count(WARM_UP) + " 1 " + cgroup;
            var _ = java.ask("spawn" + warmUp);
            if (!inCgroup) {
                var _ = java.ask("spawn-ProcessBuilder" + warmUp);
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
        int we = turns.add(() -> java.ask("spawn " + arguments));
        int they = turns.add(() -> c.ask("spawn " + arguments));
        if (!inCgroup) {
            for (String peer : JAVA_PEERS) {
                int ignored = turns.add(() -> java.ask("spawn-" + peer + " " + arguments));
            }
        }
        turns.run(effort.rounds(5), effort.rounds(21));

        String what =
                "spawn and wait, " + how + ", " + threads + (threads == 1 ? " thread" : " threads");
        String ours = Line.nanoseconds(turns.median(we, 0) / n / threads);
        List<Line> lines = new ArrayList<>();
        lines.add(
                Line.of(
                        what,
                        ours,
                        "C",
                        Line.nanoseconds(turns.median(they, 0) / n / threads),
                        turns.ratio(we, they, 0),
                        inCgroup ? 1.2 : 1.15));
        for (int i = 0; !inCgroup && i < JAVA_PEERS.size(); i++) {
            int peer = they + 1 + i;
            String name = JAVA_PEERS.get(i);
            String time = Line.nanoseconds(turns.median(peer, 0) / n / threads);
            lines.add(
                    i == 0
                            ? Line.of(what, ours, name, time, turns.ratio(we, peer, 0), 0.5)
                            : Line.of(what, ours, name, time, turns.ratio(we, peer, 0)));
        }
        String call =
                "the call alone, " + how + ", " + threads + (threads == 1 ? " thread" : " threads");
        String oursCall = Line.nanoseconds(turns.median(we, 1) / n / threads);
        lines.add(
                Line.of(
                        call,
                        oursCall,
                        "C",
                        Line.nanoseconds(turns.median(they, 1) / n / threads),
                        turns.ratio(we, they, 1)));
        if (!inCgroup) {
            int builder = they + 1;
            lines.add(
                    Line.of(
                            call,
                            oursCall,
                            JAVA_PEERS.getFirst(),
                            Line.nanoseconds(turns.median(builder, 1) / n / threads),
                            turns.ratio(we, builder, 1),
                            0.2));
        }
        return lines;
    }
}
