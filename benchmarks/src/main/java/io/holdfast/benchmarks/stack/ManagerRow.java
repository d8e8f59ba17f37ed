package io.holdfast.benchmarks.stack;

import io.holdfast.benchmarks.frame.Launcher;
import io.holdfast.benchmarks.frame.Line;
import io.holdfast.benchmarks.frame.Native;
import io.holdfast.benchmarks.frame.Row;
import io.holdfast.benchmarks.frame.ScratchFolder;
import io.holdfast.benchmarks.frame.Turns;
import io.holdfast.benchmarks.frame.Turns.Ratio;
import io.holdfast.benchmarks.frame.Worker;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The number of units that the manager starts and stops per second, one at a time and many at once,
 * beside systemd as PID 1 of its own namespaces; a target with a thousand services; timers; unit
 * files read; one request while ten thousand units are loaded; and a long table of mounts. A start
 * counts until its job is done.
 */
public final class ManagerRow implements Row {
    private static final int ONE_BY_ONE = 100;
    private static final int AT_ONCE = 300;
    private static final int WARM_UP = 3;
    private static final int ROUNDS = 7;
    private static final int WANTED = 1_000;
    private static final int LOADED = 10_000;

    /** More units than a manager accepts by default, and memory for them. */
    private static final String ROOM = "-Dio.holdfast.manager.units=20000 -Xmx512m";

    private static final int LISTS = 20;
    private static final int PER_SECOND = 0;

    private static final double START_S = 2.5;
    private static final double LIST_S = 0.5;
    private static final double STOP_S = 3;
    private static final double UNIT_KIB = 25;
    private static final double AMONG_MANY = 0.9;
    private static final int FILES = 5_000;
    private static final String ROOM_FOR_FILES = "-Dio.holdfast.manager.units=6000";
    private static final double READ_S = 1.5;
    private static final double READ_MIB = 30;

    private static final String SERVICE =
            """
            [Unit]
            DefaultDependencies=no
            CollectMode=inactive-or-failed
            [Service]
            Type=%s
            ExecStart=%s
            StandardOutput=null
            StandardError=null
            """;

    /** Twenty directives of systemd.exec(5) that confine a service. */
    private static final String CONFINED =
            """
            PrivateTmp=yes
            PrivateDevices=yes
            ProtectSystem=strict
            ProtectHome=yes
            ProtectKernelTunables=yes
            ProtectKernelModules=yes
            ProtectKernelLogs=yes
            ProtectControlGroups=yes
            ProtectClock=yes
            ProtectHostname=yes
            ProtectProc=invisible
            NoNewPrivileges=yes
            RestrictAddressFamilies=AF_UNIX AF_INET
            RestrictNamespaces=yes
            RestrictRealtime=yes
            RestrictSUIDSGID=yes
            LockPersonality=yes
            MemoryDenyWriteExecute=yes
            SystemCallFilter=@system-service
            SystemCallArchitectures=native
            """;

    /** A service whose start reads its file, and runs nothing. */
    private static final String SKIPPED =
            """
            [Unit]
            DefaultDependencies=no
            ConditionPathExists=/nonexistent
            [Service]
            ExecStart=/bin/true
            """;

    @Override
    public String name() {
        return "manager";
    }

    @Override
    public List<Line> measure(Effort effort) throws IOException, InterruptedException {
        Optional<Launcher> launcher = Launcher.open();
        if (launcher.isEmpty() || !SystemdProcess.isThere()) {
            return List.of(Line.skipped(name(), "it needs systemd to measure beside, and root"));
        }
        try (ScratchFolder units = ScratchFolder.forUnits();
                ScratchFolder runtime = ScratchFolder.forRuntime()) {
            write(units);
            List<String> arguments = List.of("--units", units.path().toString(), "idle.service");
            List<Line> lines = new ArrayList<>();
            try (StackProcess ours = new StackProcess(launcher.get(), runtime.path(), arguments);
                    SystemdProcess theirs = SystemdProcess.start(units.path());
                    Worker our = ours.generatorOfPeers();
                    Worker their = theirs.generatorOfPeers()) {
                lines.addAll(rates(effort, our, their));
                lines.addAll(target(effort, our, ours, their, theirs));
                lines.addAll(TimerLines.measure(our, ours, their, theirs));
            }
            try (StackProcess ours =
                            new StackProcess(launcher.get(), runtime.path(), arguments, ROOM);
                    SystemdProcess theirs = SystemdProcess.start(units.path());
                    Worker our = ours.generatorOfPeers();
                    Worker their = theirs.generatorOfPeers()) {
                lines.add(amongMany(effort, our, their));
            }
            try (StackProcess ours =
                            new StackProcess(
                                    launcher.get(), runtime.path(), arguments, ROOM_FOR_FILES);
                    SystemdProcess theirs = SystemdProcess.start(units.path());
                    Worker our = ours.generatorOfPeers();
                    Worker their = theirs.generatorOfPeers()) {
                lines.addAll(files(our, ours, their, theirs));
            }
            lines.add(MountLine.measure(effort, launcher.get(), units, runtime.path()));
            return lines;
        }
    }

