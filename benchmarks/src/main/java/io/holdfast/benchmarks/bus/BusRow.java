package io.holdfast.benchmarks.bus;

import io.holdfast.benchmarks.frame.Line;
import io.holdfast.benchmarks.frame.Row;
import io.holdfast.benchmarks.frame.Turns;
import io.holdfast.benchmarks.frame.Worker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Traffic over {@code ./holdfast bus} beside that over {@code dbus-broker} and {@code dbus-daemon},
 * from one load generator ({@code src/main/c/busload}), which also checks it.
 */
public final class BusRow implements Row {
    private static final int MILLISECONDS = 300; // a sample
    private static final int WARM_UP = 15; // rounds
    private static final int ROUNDS = 11;

    /** Of each kind of traffic, before any is measured: the compiler shares the bus's processor. */
    private static final int FIRST_MILLISECONDS = 2_000;

    /** Indexes in the generator's answers. */
    private static final int RATE = 0;

    private static final int PROCESSOR = 1;
    private static final int P50 = 4;
    private static final int P99 = 5;

    /**
     * One kind of traffic, and the largest ratio to the time of each reference bus.
     *
     * @param command the generator's command, without the time at its end
     */
    private record Traffic(String what, String command, double byBroker, double byDaemon) {
        double most(String peer) {
            return peer.equals("dbus-broker") ? byBroker : byDaemon;
        }
    }

    private static final List<Traffic> TRAFFIC =
            List.of(
                    new Traffic(
                            "empty messages, 1,000 under way, batched",
                            "oneway 0 1000 batched",
                            1 / 5.0,
                            1 / 10.0),
                    new Traffic(
                            "1 KiB messages, 1,000 under way, batched",
                            "oneway 1024 1000 batched",
                            1 / 5.0,
                            1 / 10.0),
                    new Traffic(
                            "empty messages, 1,000 under way, a write each",
                            "oneway 0 1000 each",
                            1 / 2.0,
                            1 / 4.0),
                    new Traffic(
                            "1 KiB messages, 1,000 under way, a write each",
                            "oneway 1024 1000 each",
                            1 / 2.0,
                            1 / 4.0),
                    new Traffic(
                            "calls, 64 outstanding, batched",
                            "calls 64 batched",
                            1 / 4.0,
                            1 / 10.0),
                    new Traffic(
                            "calls, 1,000 outstanding, batched",
                            "calls 1000 batched",
                            1 / 4.0,
                            1 / 10.0),
                    new Traffic(
                            "64 KiB messages, 16 under way", "oneway 65536 16 each", 1, 1 / 2.5),
                    new Traffic("broadcast to 1", "broadcast 1 1000 batched 0", 1 / 1.5, 1 / 3.0),
                    new Traffic("broadcast to 10", "broadcast 10 1000 batched 0", 1 / 1.5, 1 / 3.0),
                    new Traffic(
                            "broadcast to 100", "broadcast 100 100 batched 0", 1 / 1.5, 1 / 3.0),
                    new Traffic(
                            "connect, Hello, disconnect, 16 at a time",
                            "connect 16",
                            1 / 0.8,
                            1 / 2.0),
                    new Traffic(
                            "GetConnectionCredentials with ProcessFD, 16 at a time",
                            "credentials 16",
                            1 / 0.8,
                            1 / 2.0));

    @Override
    public String name() {
        return "bus";
    }

    @Override
    public List<Line> measure(Effort effort) throws IOException, InterruptedException {
        Optional<BusProgram> ours = BusProgram.ours();
        List<BusProgram> others = BusProgram.others();
        if (ours.isEmpty() || others.isEmpty()) {
            return List.of(
                    Line.skipped("bus", "needs ./holdfast bus, and dbus-broker or dbus-daemon"));
        }
        List<Line> lines = new ArrayList<>();
        for (BusProgram other : others) {
            lines.add(Line.note("version", "", BusProgram.version(other.name())));
        }
        Path folder = Files.createTempDirectory("holdfast-bench-bus");
        List<BusProcess> buses = new ArrayList<>();
        try {
            buses.add(ours.get().start(folder));
            for (BusProgram other : others) {
                buses.add(other.start(folder));
            }
            for (BusProcess bus : buses) {
                warmUp(effort, bus);
            }
            lines.addAll(roundTrips(effort, buses, "", BusProcess::generator));
            lines.addAll(
                    roundTrips(effort, buses, ", on one processor", BusProcess::generatorBeside));
            for (Traffic traffic : TRAFFIC) {
                try {
                    lines.addAll(rates(effort, buses, traffic));
                } catch (IOException e) { // for example a lost message
                    e.printStackTrace();
                    lines.add(Line.skipped(traffic.what(), "failed: " + e.getMessage()));
                }
            }
            lines.addAll(amongRules(effort, buses.getFirst()));
        } finally {
            for (BusProcess bus : buses) {
                bus.close();
            }
            Files.delete(folder);
        }
        return lines;
    }

