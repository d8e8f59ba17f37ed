package io.holdfast.benchmarks.stack;

import io.holdfast.benchmarks.frame.Launcher;
import io.holdfast.benchmarks.frame.Line;
import io.holdfast.benchmarks.frame.Native;
import io.holdfast.benchmarks.frame.Row;
import io.holdfast.benchmarks.frame.ScratchFolder;
import io.holdfast.benchmarks.frame.Turns;
import io.holdfast.benchmarks.frame.Worker;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.process.PidFd;
import io.holdfast.dbus.ConnectionLostException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The cost and the benefit of services that survive their manager: how much longer a start takes
 * because the manager records it first, how much memory the keeper has, how soon the next manager
 * has adopted all services, and how long a client waits meanwhile. For the record: what happens to
 * systemd and its services.
 */
public final class SurviveRow implements Row {
    private static final int ONE_BY_ONE = 50;
    private static final int WARM_UP = 8;
    private static final int ROUNDS = 41;
    private static final int WALL = 0;
    private static final int PROCESSOR = 1;
    private static final int RUNNING = 100;
    private static final int KILLS = 15;
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final Duration PAUSE = Duration.ofMillis(2);

    private static final double START = 1.1; // ratio to a manager without a keeper
    private static final double ADOPTED_S = 1;
    private static final double KEEPER_MIB = 3;

    /** After several early deaths of managers the next one pauses, which is not measured. */
    private static final String WITHOUT_PAUSE = "-Dio.holdfast.manager.crashPause=1";

    private static final byte[] LINE = {'l', 'i', 'n', 'e', '\n'};

    private static final String SERVICE =
            """
            [Unit]
            DefaultDependencies=no
            CollectMode=inactive-or-failed
            [Service]
            ExecStart=%s
            """;

    private static final String SILENT = "StandardOutput=null\nStandardError=null\n";

    @Override
    public String name() {
        return "survive";
    }

    @Override
    public List<Line> measure(Effort effort) throws IOException, InterruptedException {
        Optional<Launcher> launcher = Launcher.open();
        if (launcher.isEmpty() || !SystemdProcess.isThere()) {
            return List.of(Line.skipped(name(), "it needs systemd to kill, too, and root"));
        }
        try (ScratchFolder units = ScratchFolder.forUnits()) {
            Path pause = Native.PAUSE.build();
            int port = freePort();
            units.write("idle.service", SERVICE.formatted(pause) + SILENT);
            units.write("silent@.service", SERVICE.formatted(pause) + SILENT);
            units.write("logged@.service", SERVICE.formatted(pause));
            units.write("echo@.service", SERVICE.formatted("/bin/cat") + "StandardInput=socket\n");
            units.write("echo.socket", echoSocket(port));
            List<Line> lines = new ArrayList<>(starts(effort, launcher.get(), units.path()));
            lines.addAll(kills(effort, launcher.get(), units.path(), port));
            lines.add(systemd(effort, units.path(), pause));
            return lines;
        }
    }

    private static String echoSocket(int port) {
        return """
        [Unit]
        DefaultDependencies=no
        [Socket]
        Accept=yes
        ListenStream=127.0.0.1:%d
        """
                .formatted(port);
    }

