package io.holdfast.interop.recycling;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.authority.AuthorityEngine;
import io.holdfast.authority.AuthorityOptions;
import io.holdfast.authority.PolicyKit1;
import io.holdfast.authority.subject.CgroupUnits;
import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.linux.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.ScratchCgroup;
import io.holdfast.dbus.BusAddress;
import io.holdfast.dbus.BusConnection;
import io.holdfast.manager.Manager;
import io.holdfast.manager.ManagerListener;
import io.holdfast.manager.ManagerOptions;
import io.holdfast.manager.systemd1.Systemd1;
import io.holdfast.manager.unit.LoadPath;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The first process of a PID namespace, with a bus, a manager and an authority in it. Two hammers
 * recycle numbers there, while core and the daemons are asked whose is what; the truth comes from
 * the hammers ({@link Board}). Prints how often each question was asked, judged and answered
 * wrongly.
 *
 * <p>The daemons are embedded, so that they see the numbers of this namespace, and nobody else's
 * processes are in danger.
 */
final class RecyclingProgram implements AutoCloseable {
    /** Where the hammers' numbers begin: the JVM's threads stay below. */
    private static final int FIRST_NUMBER = 20_000;

    private static final int NUMBERS = 12;
    private static final int HAMMERS = 2;

    /** How long a busy machine may take to judge each question often enough. */
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    /** Held, since the settings of a logger that is not are forgotten. */
    private static final Logger LOG = Logger.getLogger("io.holdfast");

    /** Users of every Debian machine, since rules are told names. */
    private static final int DAEMON = 1;

    private static final int BIN = 2;
    private static final int GAMES = 5;

    private final Path folder;
    private final Bus bus;
    private final Manager manager;
    private final Thread managerThread;
    private final Systemd1 systemd1;
    private final ScratchCgroup outside = ScratchCgroup.create();
    private final List<BusConnection> connections = new ArrayList<>();
    private final Kind inA;
    private final Kind inB;
    private final Kind ofNobody;
    private final Set<Long> mainProcesses = new HashSet<>();
    private final AuthorityEngine engine;
    private final PolicyKit1 authority;
    private final Tally fooled = new Tally("for comparison: a number, looked up twice");
    private final List<Tally> tallies = new CopyOnWriteArrayList<>();

    private RecyclingProgram(Path folder) throws Exception {
        this.folder = folder;
        bus =
                Bus.open(
                        BusAddress.parse("unix:path=" + folder.resolve("bus")),
                        BusConfig.permissive());
        Path units = Files.createDirectory(folder.resolve("units"));
        for (String name : List.of("hfa", "hfb")) {
            Files.writeString(
                    units.resolve(name + ".service"),
                    """
                    [Unit]
                    DefaultDependencies=no
                    [Service]
                    ExecStart=/bin/sleep 1000
                    NotifyAccess=all
                    """);
        }
        manager =
                Manager.open(
                        new ManagerOptions(
                                ManagerScope.system(Map.of()),
                                new LoadPath(List.of()),
                                List.of(units),
                                folder.resolve("run"),
                                UnitName.of("hfhammer" + System.nanoTime() + ".slice"),
                                false),
                        new Silent());
        managerThread = Thread.ofPlatform().name("manager").start(manager::run);
        systemd1 = Systemd1.serve(manager, folder.resolve("run"));
        var _ = systemd1.connect(address());
        inA = service(0, "hfa", DAEMON);
        inB = service(1, "hfb", BIN);
        ofNobody = new Kind(2, "hfc", GAMES, "", outside.cgroup());
        engine = AuthorityEngine.open(options());
        authority = PolicyKit1.serve(engine, connect(), false);
    }

    /** What the manager says would drown the counts. */
    private static final class Silent implements ManagerListener {
        @Override
        public void event(UnitName unit, ManagerListener.Level level, String text) {}

        @Override
        public void output(UnitName unit, String line) {}

        @Override
        public void event(ManagerListener.Level level, String text) {}
    }

    private String address() {
        return bus.addresses().getFirst().toString();
    }

    private BusConnection connect() throws InterruptedException {
        BusConnection connection = BusConnection.connect(address());
        connections.add(connection);
        return connection;
    }

    /** Starts a service, and makes a kind of its cgroup. */
    private Kind service(int index, String name, int uid) throws Exception {
        UnitName unit = UnitName.of(name + ".service");
        var _ = manager.start(List.of(unit)).get();
        var status = manager.status(unit).get();
        try (PidFd main = PidFd.restore(status.mainProcess().orElseThrow())) {
            boolean _ = mainProcesses.add(main.id());
        }
        return new Kind(index, name, uid, unit.text(), Cgroup.open(status.cgroup().orElseThrow()));
    }

