package io.holdfast.cli;

import io.holdfast.authority.AuthorityEngine;
import io.holdfast.authority.client.Authority;
import io.holdfast.authority.polkit1.BusPresence;
import io.holdfast.authority.varlink.AuthorityInterface;
import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.cli.command.ManagerSocket;
import io.holdfast.cli.output.Output;
import io.holdfast.cli.tour.TourScratch;
import io.holdfast.cli.up.EventLines;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.run.Run;
import io.holdfast.core.socket.ListenFds;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.sys.Unistd;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.manager.Manager;
import io.holdfast.manager.ManagerOptions;
import io.holdfast.manager.systemd1.Systemd1;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.varlink.ManagerInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Walks the usual paths of a daemon once, for its AOT cache: starts the daemon's components in a
 * temporary folder, and sends each of them a request.
 */
final class DaemonTraining {
    private static final String SYSTEMD1 = "org.freedesktop.systemd1";
    private static final String SERVICE = "training.service";
    private static final UnitName TRAINING = UnitName.of("training.target");
    private static final Map<String, String> UNITS =
            Map.of(
                    TRAINING.toString(),
                    """
                    [Unit]
                    Wants=training.service training.socket
                    """,
                    SERVICE,
                    """
                    [Unit]
                    After=training.socket
                    ConditionPathExists=/
                    [Service]
                    Environment=TRAINING=yes
                    NoNewPrivileges=yes
                    LimitNOFILE=1024
                    ExecStartPre=-/bin/echo training
                    ExecStart=/bin/sleep 60
                    [Install]
                    WantedBy=training.target
                    """,
                    "training.socket",
                    """
                    [Socket]
                    ListenStream=@FOLDER@/training
                    """);
    private static final int OWNER_ALONE = 0600;
    private static final int BACKLOG = 16;
    private static final long TIMEOUT = 30; // seconds

    private DaemonTraining() {}

    /**
     * Walks the paths of one daemon.
     *
     * @param daemon the command that starts the daemon
     * @param output receives the lines of a manager; queues them
     */
    static void walk(String daemon, Output output) throws Exception {
        try (TourScratch scratch = TourScratch.make()) {
            switch (daemon) {
                case "authority" -> authority(scratch.folder());
                case "bus" -> bus(scratch.folder());
                default -> manager(scratch.folder(), output);
            }
        }
    }

    private static void bus(Path folder) throws Exception {
        for (BusConfig config : List.of(BusConfig.system(), BusConfig.permissive())) {
            try (Bus bus = Bus.open(BusAddress.parse("unix:dir=" + folder), config);
                    BusConnection client =
                            BusConnection.connect(bus.addresses(), ConnectionOptions.standard())) {
                client.peer(client.uniqueName()).close();
            }
        }
    }

    private static void authority(Path folder) throws Exception {
        String varlink = folder.resolve(Authority.VARLINK_INTERFACE).toString();
        List<BusAddress> bus = List.of(BusAddress.parse("unix:path=" + folder.resolve("bus")));
        try (OtherBus _ = OtherBus.at(folder.resolve("bus"));
                BusPresence presence = BusPresence.on(bus, false);
                AuthorityEngine engine = TourScratch.engine(folder);
                AuthorityInterface face = AuthorityInterface.of(engine);
                Authority byVarlink = Authority.overVarlink(varlink);
                Authority byBus = Authority.overBus(bus)) {
            face.server().serve(listener(Path.of(varlink)));
            presence.serve(engine, () -> {});
            check(byVarlink);
            check(byBus);
        }
    }

    private static UnixListener listener(Path path) {
        return UnixListener.listen(UnixAddress.path(path), SocketType.STREAM, BACKLOG, OWNER_ALONE);
    }

