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
     */
    private record Way(
            String name, String command, List<String> by, int messages, int rounds, int pairs) {
        /** A message takes a microsecond: who of the two waits for whom makes the difference. */
        static Way oneWay(String threads) {
            return new Way(
                    "one way, " + threads + " threads",
                    "oneway " + threads,
                    List.of(),
                    100_000,
                    11,
                    4);
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
                            2),
                    Way.oneWay("virtual"),
                    // Two wake-ups of idle processors, as long as they please, and all but nothing
                    // of anybody's own: many samples tell a hundredth, long ones do not.
                    new Way(
                            "request and response, platform threads",
                            "request platform",
                            List.of(),
                            2_000,
                            55,
                            8),
                    // The same without those: what is left is the code of both.
                    new Way(
                            "request and response, platform threads on one processor",
                            "request platform",
                            Worker.on(0),
                            10_000,
                            11,
                            4),
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
                lines.add(measure(effort, way, buffer));
            }
        }
        return lines;
    }

    private static Line measure(Effort effort, Way way, String buffer)
            throws IOException, InterruptedException {
        int n = effort.count(way.messages());
        String arguments = way.command() + " " + buffer + " " + n;
        Turns turns = new Turns();
        Worker[] pair = new Worker[2];
        int we = turns.add(() -> pair[0].ask("messages " + arguments));
        int they = turns.add(() -> pair[1].ask("messages-nio " + arguments));
        for (int i = 0; i < effort.rounds(way.pairs()); i++) {
            try (Worker ours = Worker.java(way.by(), "Holdfast");
                    Worker nio = Worker.java(way.by(), "java.nio")) {
                pair[0] = ours;
                pair[1] = nio;
                turns.run(effort.rounds(way.rounds() / 2), effort.rounds(way.rounds()));
            }
        }
        return Line.of(
                "1 KiB messages, " + way.name() + ", " + buffer + " buffers",
                Line.nanoseconds(turns.median(we, 0) / n),
                "java.nio",
                Line.nanoseconds(turns.median(they, 0) / n),
                turns.ratio(we, they, 0),
                1.0);
    }
}
