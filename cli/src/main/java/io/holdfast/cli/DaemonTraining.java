package io.holdfast.cli;

import io.holdfast.authority.AuthorityEngine;
import io.holdfast.authority.client.Authority;
import io.holdfast.authority.polkit1.BusPresence;
import io.holdfast.authority.varlink.AuthorityInterface;
import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.cli.output.Output;
import io.holdfast.cli.service.EventLines;
import io.holdfast.cli.service.ManagerSocket;
import io.holdfast.cli.tour.TourScratch;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.ListenFds;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.sys.Unistd;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionOptions;
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
                default -> manager(scratch.folder().resolve("run"), output);
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

    private static void manager(Path runtime, Output output) throws Exception {
        Path _ = Files.createDirectory(runtime);
        ManagerOptions options =
                ManagerSocket.ofCaller(true)
                        .withUnits(List.of())
                        .withRuntimeDirectory(runtime)
                        .withSlice(
                                UnitName.of(
                                        "holdfasttraining"
                                                + ProcessHandle.current().pid()
                                                + ".slice"))
                        .withProcessOwned();
        try (Manager manager = Manager.open(options, new EventLines(output));
                Systemd1 systemd1 = Systemd1.serve(manager, runtime);
                ManagerInterface _ =
                        ManagerInterface.serve(manager, runtime, systemd1.permission())) {
            Thread loop = Thread.ofPlatform().name("holdfast-training").start(manager::run);
            var _ = manager.shutdown().get(TIMEOUT, TimeUnit.SECONDS);
            loop.join();
        }
    }
}
