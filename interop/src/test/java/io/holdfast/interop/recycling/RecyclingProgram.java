package io.holdfast.interop.recycling;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.authority.AuthorityEngine;
import io.holdfast.authority.AuthorityOptions;
import io.holdfast.authority.polkit1.PolicyKit1;
import io.holdfast.authority.subject.CgroupUnits;
import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.ScratchCgroup;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.manager.Manager;
import io.holdfast.manager.ManagerOptions;
import io.holdfast.manager.log.ManagerListener;
import io.holdfast.manager.systemd1.Systemd1;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.LoadPath;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;

/**
 * The first process of a PID namespace, with a bus, a manager and an authority in it. Two hammers
 * recycle PIDs there, while core and the daemons are asked which process is which; the truth comes
 * from the hammers ({@link Board}). Prints how often each question was asked, judged and answered
 * wrongly.
 *
 * <p>The daemons are embedded, so that they see the PIDs of this namespace, and other processes are
 * not in danger.
 */
final class RecyclingProgram implements AutoCloseable {
    /** The first of the hammers' PIDs: the JVM's threads stay below. */
    private static final int FIRST_NUMBER = 20_000;

    private static final int NUMBERS = 12;
    private static final int HAMMERS = 2;

    /** Kept in a field, because the settings of an unreferenced logger are lost. */
    private static final Logger LOG = Logger.getLogger("io.holdfast");

    /** Users of every Debian machine, since rules see names. */
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
                        ManagerOptions.system(Map.of())
                                .withLoadPath(new LoadPath(List.of()))
                                .withUnits(List.of(units))
                                .withRuntimeDirectory(folder.resolve("run"))
                                .withSlice(UnitName.of("hfhammer" + System.nanoTime() + ".slice")),
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

    /** Discards the manager's log, in which the counts would be lost. */
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
        return AuthorityOptions.standard()
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
                    Spawn.of(board.hammer(hammer, notifySocket(), part, HAMMERS))
                            .stdin(Stdio.devNull())
                            .stdout(Stdio.inherit())
                            .stderr(Stdio.inherit())
                            .start());
        }
        Survey survey = new Survey(board);
        addQuestions(survey, board, kinds);
        QuestionTally status = survey.tally("manager: sender of a status message");
        try (AutoCloseable _ = ManagerQuestions.judgeStatus(manager, kinds, status)) {
            survey.run(time);
        }
        boolean hammered = true;
        for (Child each : hammers) {
            hammered &= each.signal(Signal.KILL);
            var _ = each.await();
            each.close();
        }
        System.out.printf("%,d processes had %d numbers%n", board.generations(), NUMBERS);
        System.out.printf("%d were ended by others%n", board.endedByOthers());
        survey.lines().forEach(System.out::println);
        return hammered && board.endedByOthers() == 0 && survey.isGood();
    }

    /** Returns the socket of one of the services: the manager decides by the sender. */
    private Path notifySocket() throws IOException {
        try (Stream<Path> sockets = Files.list(folder.resolve("run/notify-sockets"))) {
            return sockets.findAny().orElseThrow();
        }
    }

    private void addQuestions(Survey survey, Board board, List<Kind> kinds)
            throws InterruptedException {
        CoreQuestions core = new CoreQuestions(board, inA, mainProcesses);
        survey.onAnotherThread()
                .question("core: info, name, cgroup", core::info)
                .question("core: signal", core::signal);
        survey.onAnotherThread().fooling(core::byNumberTwice);
        survey.onAnotherThread()
                .question("core: open by identity, restore", core.reopening())
                .question("core: state and signal of the dead", core.holding())
                .question("core: members of a cgroup", core::members);
        ManagerQuestions units = new ManagerQuestions(board, kinds, connect());
        survey.onAnotherThread().question("manager: GetUnitByPIDFD", units::byPidfd);
        survey.onAnotherThread().question("manager: GetUnitByPID", units::byNumber);
        survey.onAnotherThread().question("manager: WhoIs", units::whoIs);
        AuthorityQuestions policy = new AuthorityQuestions(board, kinds, inA, connect());
        survey.onAnotherThread().question("authority: number, start time, user", policy.byNumber());
        survey.onAnotherThread().question("authority: pidfd", policy::byPidfd);
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
     * @param arguments the hammer's program, a folder, and milliseconds
     */
    public static void main(String[] arguments) throws Exception {
        LOG.setLevel(Level.OFF); // each decision would be a line
        boolean good;
        try (RecyclingProgram program = new RecyclingProgram(Path.of(arguments[1]))) {
            good =
                    program.run(
                            Path.of(arguments[0]), Duration.ofMillis(Long.parseLong(arguments[2])));
        }
        System.exit(good ? 0 : 1);
    }
}
