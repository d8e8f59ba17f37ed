package io.holdfast.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Messages of 1 KiB over a stream socket, both ends in one JVM. Ours knows its peer: {@code peer()}
 * once a connection, in the measured time; {@code java.nio} knows nobody.
 */
final class MessagesRow implements Row {
    private static final int MESSAGES = 10_000; // a sample, over one connection

    /** A way to exchange them. */
    private record Way(String name, String command) {}

    private static final List<Way> WAYS =
            List.of(
                    new Way("request and response, virtual threads", "request virtual"),
                    new Way("one way, virtual threads", "oneway virtual"),
                    new Way("request and response, platform threads", "request platform"),
                    new Way("one way, platform threads", "oneway platform"));

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
        int n = effort.count(MESSAGES);
        try (Worker ours = Worker.java("Holdfast");
                Worker nio = Worker.java("java.nio")) {
            Turns turns = new Turns();
            String arguments = way.command() + " " + buffer + " " + n;
            int we = turns.add(() -> ours.ask("messages " + arguments));
            int they = turns.add(() -> nio.ask("messages-nio " + arguments));
            turns.run(effort.rounds(5), effort.rounds(21));
            return Line.of(
                    "1 KiB messages, " + way.name() + ", " + buffer + " buffers",
                    Line.nanoseconds(turns.median(we, 0) / n),
                    "java.nio",
                    Line.nanoseconds(turns.median(they, 0) / n),
                    turns.ratio(we, they, 0),
                    1.0);
        }
    }
}
