package io.holdfast.benchmarks.library;

import io.holdfast.benchmarks.frame.Line;
import io.holdfast.benchmarks.frame.Row;
import io.holdfast.benchmarks.frame.Turns;
import io.holdfast.benchmarks.frame.Worker;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Messages of 1 KiB over a stream socket, both ends in one JVM. Ours identifies its peer: {@code
 * peer()} once per connection, in the measured time; {@code java.nio} identifies no peer.
 */
public final class MessagesRow implements Row {
    /**
     * A way to exchange messages.
     *
     * @param messages the messages of a sample, over one connection
     * @param pairs the number of pairs of JVMs, one after the other
     * @param reach the target ratio to java.nio
     */
    private record Way(String name, String command, int messages, int pairs, double reach) {
        /** A message takes a microsecond: which side waits for the other makes the difference. */
        static Way oneWay(String threads) {
            return new Way(
                    "one way, " + threads + " threads", "oneway " + threads, 100_000, 4, 1.0);
        }
    }

    private static final int ROUNDS = 11; // for each pair

    private static final List<Way> WAYS =
            List.of(
                    new Way(
                            "request and response, virtual threads",
                            "request virtual",
                            10_000,
                            2,
                            1.0),
                    Way.oneWay("virtual"),
                    // A platform thread waits in poll(2) and then receives, which is one call more.
                    new Way(
                            "request and response, platform threads",
                            "request platform",
                            10_000,
                            4,
                            1.25),
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
        Worker[] jvms = new Worker[2];
        int we = turns.add(() -> jvms[0].request("messages " + arguments));
        int they = turns.add(() -> jvms[1].request("messages-nio " + arguments));
        for (int i = 0; i < effort.rounds(way.pairs()); i++) {
            try (Worker ours = Worker.java(LibrarySubject.class, "Holdfast");
                    Worker nio = Worker.java(LibrarySubject.class, "java.nio")) {
                jvms[0] = ours;
                jvms[1] = nio;
                turns.run(effort.rounds(ROUNDS / 2), effort.rounds(ROUNDS));
            }
        }
        return Line.of(
                "1 KiB messages, " + way.name() + ", " + buffer + " buffers",
                Line.nanoseconds(turns.median(we, 0) / n),
                "java.nio",
                Line.nanoseconds(turns.median(they, 0) / n),
                turns.ratio(we, they, 0),
                way.reach());
    }
}