    private AuthorityOptions options() throws IOException {
        Path actions = Files.createDirectory(folder.resolve("actions"));
        for (String id : List.of(AuthorityQuestions.BY_USER, AuthorityQuestions.BY_UNIT)) {
            Files.writeString(
                    actions.resolve(id + ".policy"),
                    """
                    <policyconfig><action id="%s"><description>d</description><message>m</message>
                    <defaults><allow_any>no</allow_any><allow_inactive>no</allow_inactive>
                    <allow_active>no</allow_active></defaults></action></policyconfig>
                    """
                            .formatted(id));
        }
        Path rules = Files.createDirectory(folder.resolve("rules.d"));
        Files.writeString(rules.resolve("1.rules"), AuthorityQuestions.rules(inA, "daemon"), UTF_8);
        return AuthorityOptions.STANDARD
                .withActionFolders(List.of(actions))
                .withRuleFolders(List.of(rules))
                .withUnits(new CgroupUnits(manager.slice().orElseThrow()));
    }

    private boolean run(Path hammer, Duration time) throws Exception {
        List<Kind> kinds = List.of(inA, inB, ofNobody);
        Board board = Board.create(folder.resolve("board"), FIRST_NUMBER, NUMBERS, kinds);
        List<Child> hammers = new ArrayList<>();
        for (int part = 0; part < HAMMERS; part++) {
            hammers.add(
                    Spawn.of(board.hammer(hammer, folder.resolve("run/notify"), part, HAMMERS))
                            .stdin(Stdio.devNull())
                            .stdout(Stdio.inherit())
                            .stderr(Stdio.inherit())
                            .start());
        }
        Tally status = tally("manager: sender of a status message");
        try (AutoCloseable _ = ManagerQuestions.judgeStatus(manager, kinds, status)) {
            ask(board, kinds, time);
        }
        boolean hammered = true;
        for (Child each : hammers) {
            hammered &= each.signal(Signal.KILL);
            var _ = each.await();
            each.close();
        }
        System.out.printf("%,d processes had %d numbers%n", board.generations(), NUMBERS);
        System.out.printf("%d were ended by others%n", board.endedByOthers());
        tallies.forEach(System.out::println);
        System.out.println(fooled);
        return hammered
                && fooled.isFooled()
                && board.endedByOthers() == 0
                && tallies.stream().allMatch(Tally::isGood);
    }

    private void ask(Board board, List<Kind> kinds, Duration time) throws InterruptedException {
        CoreQuestions core = new CoreQuestions(board, inA, mainProcesses);
        ManagerQuestions units = new ManagerQuestions(board, kinds, connect());
        AuthorityQuestions policy = new AuthorityQuestions(board, kinds, inA, connect());
        Clock end = new Clock(time);
        List<Thread> threads = new ArrayList<>();
        threads.add(asker(board, fooled, core::byNumberTwice, end));
        threads.add(asker(board, "core: info, name, cgroup", core::info, end));
        threads.add(asker(board, "core: open by identity, restore", core.reopening(), end));
        threads.add(asker(board, "core: state and signal of the dead", core.holding(), end));
        threads.add(asker(board, "core: signal", core::signal, end));
        threads.add(asker(board, "core: members of a cgroup", core::members, end));
        threads.add(asker(board, "manager: GetUnitByPIDFD", units::byPidfd, end));
        threads.add(asker(board, "manager: GetUnitByPID", units::byNumber, end));
        threads.add(asker(board, "manager: WhoIs", units::whoIs, end));
        threads.add(asker(board, "authority: number, start time, user", policy.byNumber(), end));
        threads.add(asker(board, "authority: pidfd", policy::byPidfd, end));
        for (Thread thread : threads) {
            thread.join();
        }
    }

    private Tally tally(String question) {
        Tally tally = new Tally(question);
        tallies.add(tally);
        return tally;
    }

    /** Tells when to stop: when the time is over and each question was judged often enough. */
    private final class Clock {
        private final long start = System.nanoTime();
        private final Duration time;

        Clock(Duration time) {
            this.time = time;
        }

        boolean isOver() {
            long passed = System.nanoTime() - start;
            return passed > PATIENCE.toNanos()
                    || (passed > time.toNanos()
                            && fooled.isFooled()
                            && tallies.stream().allMatch(Tally::isEnough));
        }
    }

    private Thread asker(Board board, String name, Question question, Clock end) {
        return asker(board, tally(name), question, end);
    }

    private static Thread asker(Board board, Tally tally, Question question, Clock end) {
        Random random = new Random(tally.question().hashCode());
        return Thread.ofPlatform()
                .name(tally.question())
                .start(() -> {
                    while (!end.isOver()) {
                        tally.asked();
                        try {
                            question.ask(tally, random.nextInt(board.slots()), random);
                        } catch (Exception | Error e) {
                            tally.failed(e);
                        }
                    }
                });
    }

    @Override
    public void close() {
        authority.close();
        engine.close();
        outside.close();
        systemd1.close();
        connections.forEach(BusConnection::close);
        var _ = manager.shutdown().join();
        try {
            managerThread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        manager.close();
        inA.cgroup().close();
        inB.cgroup().close();
        bus.close();
    }

    /**
     * @param arguments the hammer's program, a folder of its own, and milliseconds
     */
    public static void main(String[] arguments) throws Exception {
        LOG.setLevel(Level.OFF); // each decision is a line
        boolean good;
        try (RecyclingProgram program = new RecyclingProgram(Path.of(arguments[1]))) {
            good =
                    program.run(
                            Path.of(arguments[0]), Duration.ofMillis(Long.parseLong(arguments[2])));
        }
        System.exit(good ? 0 : 1);
    }
}
