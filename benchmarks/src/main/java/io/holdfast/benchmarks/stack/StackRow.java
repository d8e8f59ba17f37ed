package io.holdfast.benchmarks.stack;

import io.holdfast.benchmarks.frame.Launcher;
import io.holdfast.benchmarks.frame.Line;
import io.holdfast.benchmarks.frame.Row;
import io.holdfast.benchmarks.frame.ScratchFolder;
import io.holdfast.benchmarks.frame.Turns;
import io.holdfast.benchmarks.frame.Worker;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The whole stack of manager, bus and authority: the time until it is ready, its resident memory,
 * and how fast its manager returns the unit of a process over its bus.
 */
public abstract class StackRow implements Row {
    private final String name;

    private StackRow(String name) {
        this.name = name;
    }

    /** Measures its start and its size. */
    public static StackRow size() {
        return new Size();
    }

    /** Measures the identification of a process by descriptor. */
    public static StackRow identity() {
        return new Identity();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public List<Line> measure(Effort effort) throws IOException, InterruptedException {
        Optional<Launcher> launcher = Launcher.open();
        if (launcher.isEmpty()) {
            return List.of(Line.skipped(name, "there is no ./holdfast up"));
        }
        return measure(effort, launcher.get());
    }

    abstract List<Line> measure(Effort effort, Launcher launcher)
            throws IOException, InterruptedException;

    /** Uses a running stack. */
    @FunctionalInterface
    private interface Use {
        void of(StackProcess stack) throws IOException, InterruptedException;
    }

    private static void with(Launcher launcher, Use use) throws IOException, InterruptedException {
        try (ScratchFolder runtime = ScratchFolder.forRuntime();
                StackProcess stack = new StackProcess(launcher, runtime.path())) {
            use.of(stack);
        }
    }

    private static double median(List<Double> values) {
        return Turns.quantile(values.stream().mapToDouble(Double::doubleValue).toArray(), 0.5);
    }

    private static final class Size extends StackRow {
        private static final int STARTS = 7;
        private static final double READY_MS = 1_500;
        private static final double RESIDENT_MIB = 240;

        Size() {
            super("stack");
        }

        @Override
        List<Line> measure(Effort effort, Launcher launcher)
                throws IOException, InterruptedException {
            List<Double> ready = new ArrayList<>();
            List<Double> resident = new ArrayList<>();
            List<Double> share = new ArrayList<>();
            List<Double> parts = new ArrayList<>();
            for (int i = 0; i < effort.rounds(STARTS); i++) {
                with(
                        launcher,
                        stack -> {
                            ready.add(stack.readyNanoseconds());
                            resident.add(stack.memoryMib("Rss"));
                            share.add(stack.memoryMib("Pss"));
                            parts.add((double) stack.parts());
                        });
            }
            return List.of(
                    Line.limit(
                            "`./holdfast up`, start to ready",
                            Line.nanoseconds(median(ready)),
                            "",
                            Line.format("≤ %,.0f ms", READY_MS),
                            median(ready) <= READY_MS * 1e6),
                    Line.limit(
                            Line.format("resident, all %.0f processes", median(parts)),
                            Line.format("%.0f MiB (%.0f MiB PSS)", median(resident), median(share)),
                            "",
                            Line.format("≤ %.0f MiB", RESIDENT_MIB),
                            median(resident) <= RESIDENT_MIB));
        }
    }

    private static final class Identity extends StackRow {
        private static final int MILLISECONDS = 250;
        private static final int WARM_UP = 15;
        private static final int ROUNDS = 11;
        private static final int P50 = 4;

        Identity() {
            super("identity");
        }

        @Override
        List<Line> measure(Effort effort, Launcher launcher)
                throws IOException, InterruptedException {
            if (!SystemdProcess.isThere()) {
                return List.of(
                        Line.skipped(name(), "needs systemd for comparison, and root to start it"));
            }
            List<Line> lines = new ArrayList<>();
            with(
                    launcher,
                    stack -> {
                        try (SystemdProcess systemd = SystemdProcess.start()) {
                            lines.addAll(measure(effort, stack, systemd));
                        }
                    });
            return lines;
        }

        private static List<Line> measure(Effort effort, StackProcess stack, SystemdProcess systemd)
                throws IOException, InterruptedException {
            int milliseconds = effort.count(MILLISECONDS);
            String ours = " unit " + stack.member() + " 0 1 0 " + milliseconds;
            String theirs = " unit " + systemd.member() + " 0 1 0 " + milliseconds;
            String ping = " ping - 0 1 0 " + milliseconds;
            try (Worker bus = stack.generator();
                    Worker peers = stack.generatorOfPeers();
                    Worker systemdBus = systemd.generator();
                    Worker systemdPeers = systemd.generatorOfPeers()) {
                Turns turns = new Turns();
                int overBus = turns.add(() -> bus.request("checks" + ours));
                int systemdOverBus = turns.add(() -> systemdBus.request("checks" + theirs));
                int busFloor = turns.add(() -> bus.request("checks" + ping));
                int alone = turns.add(() -> peers.request("peer" + ours));
                int systemdAlone = turns.add(() -> systemdPeers.request("peer" + theirs));
                int floor = turns.add(() -> peers.request("peer" + ping));
                turns.run(effort.rounds(WARM_UP), effort.rounds(ROUNDS));
                return List.of(
                        beside(
                                turns,
                                "over a bus",
                                overBus,
                                "systemd, dbus-daemon",
                                systemdOverBus),
                        floor(turns, overBus, "Peer.Ping of the authority", busFloor),
                        beside(turns, "on the private socket", alone, "systemd", systemdAlone),
                        floor(turns, alone, "Peer.Ping there", floor));
            }
        }

        private static Line beside(Turns turns, String way, int we, String name, int they) {
            return Line.of(
                    "unit of a process by pidfd, " + way + ", p50",
                    Line.nanoseconds(turns.median(we, P50)),
                    name,
                    Line.nanoseconds(turns.median(they, P50)),
                    turns.ratio(we, they, P50),
                    1.0);
        }

        private static Line floor(Turns turns, int we, String name, int ping) {
            return Line.of(
                    "the same",
                    Line.nanoseconds(turns.median(we, P50)),
                    name,
                    Line.nanoseconds(turns.median(ping, P50)),
                    turns.ratio(we, ping, P50));
        }
    }
}
