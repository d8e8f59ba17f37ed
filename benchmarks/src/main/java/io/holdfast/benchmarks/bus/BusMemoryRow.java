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
 * The resident size of {@code ./holdfast bus}: idle, with connections, with match rules, and after
 * these are gone. Each bus is fresh, so that what it loads and compiles for the first of them
 * counts too.
 */
public final class BusMemoryRow implements Row {
    private static final int CONNECTIONS = 1_000;
    private static final int RULES = 10_000;
    private static final int SETTLE_MILLISECONDS = 5_000;
    private static final double IDLE_MIB = 72;
    private static final double CONNECTION_KIB = 3;
    private static final double RULE_KIB = 1;
    private static final double LEFT_MIB =
            6; // after they are gone: less than half of what they may take

    /** Resident sizes in KiB. */
    private record Sizes(double idle, double connected, double ruled, double after) {
        double idleMib() {
            return idle / 1024;
        }

        double connection() {
            return (connected - idle) / CONNECTIONS;
        }

        double rule() {
            return (ruled - connected) / RULES;
        }

        double leftMib() {
            return (after - idle) / 1024;
        }
    }

    @Override
    public String name() {
        return "bus-memory";
    }

    @Override
    public List<Line> measure(Effort effort) throws IOException, InterruptedException {
        Optional<BusProgram> program = BusProgram.ours();
        if (program.isEmpty()) {
            return List.of(Line.skipped(name(), "needs ./holdfast bus"));
        }
        Sizes ours = sizes(effort, program.get());
        List<String> idle = new ArrayList<>();
        List<String> connection = new ArrayList<>();
        List<String> rule = new ArrayList<>();
        List<String> left = new ArrayList<>();
        for (BusProgram other : BusProgram.others()) {
            Sizes theirs = sizes(effort, other);
            idle.add(Line.format("%s %.1f MiB", other.name(), theirs.idleMib()));
            connection.add(Line.format("%s %.2f KiB", other.name(), theirs.connection()));
            rule.add(Line.format("%s %.2f KiB", other.name(), theirs.rule()));
            left.add(Line.format("%s %.1f MiB", other.name(), theirs.leftMib()));
        }
        return List.of(
                Line.limit(
                        "idle bus, resident",
                        Line.format("%.1f MiB", ours.idleMib()),
                        String.join(", ", idle),
                        Line.format("≤ %.0f MiB", IDLE_MIB),
                        ours.idleMib() <= IDLE_MIB),
                Line.limit(
                        Line.format("each of %,d idle connections", CONNECTIONS),
                        Line.format("%.2f KiB", ours.connection()),
                        String.join(", ", connection),
                        Line.format("≤ %.0f KiB", CONNECTION_KIB),
                        ours.connection() <= CONNECTION_KIB),
                Line.limit(
                        Line.format("each of %,d match rules", RULES),
                        Line.format("%.2f KiB", ours.rule()),
                        String.join(", ", rule),
                        Line.format("≤ %.0f KiB", RULE_KIB),
                        ours.rule() <= RULE_KIB),
                Line.limit(
                        "left when they are gone",
                        Line.format("%.1f MiB", ours.leftMib()),
                        String.join(", ", left),
                        Line.format("≤ %.0f MiB", LEFT_MIB),
                        ours.leftMib() <= LEFT_MIB));
    }

    /** Returns the medians over several buses, one after the other. */
    private static Sizes sizes(Effort effort, BusProgram program)
            throws IOException, InterruptedException {
        List<double[]> samples = new ArrayList<>();
        for (int i = 0; i < effort.rounds(3); i++) {
            samples.add(sample(effort, program));
        }
        double[] medians = new double[samples.getFirst().length];
        for (int i = 0; i < medians.length; i++) {
            int value = i;
            medians[i] = Turns.quantile(samples.stream().mapToDouble(s -> s[value]).toArray(), 0.5);
        }
        return new Sizes(medians[0], medians[1], medians[2], medians[3]);
    }

    private static double[] sample(Effort effort, BusProgram program)
            throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("holdfast-bench-bus");
        int settle = effort.count(SETTLE_MILLISECONDS);
        try (BusProcess bus = program.start(folder);
                Worker generator = bus.generator()) {
            return generator.request("memory " + CONNECTIONS + " " + RULES + " " + settle);
        } finally {
            Files.delete(folder);
        }
    }
}
