package io.holdfast.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Messages of 1 KiB over a stream socket, both ends in one JVM. Ours knows its peer: {@code peer()}
 * once a connection, in the measured time; {@code java.nio} knows nobody.
 */
final class MessagesRow implements Row {
    /**
     * A way to exchange them.
     *
     * @param by words before the command of the JVMs
     * @param messages a sample, over one connection
     * @param rounds of each pair
     * @param pairs of JVMs, one after the other: where a hundredth counts it hangs on how both laid
     *     out what they compiled
     * @param resolution whether java.nio is measured beside itself too: how far a ratio of two that
     *     are the same is from 1
     */
    private record Way(
            String name,
            String command,
            List<String> by,
            int messages,
            int rounds,
            int pairs,
            boolean resolution) {
        /** A message takes a microsecond: who of the two waits for whom makes the difference. */
        static Way oneWay(String threads) {
            return new Way(
                    "one way, " + threads + " threads",
                    "oneway " + threads,
                    List.of(),
                    100_000,
                    11,
                    4,
                    false);
        }
    }

    private static final List<Way> WAYS =
            List.of(
                    new Way(
                            "request and response, virtual threads",
                            "request virtual",
                            List.of(),
                            10_000,
                            11,
                            2,
                            false),
                    Way.oneWay("virtual"),
                    // Two wake-ups of idle processors, as long as they please, and all but nothing
                    // of anybody's own: many samples tell a hundredth, long ones do not.
                    new Way(
                            "request and response, platform threads",
                            "request platform",
                            List.of(),
                            2_000,
                            55,
                            8,
                            true),
                    // The same without those: what is left is the code of both.
                    new Way(
                            "request and response, platform threads on one processor",
                            "request platform",
                            Worker.on(0),
                            10_000,
                            11,
                            4,
                            false),
                    Way.oneWay("platform"));

    @Override
    public String name() {
        return "messages";
    }

    @Override
    public List<Line> measure(Effort effort) throws IOException, InterruptedException {
        List<Line> lines = new ArrayList<>();
        for (Way way : WAYS) {
            for (String buffer : List.of("direct", "heap")) {
                lines.addAll(measure(effort, way, buffer));
            }
        }
        return lines;
    }

    private static List<Line> measure(Effort effort, Way way, String buffer)
            throws IOException, InterruptedException {
        int n = effort.count(way.messages());
        String arguments = way.command() + " " + buffer + " " + n;
        Turns turns = new Turns();
        Worker[] jvms = new Worker[3];
        int we = turns.add(() -> jvms[0].ask("messages " + arguments));
        int they = turns.add(() -> jvms[1].ask("messages-nio " + arguments));
        int again =
                way.resolution() ? turns.add(() -> jvms[2].ask("messages-nio " + arguments)) : they;
        for (int i = 0; i < effort.rounds(way.pairs()); i++) {
            try (Worker ours = Worker.java(way.by(), "Holdfast");
                    Worker nio = Worker.java(way.by(), "java.nio");
                    Worker itself = Worker.java(way.by(), "java.nio itself")) {
                jvms[0] = ours;
                jvms[1] = nio;
                jvms[2] = itself;
                turns.run(effort.rounds(way.rounds() / 2), effort.rounds(way.rounds()));
            }
        }
        String what = "1 KiB messages, " + way.name() + ", " + buffer + " buffers";
        Line line =
                Line.of(
                        what,
                        Line.nanoseconds(turns.median(we, 0) / n),
                        "java.nio",
                        Line.nanoseconds(turns.median(they, 0) / n),
                        turns.ratio(we, they, 0),
                        1.0);
        return way.resolution()
                ? List.of(
                        line,
                        Line.of(
                                what + ": java.nio beside itself",
                                Line.nanoseconds(turns.median(again, 0) / n),
                                "java.nio",
                                Line.nanoseconds(turns.median(they, 0) / n),
                                turns.ratio(again, they, 0)))
                : List.of(line);
    }
}