    private static void write(ScratchFolder units) throws IOException, InterruptedException {
        String simple = SERVICE.formatted("simple", Native.PAUSE.build());
        units.write("idle.service", simple);
        units.write("simple@.service", simple);
        units.write("wanted@.service", simple.replace("[Unit]", "[Unit]\nPartOf=thousand.target"));
        units.write("oneshot@.service", SERVICE.formatted("oneshot", "/bin/true"));
        units.write("confined@.service", SERVICE.formatted("oneshot", "/bin/true") + CONFINED);
        writeTarget(units, "thousand", "wanted@%d.service", WANTED);
        units.write("idle@.target", "[Unit]\nDefaultDependencies=no\nPartOf=many.target\n");
        writeTarget(units, "many", "idle@%d.target", LOADED);
        TimerLines.write(units);
        for (int i = 0; i < FILES; i++) {
            units.write("file-" + i + ".service", SKIPPED);
        }
        writeTarget(units, "files", "file-%d.service", FILES);
    }

    static void writeTarget(ScratchFolder units, String name, String wanted, int count)
            throws IOException {
        StringBuilder text = new StringBuilder("[Unit]\nDefaultDependencies=no\n");
        for (int i = 0; i < count; i++) {
            String unit = wanted.formatted(i);
            text.append("Wants=").append(unit).append("\nAfter=").append(unit).append('\n');
        }
        units.write(name + ".target", text.toString());
    }

    private static List<Line> rates(Effort effort, Worker our, Worker their)
            throws IOException, InterruptedException {
        List<Line> lines = new ArrayList<>();
        int one = effort.count(ONE_BY_ONE);
        int many = effort.count(AT_ONCE);
        Turns turns = new Turns();
        int[] simple = pair(turns, our, their, "StartUnit", "simple@", one, 1);
        int[] stop = pair(turns, our, their, "StopUnit", "simple@", one, 1);
        int[] oneshot = pair(turns, our, their, "StartUnit", "oneshot@", one, 1);
        int[] confined = pair(turns, our, their, "StartUnit", "confined@", one, 1);
        int[] manySimple = pair(turns, our, their, "StartUnit", "simple@", many, many);
        pair(turns, our, their, "StopUnit", "simple@", many, many);
        int[] manyOneshot = pair(turns, our, their, "StartUnit", "oneshot@", many, many);
        turns.inOrder().run(effort.rounds(WARM_UP), effort.rounds(ROUNDS));
        lines.add(rate(turns, "starts of a simple service, one at a time", simple, 1.5));
        lines.add(rate(turns, "starts of a oneshot, one at a time", oneshot, 2));
        lines.add(rate(turns, "starts of a oneshot with 20 confining directives", confined, 1));
        lines.add(rate(turns, "stops of a simple service, one at a time", stop, 1));
        lines.add(rate(turns, many + " starts of simple services at once", manySimple, 2));
        lines.add(rate(turns, many + " starts of oneshots at once", manyOneshot, 3));
        return lines;
    }

    private static int[] pair(
            Turns turns,
            Worker our,
            Worker their,
            String method,
            String unit,
            int count,
            int window) {
        String command = "jobs %s %s %d %d".formatted(method, unit, count, window);
        return new int[] {
            turns.add(() -> our.request(command)), turns.add(() -> their.request(command))
        };
    }

    /** Compares rates: more is better, and the ratio is ours divided by the peer's. */
    private static Line rate(Turns turns, String what, int[] pair, double least) {
        Ratio ratio = turns.ratio(pair[0], pair[1], PER_SECOND);
        return Line.atLeast(
                what,
                perSecond(turns.median(pair[0], PER_SECOND)),
                "systemd",
                perSecond(turns.median(pair[1], PER_SECOND)),
                ratio,
                least);
    }

    private static String perSecond(double rate) {
        return Line.format("%.0f/s", rate);
    }