    /** A bus in another process: its classes do not belong in the AOT cache of an authority. */
    private record OtherBus(UnixListener socket, Child process) implements AutoCloseable {
        static OtherBus at(Path path) {
            UnixListener socket = listener(path);
            Child process =
                    Spawn.of(
                                    Path.of(System.getProperty("java.home"), "bin", "java")
                                            .toString(),
                                    "-XX:+UseSerialGC",
                                    "-p",
                                    System.getProperty("jdk.module.path"),
                                    "--enable-native-access=io.holdfast.core",
                                    "-m",
                                    "io.holdfast.cli/" + Holdfast.class.getName(),
                                    "bus")
                            .descriptor(ListenFds.START, socket.fd())
                            .environment("LISTEN_FDS", "1")
                            .environmentOfPid("LISTEN_PID")
                            .stdin(Stdio.devNull())
                            .stdout(Stdio.devNull())
                            .start();
            return new OtherBus(socket, process);
        }

        @Override
        public void close() {
            boolean _ = process.signal(Signal.TERM);
            Exit _ = process.onExit().join();
            process.close();
            socket.close();
        }
    }

    private static void check(Authority authority) throws Exception {
        try (PidFd self = PidFd.self()) {
            for (Authority.Option[] options :
                    new Authority.Option[][] {
                        {}, {Authority.Option.ALWAYS, Authority.Option.EXPLAIN}
                    }) {
                var _ =
                        authority
                                .check(
                                        self,
                                        Unistd.geteuid(),
                                        TourScratch.GUARDED_ACTION,
                                        Map.of(),
                                        options)
                                .get(TIMEOUT, TimeUnit.SECONDS);
            }
        }
    }

    /** As an init does: reads units, starts a service, and serves a client of the bus. */
    private static void manager(Path folder, Output output) throws Exception {
        Path runtime = Files.createDirectory(folder.resolve("run"));
        Path units = Files.createDirectory(folder.resolve("units"));
        for (Map.Entry<String, String> unit : UNITS.entrySet()) {
            Path _ =
                    Files.writeString(
                            units.resolve(unit.getKey()),
                            unit.getValue().replace("@FOLDER@", folder.toString()));
        }
        var _ = Run.of("true").mergeError().run();
        String address = "unix:path=" + folder.resolve("bus");
        ManagerOptions options =
                ManagerSocket.ofCaller(true)
                        .withUnits(List.of(units))
                        .withRuntimeDirectory(runtime)
                        .withSlice(
                                UnitName.of(
                                        "holdfasttraining"
                                                + ProcessHandle.current().pid()
                                                + ".slice"))
                        .withProcessOwned();
        try (OtherBus _ = OtherBus.at(folder.resolve("bus"));
                Manager manager = Manager.open(options, new EventLines(output));
                Systemd1 systemd1 = Systemd1.serve(manager, runtime);
                ManagerInterface _ =
                        ManagerInterface.serve(manager, runtime, systemd1.permission())) {
            Thread loop = Thread.ofPlatform().name("holdfast-training").start(manager::run);
            try {
                serve(manager, systemd1, address);
            } finally {
                var _ = manager.shutdown().get(TIMEOUT, TimeUnit.SECONDS);
                loop.join();
            }
        }
    }

    private static void serve(Manager manager, Systemd1 systemd1, String address) throws Exception {
        manager.busNames(systemd1.connect(address));
        var _ = manager.start(List.of(TRAINING)).get(TIMEOUT, TimeUnit.SECONDS);
        try (BusConnection client = BusConnection.connect(address)) {
            RemoteObject remote = client.object(SYSTEMD1, "/org/freedesktop/systemd1");
            String unit =
                    remote.call(SYSTEMD1 + ".Manager", "LoadUnit", "s", SERVICE)
                            .getFirst()
                            .toString();
            RemoteObject service = client.object(SYSTEMD1, unit);
            var _ = service.getAll("");
            var _ = remote.call(SYSTEMD1 + ".Manager", "StopUnit", "ss", SERVICE, "replace");
        }
    }
}
