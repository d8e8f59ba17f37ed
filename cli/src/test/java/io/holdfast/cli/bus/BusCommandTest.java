package io.holdfast.cli.bus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.cli.Program;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.core.Readiness;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the bus as a service of another service manager. */
@Timeout(120)
class BusCommandTest {
    private static final String BUS = "org.freedesktop.DBus";
    private static final long NOT_IN_PASSWD = 61_234;

    @TempDir private Path folder;

    @BeforeEach
    void letOthersIn() throws Exception {
        Files.setAttribute(folder, "unix:mode", 01777);
    }

    private static String nextNotification(UnixSocket manager) throws InterruptedException {
        assertThat(Readiness.await(manager.fd(), Readiness.IN, Duration.ofSeconds(60)))
                .as("the bus says something to its manager")
                .isNotEqualTo(Readiness.NONE);
        ByteBuffer text = ByteBuffer.allocate(4096);
        int ignored = manager.receive(text);
        return StandardCharsets.UTF_8.decode(text.flip()).toString();
    }

    private Spawn activated(List<String> command, UnixListener listener, Path notify) {
        return Spawn.of(command)
                .descriptor(3, listener.fd())
                .environmentOfPid("LISTEN_PID")
                .environment("LISTEN_FDS", "1")
                .environment("LISTEN_FDNAMES", "dbus.socket")
                .environment("NOTIFY_SOCKET", notify.toString())
                .stdin(Stdio.devNull())
                .stderr(Stdio.to(folder.resolve("log")));
    }

    /** Starts, reloads and stops the bus, as its service manager and its clients see it. */
    private void livesWithItsManager(List<String> command, long uid) throws Exception {
        Path socket = folder.resolve("bus");
        Path notify = folder.resolve("notify");
        try (UnixListener listener =
                        UnixListener.listen(UnixAddress.path(socket), SocketType.STREAM, 16, 0666);
                UnixSocket manager = UnixSocket.bind(UnixAddress.path(notify))) {
            Files.setPosixFilePermissions(notify, PosixFilePermissions.fromString("rwxrwxrwx"));
            try (Child bus = activated(command, listener, notify).start()) {
                assertThat(nextNotification(manager)).isEqualTo("READY=1");
                try (BusConnection client = BusConnection.connect("unix:path=" + socket);
                        Peer itself = client.peer(BUS);
                        Peer ours = client.peer(client.uniqueName())) {
                    assertThat(itself.uid()).isEqualTo(uid);
                    assertThat(ours.pidFd())
                            .as("a bus without privileges holds its clients too")
                            .isPresent();

                    assertThat(bus.signal(Signal.HUP)).isTrue();
                    assertThat(nextNotification(manager))
                            .matches("RELOADING=1\nMONOTONIC_USEC=[0-9]+");
                    assertThat(nextNotification(manager)).isEqualTo("READY=1");
                    assertThat(client.owner(BUS)).hasValue(BUS);
                }
                assertThat(bus.signal(Signal.TERM)).isTrue();
                assertThat(nextNotification(manager)).isEqualTo("STOPPING=1");
                assertThat(bus.await()).isEqualTo(new Exit.Exited(0));
                assertThat(socket).as("it is its manager's").exists();
            } catch (AssertionError e) {
                throw new AssertionError(Files.readString(folder.resolve("log")), e);
            }
        }
    }