    private static List<Line> target(
            Effort effort, Worker our, StackProcess ours, Worker their, SystemdProcess theirs)
            throws IOException, InterruptedException {
        Turns turns = new Turns();
        long ourBefore = ours.managerKib();
        long theirBefore = theirs.managerKib();
        double[] loaded = new double[2];
        int[] start = pair(turns, our, their, "StartUnit", "thousand.target", 1, 1);
        int list = turns.add(() -> our.request("list " + LISTS));
        int theirList = turns.add(() -> their.request("list " + LISTS));
        int size =
                turns.add(() -> {
                    loaded[0] = (ours.managerKib() - ourBefore) / (double) WANTED;
                    loaded[1] = (theirs.managerKib() - theirBefore) / (double) WANTED;
                    return loaded;
                });
        int[] stop = pair(turns, our, their, "StopUnit", "thousand.target", 1, 1);
        pair(turns, our, their, "StopUnit", "wanted@", WANTED, WANTED);
        turns.inOrder().run(1, effort.rounds(5));
        return List.of(
                seconds(turns, WANTED + " services wanted by a target: start", start, START_S),
                seconds(turns, "list them", new int[] {list, theirList}, LIST_S),
                seconds(turns, "stop them", stop, STOP_S),
                Line.limit(
                        "memory of the manager for each of them",
                        Line.format("%.0f KiB", turns.median(size, 0)),
                        Line.format("systemd %.0f KiB", turns.median(size, 1)),
                        Line.format("≤ %.0f KiB", UNIT_KIB),
                        turns.median(size, 0) <= UNIT_KIB));
    }

    /** Starts a target whose units are all read, each from a file of its own, and skipped. */
    private static List<Line> files(
            Worker our, StackProcess ours, Worker their, SystemdProcess theirs)
            throws IOException, InterruptedException {
        long ourBefore = ours.managerKib();
        long theirBefore = theirs.managerKib();
        double read = 1 / our.request("jobs StartUnit files.target 1 1")[PER_SECOND];
        double theirRead = 1 / their.request("jobs StartUnit files.target 1 1")[PER_SECOND];
        double mib = (ours.managerKib() - ourBefore) / 1024.0;
        double theirMib = (theirs.managerKib() - theirBefore) / 1024.0;
        return List.of(
                Line.limit(
                        FILES + " unit files read, their starts skipped by a condition",
                        Line.nanoseconds(read * 1e9),
                        "systemd " + Line.nanoseconds(theirRead * 1e9),
                        Line.format("≤ %.1f s", READ_S),
                        read <= READ_S),
                Line.limit(
                        "memory of the manager for them",
                        Line.format("%.0f MiB", mib),
                        Line.format("systemd %.0f MiB", theirMib),
                        Line.format("≤ %.0f MiB", READ_MIB),
                        mib <= READ_MIB));
    }

    private static Line seconds(Turns turns, String what, int[] pair, double most) {
        double ours = 1 / turns.median(pair[0], PER_SECOND);
        return Line.limit(
                what,
                Line.nanoseconds(ours * 1e9),
                "systemd " + Line.nanoseconds(1e9 / turns.median(pair[1], PER_SECOND)),
                Line.format("≤ %.1f s", most),
                ours <= most);
    }

    private static Line amongMany(Effort effort, Worker our, Worker their)
            throws IOException, InterruptedException {
        int count = effort.count(ONE_BY_ONE);
        double before = starts(effort, our, count);
        double theirsBefore = starts(effort, their, count);
        var _ = our.request("jobs StartUnit many.target 1 1");
        var _ = their.request("jobs StartUnit many.target 1 1");
        double after = starts(effort, our, count);
        double theirsAfter = starts(effort, their, count);
        return Line.limit(
                "starts of a oneshot, one at a time, while " + LOADED + " units are active",
                perSecond(after) + " (else " + perSecond(before) + ")",
                "systemd %s (else %s)".formatted(perSecond(theirsAfter), perSecond(theirsBefore)),
                Line.format("≥ %.1f of else", AMONG_MANY),
                after >= AMONG_MANY * before);
    }

    private static double starts(Effort effort, Worker worker, int count)
            throws IOException, InterruptedException {
        double[] rates = new double[effort.rounds(ROUNDS)];
        for (int i = 0; i < rates.length; i++) {
            rates[i] = worker.request("jobs StartUnit oneshot@ " + count + " 1")[PER_SECOND];
        }
        return Turns.quantile(rates, 0.5);
    }
}
