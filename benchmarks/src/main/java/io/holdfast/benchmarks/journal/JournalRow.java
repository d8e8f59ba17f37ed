package io.holdfast.benchmarks.journal;

import io.holdfast.benchmarks.frame.Launcher;
import io.holdfast.benchmarks.frame.Line;
import io.holdfast.benchmarks.frame.Row;
import io.holdfast.benchmarks.frame.ScratchFolder;
import io.holdfast.benchmarks.frame.Turns;
import io.holdfast.benchmarks.frame.Worker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Log messages received, stored and read, beside systemd-journald and journalctl. */
public final class JournalRow implements Row {
    private static final int MESSAGES = 200_000; // of a sample
    private static final int WRITERS = 32;
    private static final int READ = 1_000_000;
    private static final int MANY = 10_000_000;
    private static final int LINES = 20;
    private static final int REACH_MIB = 70;
    private static final double REACH_QUERY = 50e6; // nanoseconds

    @Override
    public String name() {
        return "journal";
    }

    @Override
    public List<Line> measure(Effort effort) throws IOException, InterruptedException {
        Optional<Launcher> launcher = Launcher.open();
        if (launcher.isEmpty() || !Files.isExecutable(LogReceiver.JOURNALD)) {
            return List.of(Line.skipped("journal", "needs ./holdfast and systemd-journald"));
        }
        List<Line> lines = new ArrayList<>();
        received(launcher.get(), effort, lines);
        try (ScratchFolder folder = ScratchFolder.forLogs()) {
            read(launcher.get(), folder.path(), effort, lines);
        }
        return lines;
    }

    private static void received(Launcher launcher, Effort effort, List<Line> lines)
            throws IOException, InterruptedException {
        int count = effort.count(MESSAGES);
        try (LogReceiver ours = LogReceiver.ours(launcher);
                LogReceiver theirs = LogReceiver.journald();
                Worker atOurs = ours.generator();
                Worker atTheirs = theirs.generator();
                Worker library = Worker.java(JournalSubject.class, "JVM", "-Xmx256m");
                ScratchFolder copy = ScratchFolder.forRuntime()) {
            Turns turns = new Turns();
            int we = turns.add(() -> rates(ours, atOurs, count));
            int they = turns.add(() -> rates(theirs, atTheirs, count));
            turns.run(2, effort.rounds(7));
            String[] what = {
                "lines of 100 B of one stream, stored",
                "lines of 100 B of " + WRITERS + " streams, stored",
                "native messages with 8 fields, stored"
            };
            for (int i = 0; i < what.length; i++) {
                lines.add(
                        Line.atLeast(
                                what[i],
                                Line.format("%,.0f/s", turns.median(we, i)),
                                "journald",
                                Line.format("%,.0f/s", turns.median(they, i)),
                                turns.ratio(we, they, i),
                                2.0));
            }
            double mib = ours.resident();
            lines.add(
                    Line.limit(
                            "resident memory of the receiver, after that",
                            Line.format("%.1f MiB", mib),
                            Line.format("journald %.1f MiB", theirs.resident()),
                            "≤ " + REACH_MIB + " MiB",
                            mib <= REACH_MIB));
            // The library follows no link of /proc, which leads to their files.
            Path their = copy.path().resolve("theirs");
            String _ =
                    Launcher.run(List.of("cp", "-r", theirs.files().toString(), their.toString()));
            Path our = Files.createDirectory(copy.path().resolve("ours"));
            double[] copied = library.request("copy " + their + " " + our);
            long size = allocated(our);
            long peer = allocated(theirs.files());
            lines.add(
                    Line.limit(
                            Line.format("files of the same %,.0f entries", copied[0]),
                            Line.format("%d MiB", size >> 20),
                            Line.format("journald %d MiB", peer >> 20),
                            "≤ 1.0 ×",
                            size <= peer));
        }
    }

    /** Returns messages per second: one stream, several streams, native. */
    private static double[] rates(LogReceiver receiver, Worker generator, int count)
            throws IOException, InterruptedException {
        receiver.forget();
        double[] rates = new double[3];
        String[] loads = {
            "stdout " + count + " 1", "stdout " + count + " " + WRITERS, "native " + count
        };
        for (int i = 0; i < loads.length; i++) {
            rates[i] = count / generator.request(loads[i])[0] * 1e9;
        }
        return rates;
    }

    private static long allocated(Path folder) throws IOException, InterruptedException {
        String text = Launcher.run(List.of("du", "-sB1", folder.toString()));
        return Long.parseLong(text.split("\\s")[0]);
    }

    private static void read(Launcher launcher, Path folder, Effort effort, List<Line> lines)
            throws IOException, InterruptedException {
        Path some = Files.createDirectory(folder.resolve("some"));
        Path many = Files.createDirectory(folder.resolve("many"));
        try (Worker library = Worker.java(JournalSubject.class, "JVM", "-Xmx256m")) {
            int count = effort.count(READ);
            double[] ignored = library.request("fill " + some + " " + count);
            Turns turns = new Turns();
            String export = " -D " + some + " -o export > /dev/null";
            int we = turns.add(() -> timed(launcher.script() + " logs" + export));
            int they = turns.add(() -> timed("journalctl -q" + export));
            turns.run(1, effort.rounds(5));
            lines.add(
                    Line.of(
                            Line.format("read %,d entries as export", count),
                            Line.nanoseconds(turns.median(we, 0)),
                            "journalctl",
                            Line.nanoseconds(turns.median(they, 0)),
                            turns.ratio(we, they, 0),
                            1.0));
            int most = effort.count(MANY);
            ignored = library.request("fill " + many + " " + most);
            Turns query = new Turns();
            String unit = "unit-7.service";
            int warm = query.add(() -> library.request("last " + many + " " + unit + " " + LINES));
            String options = " -D " + many + " -n " + LINES + " > /dev/null";
            int command = query.add(() -> timed(launcher.script() + " logs " + unit + options));
            int peer = query.add(() -> timed("journalctl -q -u " + unit + options));
            query.run(effort.rounds(10), effort.rounds(21));
            String what = Line.format("last %d lines of a unit out of %,d", LINES, most);
            lines.add(
                    Line.limit(
                            what + ", library, warm",
                            Line.nanoseconds(query.median(warm, 0)),
                            "",
                            "≤ 50 ms",
                            query.median(warm, 0) <= REACH_QUERY));
            lines.add(
                    Line.of(
                            what + ", command",
                            Line.nanoseconds(query.median(command, 0)),
                            "journalctl",
                            Line.nanoseconds(query.median(peer, 0)),
                            query.ratio(command, peer, 0)));
        }
    }

    private static double[] timed(String command) throws IOException, InterruptedException {
        long begin = System.nanoTime();
        String ignored = Launcher.run(List.of("sh", "-c", command));
        return new double[] {System.nanoTime() - begin};
    }
}