    @Test
    void itListensOnTheSocketsOfItsManagerAndTellsItHowItIs() throws Exception {
        long uid = (Integer) Files.getAttribute(folder, "unix:uid");
        livesWithItsManager(Program.command(List.of(), "bus"), uid);
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void itNeedsNoPrivilegesAndNoEntryInPasswd() throws Exception {
        String id = Long.toString(NOT_IN_PASSWD);
        List<String> command =
                new ArrayList<>(
                        List.of("setpriv", "--reuid=" + id, "--regid=" + id, "--clear-groups"));
        command.addAll(
                Program.ofClasses(ChildJvm.classPathIn(folder), List.of(), "bus", "--system"));
        livesWithItsManager(command, NOT_IN_PASSWD);
    }

    @Test
    void anIncludedFileThatIsWrongIsNamed() throws Exception {
        Path file = folder.resolve("more.conf");
        Files.writeString(file, "<busconfig>\n<policy user='1'>\n<allow own='*' x='y'/>\n");
        Invocation bus =
                Invocation.of(
                        "bus", "--address", "unix:tmpdir=" + folder, "--include", file.toString());
        assertThat(bus.code()).isEqualTo(1);
        assertThat(bus.err()).contains(file + ":3").contains("x");
    }

    private static Path fifo(Path at) throws Exception {
        assertThat(new ProcessBuilder("mkfifo", at.toString()).start().waitFor()).isZero();
        return at;
    }

    @Test
    void itTakesTheOptionsOfDbusDaemon() throws Exception {
        Path address = fifo(folder.resolve("address"));
        Path pid = fifo(folder.resolve("pid"));
        ProcessBuilder builder =
                new ProcessBuilder("sh", "-c", "exec \"$@\" 4>\"$ADDRESS\" 5>\"$PID\"", "sh");
        builder.command()
                .addAll(
                        Program.command(
                                List.of(),
                                "bus",
                                "--session",
                                "--nofork",
                                "--nopidfile",
                                "--syslog-only",
                                "--print-address",
                                "4",
                                "--print-pid=5"));
        builder.environment().put("ADDRESS", address.toString());
        builder.environment().put("PID", pid.toString());
        builder.environment().put("XDG_RUNTIME_DIR", folder.toString());
        FutureTask<String> number = new FutureTask<>(() -> Files.readString(pid));
        Thread.ofPlatform().daemon().start(number);
        Process bus = builder.inheritIO().start();
        try {
            String printed = Files.readString(address); // to end of file: the bus closes it
            assertThat(printed).startsWith("unix:path=/tmp/dbus-").endsWith("\n").hasLineCount(1);
            assertThat(number.get()).isEqualTo(bus.pid() + "\n");
            try (BusConnection client = BusConnection.connect(printed.strip())) {
                assertThat(client.owner(BUS)).hasValue(BUS);
            }
            assertThat(folder.resolve("bus")).as("of the runtime folder").doesNotExist();
        } finally {
            bus.destroy();
            assertThat(bus.waitFor()).isZero();
        }
    }

    @Test
    void aBusWithoutAServiceManagerPrintsWhereItListens() throws Exception {
        String address = "unix:path=" + folder.resolve("bus");
        try (CommandProcess bus = CommandProcess.start("bus", "--address", address)) {
            assertThat(bus.await("listening on ")).startsWith("listening on " + address);
        }
    }

    @Test
    void itMakesSocketsForAppsInContainersIfItIsToldTo() throws Exception {
        Path sockets = folder.resolve("containers");
        String address = "unix:path=" + folder.resolve("bus");
        try (CommandProcess bus =
                CommandProcess.start(
                        "bus",
                        "--address",
                        address,
                        "--containers",
                        sockets.toString(),
                        "--print-address")) {
            bus.await(address);
            try (BusConnection engine = BusConnection.connect(address)) {
                List<Object> server =
                        engine.bus()
                                .call(
                                        BUS + ".Containers1",
                                        "AddServer",
                                        "ssa{sv}a{sv}",
                                        "org.example.Engine",
                                        "app",
                                        Map.of(),
                                        Map.of());
                assertThat((String) server.get(2)).startsWith("unix:path=" + sockets + "/dbus-");
                try (BusConnection app = BusConnection.connect((String) server.get(2))) {
                    assertThat(app.owner(BUS)).hasValue(BUS);
                }
            }
            bus.signal("TERM");
            assertThat(bus.exitCode()).isZero();
        }
        assertThat(sockets).isEmptyDirectory();
    }

    @Test
    void inTheBackgroundItReturnsOnceItListens() throws Exception {
        List<String> lines;
        try (CommandProcess bus =
                CommandProcess.start(
                        "bus",
                        "--fork",
                        "--address",
                        "unix:dir=" + folder,
                        "--print-pid",
                        "--print-address=1")) {
            assertThat(bus.exitCode()).as(() -> bus.lines().toString()).isZero();
            lines = bus.lines();
        }
        assertThat(lines).hasSize(2);
        try (BusConnection client = BusConnection.connect(lines.getFirst());
                PidFd bus = PidFd.open(Integer.parseInt(lines.getLast()))) {
            assertThat(client.uniqueName()).isEqualTo(":1.0");
            assertThat(client.object(BUS, "/").call(BUS, "GetConnectionUnixProcessID", "s", BUS))
                    .containsExactly((long) bus.pid());
            assertThat(bus.signal(Signal.TERM)).isTrue();
            assertThat(bus.await(Duration.ofSeconds(60))).isPresent();
        }
    }

    @Test
    void inTheBackgroundItsErrorsAreThoseOfTheCommand() throws Exception {
        try (CommandProcess bus =
                CommandProcess.start("bus", "--fork", "--config", "/no/such/file")) {
            assertThat(bus.exitCode()).isEqualTo(1);
            assertThat(bus.lines()).first().asString().contains("no such file: /no/such/file");
        }
    }

    /** As programs do that keep a configuration for their own bus. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "exec 7<bus.conf; rm bus.conf; exec \"$@\" --config /proc/self/fd/7",
                "exec 7<<.\n$(cat bus.conf)\n.\nexec \"$@\" --config=/dev/fd/7", // a pipe, in dash
            })
    void aConfigurationBehindADescriptorIsRead(String script) throws Exception {
        Files.writeString(
                folder.resolve("bus.conf"),
                "<busconfig><listen>unix:dir=" + folder + "</listen></busconfig>");
        try (CommandProcess bus =
                CommandProcess.start(
                        List.of("sh", "-c", "cd \"$0\"; " + script, folder.toString()),
                        "bus",
                        "--print-address")) {
            assertThat(bus.await("unix:path=" + folder + "/dbus-", 1)).contains("guid=");
            bus.signal("HUP");
            bus.signal("TERM");
            assertThat(bus.exitCode()).isZero();
        }
    }

    @Test
    void aDescriptorThatNobodyPassedOnIsRefused() {
        for (String wrong : List.of("0", "-1", "4711", "x")) {
            Invocation bus =
                    Invocation.of(
                            "bus",
                            "--address",
                            "unix:tmpdir=" + folder,
                            "--print-address=" + wrong);
            assertThat(bus.code()).isEqualTo(ExitCode.USAGE);
            assertThat(bus.err()).contains("--print-address=" + wrong).hasLineCount(1);
        }
    }
}
