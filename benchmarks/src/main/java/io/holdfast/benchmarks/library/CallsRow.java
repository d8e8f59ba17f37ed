package io.holdfast.benchmarks.library;

import io.holdfast.benchmarks.frame.Line;
import io.holdfast.benchmarks.frame.Native;
import io.holdfast.benchmarks.frame.Row;
import io.holdfast.benchmarks.frame.Turns;
import io.holdfast.benchmarks.frame.Worker;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The cheapest calls of the public API beside the same system calls in C, on a third process. */
public final class CallsRow implements Row {
    private static final double REACH = 1.3;
    private static final int CALLS = 100_000; // a sample

    /** As in a JVM that has run for some time: the first pass through the heap faults each page. */
    private static final String TOUCHED = "-XX:+AlwaysPreTouch";

    @Override
    public String name() {
        return "calls";
    }

    @Override
    public List<Line> measure(Effort effort) throws IOException, InterruptedException {
        List<Line> lines = new ArrayList<>();
        Process target = new ProcessBuilder(Native.PAUSE.build().toString()).start();
        try (Worker ours = Worker.java(LibrarySubject.class, "Holdfast", TOUCHED);
                Worker c = Worker.c()) {
            int n = effort.count(CALLS);
            for (String call : List.of("info", "open", "signal")) {
                String command = call + " " + target.pid() + " " + n;
                Turns turns = new Turns();
                int we = turns.add(() -> ours.request(command));
                int they = turns.add(() -> c.request(command));
                turns.run(effort.rounds(5), effort.rounds(21));
                lines.add(
                        Line.of(
                                switch (call) {
                                    case "info" -> "`info()`";
                                    case "open" -> "`open(pid)` and `close()`";
                                    default -> "`signal(0)`";
                                },
                                Line.nanoseconds(turns.median(we, 0) / n),
                                "C",
                                Line.nanoseconds(turns.median(they, 0) / n),
                                turns.ratio(we, they, 0),
                                REACH));
            }
        } finally {
            target.destroyForcibly().waitFor();
        }
        return lines;
    }
}