    private static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return free.getLocalPort();
        }
    }

    /** Returns the arguments of a manager with its own slice, because two of them run at once. */
    private static List<String> arguments(Path units, String slice, String... more) {
        List<String> arguments = new ArrayList<>(List.of("--units", units.toString()));
        String name = "bench" + slice + ProcessHandle.current().pid() + ".slice";
        arguments.addAll(List.of("--slice", name));
        arguments.addAll(List.of(more));
        return arguments;
    }

    // ---- the cost

    private static List<Line> starts(Effort effort, Launcher launcher, Path units)
            throws IOException, InterruptedException {
        List<String> bare = arguments(units, "bare", "--no-keeper", "idle.service");
        List<String> kept = arguments(units, "kept", "idle.service");
        int count = effort.count(ONE_BY_ONE);
        try (ScratchFolder ourRuntime = ScratchFolder.forRuntime();
                ScratchFolder bareRuntime = ScratchFolder.forRuntime();
                StackProcess ours = new StackProcess(launcher, ourRuntime.path(), kept);
                StackProcess without = new StackProcess(launcher, bareRuntime.path(), bare);
                Worker our = ours.generatorOfPeers();
                Worker their = without.generatorOfPeers()) {
            Turns turns = new Turns();
            int silent = turns.add(() -> start(our, "silent@", count));
            int bareSilent = turns.add(() -> start(their, "silent@", count));
            int logged = turns.add(() -> start(our, "logged@", count));
            int bareLogged = turns.add(() -> start(their, "logged@", count));
            turns.run(effort.rounds(WARM_UP), effort.rounds(ROUNDS));
            return Stream.of(
                            cost(
                                    turns,
                                    "start of a simple service, one at a time",
                                    silent,
                                    bareSilent),
                            cost(turns, "the same with its output read", logged, bareLogged))
                    .flatMap(List::stream)
                    .toList();
        }
    }

    /**
     * Starts services one after the other, and stops them.
     *
     * @return the nanoseconds of each start, and of the manager's processor time for it
     */
    private static double[] start(Worker worker, String unit, int count)
            throws IOException, InterruptedException {
        double[] started = worker.request("jobs StartUnit %s %d 1".formatted(unit, count));
        double[] _ = worker.request("jobs StopUnit %s %2$d %2$d".formatted(unit, count));
        return new double[] {1e9 / started[0], started[1]};
    }

    private static List<Line> cost(Turns turns, String what, int kept, int bare) {
        double start = turns.median(kept, WALL);
        double bareStart = turns.median(bare, WALL);
        return List.of(
                Line.of(
                        what,
                        perStart(start),
                        "`--no-keeper`",
                        perStart(bareStart),
                        turns.ratio(kept, bare, WALL),
                        START),
                Line.of(
                        what + ", processor time of the manager",
                        Line.nanoseconds(turns.median(kept, PROCESSOR)),
                        "`--no-keeper`",
                        Line.nanoseconds(turns.median(bare, PROCESSOR)),
                        turns.ratio(kept, bare, PROCESSOR)));
    }

    private static String perStart(double nanoseconds) {
        return Line.format("%s (%.0f/s)", Line.nanoseconds(nanoseconds), 1e9 / nanoseconds);
    }

    // ---- the benefit

    private static List<Line> kills(Effort effort, Launcher launcher, Path units, int port)
            throws IOException, InterruptedException {
        int running = effort.count(RUNNING);
        List<String> arguments = arguments(units, "killed", "idle.service", "echo.socket");
        try (ScratchFolder runtime = ScratchFolder.forRuntime();
                StackProcess stack =
                        new StackProcess(launcher, runtime.path(), arguments, WITHOUT_PAUSE)) {
            try (Worker generator = stack.generatorOfPeers()) {
                double[] _ =
                        generator.request("jobs StartUnit silent@ %1$d %1$d".formatted(running));
            }
            Map<String, Object> before = mainPids(stack);
            if (before.size() != running) {
                throw new IOException(before.size() + " of " + running + " services run");
            }
            Turns turns = new Turns();
            int adopted = turns.add(() -> untilAdopted(stack, before));
            int waiting = turns.add(() -> untilServed(stack, port));
            int undisturbed = turns.add(() -> served(port));
            turns.run(1, effort.rounds(KILLS));
            double seconds = turns.median(adopted, 0) / 1e9;
            return List.of(
                    Line.limit(
                            "kill to all of " + running + " services adopted, median (worst)",
                            spread(turns, adopted),
                            "first start to ready " + Line.nanoseconds(stack.readyNanoseconds()),
                            Line.format("≤ %.1f s", ADOPTED_S),
                            seconds <= ADOPTED_S),
                    Line.note(
                            "a client that connects just after the kill, until it is served",
                            spread(turns, waiting),
                            "without a kill " + spread(turns, undisturbed)),
                    keeper(stack));
        }
    }

    private static String spread(Turns turns, int who) {
        return "%s (%s)"
                .formatted(
                        Line.nanoseconds(turns.median(who, 0)),
                        Line.nanoseconds(turns.worst(who, 0)));
    }

    private static Map<String, Object> mainPids(StackProcess stack) throws InterruptedException {
        try (PrivateSocket socket = PrivateSocket.connect(stack.privateSocket())) {
            return socket.mainPids("silent@*");
        }
    }

    /** Kills the manager, and waits until it is dead, so that only the next one can answer. */
    private static void kill(StackProcess stack) throws IOException, InterruptedException {
        try (PidFd manager = stack.manager()) {
            boolean _ = manager.signal(Signal.KILL);
            var _ = manager.await();
        }
    }

    private static double[] untilAdopted(StackProcess stack, Map<String, Object> before)
            throws IOException, InterruptedException {
        long begin = System.nanoTime();
        kill(stack);
        Map<String, Object> now = Map.of();
        while (System.nanoTime() - begin < TIMEOUT.toNanos()) {
            try {
                now = mainPids(stack);
                if (now.equals(before)) {
                    return new double[] {System.nanoTime() - begin};
                }
            } catch (ErrnoException | ConnectionLostException e) {
                // the next manager is not there yet
            }
            Thread.sleep(PAUSE);
        }
        throw new IOException("of " + before + " the next manager has " + now);
    }

    private static double[] untilServed(StackProcess stack, int port)
            throws IOException, InterruptedException {
        kill(stack);
        return served(port);
    }

    /** Returns how long a client waits, from before it connects. */
    private static double[] served(int port) throws IOException {
        long begin = System.nanoTime();
        try (Socket client = new Socket(InetAddress.getLoopbackAddress(), port)) {
            client.setSoTimeout(Math.toIntExact(TIMEOUT.toMillis()));
            client.getOutputStream().write(LINE);
            byte[] echo = client.getInputStream().readNBytes(LINE.length);
            if (echo.length != LINE.length) {
                throw new IOException("the echo ended after " + echo.length + " bytes");
            }
            return new double[] {System.nanoTime() - begin};
        }
    }

    private static Line keeper(StackProcess stack) throws IOException {
        double resident = stack.keeperMib("Rss");
        return Line.limit(
                "keeper, resident",
                Line.format("%.1f MiB (%.1f MiB PSS)", resident, stack.keeperMib("Pss")),
                "",
                Line.format("≤ %.0f MiB", KEEPER_MIB),
                resident <= KEEPER_MIB);
    }

    private static Line systemd(Effort effort, Path units, Path pause)
            throws IOException, InterruptedException {
        int running = effort.count(RUNNING);
        String program = pause.getFileName().toString();
        return Line.note(
                running + " services of a manager that is killed",
                "run on, as above",
                SystemdProcess.version()
                        + " in a container: "
                        + new SystemdKill(units, running, "silent@", program).outcome());
    }
}