    private static void warmUp(Effort effort, BusProcess bus) throws InterruptedException {
        for (Traffic traffic : TRAFFIC) {
            try (Worker generator = bus.generator()) {
                var _ =
                        generator.request(
                                traffic.command() + " " + effort.count(FIRST_MILLISECONDS));
            } catch (IOException e) {
                // it fails again when it is measured, and is reported then
            }
        }
    }

    /** Starts the generator of a bus. */
    @FunctionalInterface
    private interface Generators {
        Worker at(BusProcess bus) throws IOException, InterruptedException;
    }

    /**
     * Measures round trips. On two processors most of the time goes into wake-ups; on one processor
     * it is the bus that counts.
     */
    private static List<Line> roundTrips(
            Effort effort, List<BusProcess> buses, String where, Generators generators)
            throws IOException, InterruptedException {
        Turns turns = turns(effort, buses, List.of("roundtrip"), generators);
        List<Line> lines = new ArrayList<>();
        for (int value : List.of(P50, P99)) {
            for (int they = 1; they < buses.size(); they++) {
                String peer = buses.get(they).name();
                boolean median = value == P50;
                lines.add(
                        Line.of(
                                "round trip of a call, " + (median ? "p50" : "p99") + where,
                                Line.nanoseconds(turns.median(0, value)),
                                peer,
                                Line.nanoseconds(turns.median(they, value)),
                                turns.ratio(0, they, value),
                                median || peer.equals("dbus-daemon") ? 1.0 : 1.1));
            }
        }
        return lines;
    }

    private static List<Line> rates(Effort effort, List<BusProcess> buses, Traffic traffic)
            throws IOException, InterruptedException {
        Turns turns = turns(effort, buses, List.of(traffic.command()), BusProcess::generator);
        List<Line> lines = new ArrayList<>();
        for (int they = 1; they < buses.size(); they++) {
            String peer = buses.get(they).name();
            lines.add(
                    Line.of(
                            traffic.what(),
                            rate(turns, 0),
                            peer,
                            rate(turns, they),
                            turns.ratio(0, they, RATE),
                            traffic.most(peer)));
        }
        return lines;
    }

    /** Measures how much longer a broadcast takes when other clients have many rules. */
    private static List<Line> amongRules(Effort effort, BusProcess ours)
            throws IOException, InterruptedException {
        List<Integer> rules = List.of(0, 1_000, 10_000);
        List<String> commands =
                rules.stream().map(count -> "broadcast 1 1000 batched " + count).toList();
        Turns turns = turns(effort, List.of(ours), commands, BusProcess::generator);
        List<Line> lines = new ArrayList<>();
        for (int i = 1; i < rules.size(); i++) {
            lines.add(
                    Line.of(
                            Line.format("broadcast to 1 among %,d rules of others", rules.get(i)),
                            rate(turns, i),
                            "itself without",
                            rate(turns, 0),
                            turns.ratio(i, 0, RATE),
                            1.2));
        }
        return lines;
    }

    /** Samples every command on every bus; the first value is nanoseconds per operation. */
    private static Turns turns(
            Effort effort, List<BusProcess> buses, List<String> commands, Generators generators)
            throws IOException, InterruptedException {
        List<Worker> started = new ArrayList<>();
        try {
            Turns turns = new Turns();
            for (BusProcess bus : buses) {
                Worker generator = generators.at(bus);
                started.add(generator);
                for (String command : commands) {
                    int _ =
                            turns.add(() -> {
                                String line = command + " " + effort.count(MILLISECONDS);
                                double[] sample = generator.request(line);
                                sample[RATE] = 1e9 / sample[RATE];
                                return sample;
                            });
                }
            }
            return turns.run(effort.rounds(WARM_UP), effort.rounds(ROUNDS));
        } finally {
            for (Worker generator : started) {
                generator.close();
            }
        }
    }

    /** Returns the operations per second, and the bus's processor time for each. */
    private static String rate(Turns turns, int who) {
        double rate = 1e9 / turns.median(who, RATE);
        return Line.format(
                "%s (%s CPU)",
                rate >= 1e6
                        ? Line.format("%.2f M/s", rate / 1e6)
                        : Line.format("%.1f k/s", rate / 1e3),
                Line.nanoseconds(turns.median(who, PROCESSOR)));
    }
}
