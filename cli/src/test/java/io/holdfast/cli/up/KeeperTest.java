package io.holdfast.cli.up;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.manager.survival.Keeper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests that after a manager below a keeper is killed, the next one continues with its whole state.
 */
@Timeout(180)
@Needs(root = true, cgroup2 = true)
public class KeeperTest {
    private static final String ADOPTED = "adopted";
    private static final int ENVIRONMENT = 1 << 16;

    @TempDir private Path folder;
    private Path units;
    private String runtime;
    private String slice;

    @BeforeEach
    void layOut() throws IOException {
        Files.setAttribute(folder, "unix:mode", 01777);
        units = Files.createDirectory(folder.resolve("units"));
        runtime = folder.resolve("run").toString();
        slice = "hfkeep" + ProcessHandle.current().pid() + "x" + System.nanoTime() + ".slice";
    }

    @AfterEach
    void nothingIsLeft() {
        try (Cgroup own = Cgroup.own()) {
            assertThat(own.childNames()).doesNotContain(slice);
        }
        assertThat(Path.of(runtime, "state")).doesNotExist();
    }

    private void unit(String name, String... lines) throws IOException {
        Files.writeString(
                units.resolve(name),
                "[Unit]\nDefaultDependencies=no\n" + String.join("\n", lines) + "\n");
    }

    private CommandProcess up(List<String> before, String... names) throws IOException {
        List<String> words =
                new ArrayList<>(
                        List.of(
                                "up",
                                "--runtime-dir",
                                runtime,
                                "--slice",
                                slice,
                                "--units",
                                units.toString()));
        words.addAll(List.of(names));
        return CommandProcess.start(before, words.toArray(String[]::new));
    }

    private CommandProcess up(String... names) throws IOException {
        return up(List.of(), names);
    }

    private Invocation command(String verb, String... rest) {
        List<String> words = new ArrayList<>(List.of(verb, "--runtime-dir", runtime));
        words.addAll(List.of(rest));
        return Invocation.of(words.toArray(String[]::new));
    }

    /** Finds the manager: the child of the keeper that is a JVM. */
    @SuppressWarnings("MustBeClosed")
    static Optional<PidFd> manager(CommandProcess keeper) {
        try (PidFd process = PidFd.open(keeper.pid())) {
            return process.children().take().stream().filter(KeeperTest::isManager).findFirst();
        }
    }

    private static boolean isManager(PidFd child) {
        try {
            return child.proc().environment(ENVIRONMENT).containsKey(Keeper.VARIABLE);
        } catch (ErrnoException e) {
            return false; // it has exited, and its manager will notice
        }
    }

    public static void kill(CommandProcess keeper, int count) throws Exception {
        try (PidFd manager = manager(keeper).orElseThrow()) {
            boolean _ = manager.signal(Signal.KILL);
        }
        keeper.await(ADOPTED, count);
    }

    private String show(String unit) {
        return command("status", unit)
                .out()
                .lines()
                .filter(line -> line.matches(" *(Active|Main|Invocation|Restarts|Result): .*"))
                .map(line -> line.replaceFirst("; .* ago", ""))
                .reduce("", (all, line) -> all + line.strip() + "\n");
    }

    @Test
    @Needs(programs = {"systemd-notify", "mkfifo"})
    void messagesThatServicesSendReachTheNextManager() throws Exception {
        unit(
                "a.service",
                "[Service]",
                "NotifyAccess=all",
                "ExecStart=/bin/sh -c 'while read -r line; do systemd-notify --status=$$line && echo sent; done <>"
                        + folder
                        + "/in'");
        ProcessBuilder fifo = new ProcessBuilder("mkfifo", folder.resolve("in").toString());
        assertThat(fifo.start().waitFor()).isZero();
        try (CommandProcess up = up("a.service")) {
            up.await("holdfast: ready");
            for (int count = 1; count <= 2; count++) {
                kill(up, count);
                Files.writeString(folder.resolve("in"), "text" + count + "\n");
                up.await("sent", count);
                assertThat(command("status", "a.service").out()).contains("text" + count);
            }
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    @Test
    void servicesRunOnAndAreKnownAsBefore() throws Exception {
        unit(
                "a.service",
                "[Service]",
                "ExecStart=/bin/sh -c 'i=0; while read -r line; do echo got $line; done <"
                        + folder
                        + "/in'");
        ProcessBuilder fifo = new ProcessBuilder("mkfifo", folder.resolve("in").toString());
        assertThat(fifo.start().waitFor()).isZero();
        try (CommandProcess up = up("a.service")) {
            up.await("holdfast: ready");
            String before = show("a.service");
            assertThat(before).contains("active (running)", "Main: ", "Invocation: ");
            try (var in = Files.newBufferedWriter(folder.resolve("in"))) {
                for (int i = 1; i <= 3; i++) {
                    kill(up, i);
                    assertThat(show("a.service")).isEqualTo(before);
                    in.write("line " + i + "\n");
                    in.flush();
                    up.await("got line " + i);
                }
                assertThat(command("status").out())
                        .contains("3 managers have ended unexpectedly", "adopted one unit");
            }
            Await.until(() -> show("a.service").contains("inactive"));
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    @Test
    @Needs(files = "/etc/pam.d")
    void aPamSessionIsClosedUnderTheNextManager() throws Exception {
        Path calls = Files.createFile(folder.resolve("calls"));
        Files.setAttribute(calls, "unix:mode", 0666);
        Path hook = Files.writeString(folder.resolve("hook.sh"), "echo $PAM_TYPE >> " + calls);
        Path stacks = Files.createDirectory(folder.resolve("pam.d"));
        Files.write(
                stacks.resolve("hf-test"),
                List.of(
                        "account required pam_permit.so",
                        "session required pam_exec.so quiet /bin/sh " + hook));
        unit(
                "a.service",
                "[Service]",
                "User=nobody",
                "PAMName=hf-test",
                "BindReadOnlyPaths=" + stacks + ":/etc/pam.d",
                "ExecStart=/bin/sh -c 'echo opened; exec sleep 1000'");
        try (CommandProcess up = up("a.service")) {
            up.await("opened");
            up.await("holdfast: ready");
            kill(up, 1);
            assertThat(calls).hasContent("open_session");
            assertThat(command("stop", "a.service").code()).isZero();
            assertThat(calls).hasContent("open_session\nclose_session");
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    @Test
    void anExitThatNobodySawIsKnown() throws Exception {
        unit("a.service", "[Service]", "ExecStart=/bin/sh -c 'sleep 1000; true'");
        unit("bad.service", "[Service]", "ExecStart=/bin/sh -c 'sleep 0.3; exit 7'");
        unit(
                "again.service",
                "[Service]",
                "Restart=on-failure",
                "RestartSec=500ms",
                "ExecStart=/bin/sh -c 'echo run; sleep 0.3; exit 8'");
        try (CommandProcess up = up("a.service")) {
            up.await("holdfast: ready");
            assertThat(command("start", "bad", "again").code()).isZero();
            kill(up, 1);
            up.await("bad.service: its main process exited with status 7");
            up.await("bad.service: failed: exit-code");
            up.await("again.service | run", 2);
            assertThat(show("bad")).contains("failed", "Result: exit-code");
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    @Test
    void aManagerThatIsExecutedAnewHandsOverAll() throws Exception {
        unit(
                "a.service",
                "[Service]",
                "Restart=on-failure",
                "RestartSec=100ms",
                "ExecStart=/bin/sh -c 'trap \"exit 9\" USR1; echo runs; while :; do sleep 0.1; done'");
        try (CommandProcess up = up("a.service")) {
            up.await("holdfast: ready");
            up.await("a.service | runs");
            for (int i = 1; i <= 2; i++) {
                Await.until(() -> show("a.service").contains("active (running)"));
                String before = show("a.service");
                assertThat(command("daemon-reexec").err()).isEmpty();
                up.await("holdfast: the manager before this one has handed over", i);
                assertThat(show("a.service")).isEqualTo(before).contains("active (running)");
                assertThat(command("kill", "--signal", "USR1", "a").code()).isZero();
                up.await("a.service: its main process exited with status 9", i);
                up.await("a.service | runs", i + 1);
            }
            assertThat(command("status").out()).doesNotContain("unexpectedly");
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    @Test
    void withTheKeeperAllEndsInOrder() throws Exception {
        Path stopped = folder.resolve("stopped");
        unit(
                "a.service",
                "[Service]",
                "ExecStart=/bin/sleep 1000",
                "ExecStop=/bin/sh -c 'echo yes > " + stopped + "'");
        try (CommandProcess up = up("a.service")) {
            up.await("holdfast: ready");
            try (PidFd manager = manager(up).orElseThrow()) {
                up.signal("KILL");
                assertThat(manager.await()).isNotNull();
            }
            up.await("holdfast: the keeper of this manager has died");
            assertThat(stopped).hasContent("yes\n");
        }
    }

    @Test
    void whatHasEndedIsClosedForOthersToo() throws Exception {
        int port = freePort();
        unit("once.socket", "[Socket]", "Accept=yes", "ListenStream=127.0.0.1:" + port);
        unit("once@.service", "[Service]", "StandardInput=socket", "ExecStart=/bin/echo bye");
        try (CommandProcess up = up("once.socket")) {
            up.await("holdfast: ready");
            for (int i = 0; i < 2; i++) {
                try (Socket client = new Socket(InetAddress.getLoopbackAddress(), port)) {
                    assertThat(client.getInputStream().readAllBytes())
                            .as("up to the end, which comes with that of its instance")
                            .isEqualTo("bye\n".getBytes(StandardCharsets.US_ASCII));
                }
                assertThat(command("stop", "once.socket").code()).isZero();
                new ServerSocket(port, 1, InetAddress.getLoopbackAddress()).close();
                assertThat(command("start", "once.socket").err()).isEmpty();
            }
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return free.getLocalPort();
        }
    }

    @Test
    void whoWaitsAtASocketIsServed() throws Exception {
        int port = freePort();
        String path = folder.resolve("socket").toString();
        unit(
                "echo.socket",
                "[Socket]",
                "Accept=yes",
                "ListenStream=127.0.0.1:" + port,
                "ListenStream=" + path);
        unit("echo@.service", "[Service]", "StandardInput=socket", "ExecStart=/bin/cat");
        try (CommandProcess up = up("echo.socket")) {
            up.await("holdfast: ready");
            try (Socket old = new Socket(InetAddress.getLoopbackAddress(), port)) {
                assertThat(answer(old, "one")).isEqualTo("one");
                try (PidFd manager = manager(up).orElseThrow()) {
                    boolean _ = manager.signal(Signal.KILL);
                    assertThat(manager.await()).isNotNull();
                }
                try (Socket waiting = new Socket(InetAddress.getLoopbackAddress(), port);
                        UnixSocket local =
                                UnixSocket.connect(
                                        UnixAddress.path(Path.of(path)), SocketType.STREAM)) {
                    assertThat(answer(old, "two")).isEqualTo("two");
                    assertThat(answer(waiting, "three")).isEqualTo("three");
                    local.sendFully(ByteBuffer.wrap("four".getBytes(StandardCharsets.UTF_8)));
                    ByteBuffer into = ByteBuffer.allocate(4);
                    assertThat(local.receive(into)).isEqualTo(4);
                }
            }
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
            assertThat(Path.of(path)).exists(); // RemoveOnStop=no
        }
    }

    private static String answer(Socket socket, String text) throws IOException {
        socket.setSoTimeout(60_000);
        socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
        return new String(
                socket.getInputStream().readNBytes(text.length()), StandardCharsets.UTF_8);
    }

    @Test
    void jobsThatWereUnderWayComeToTheirEnd() throws Exception {
        Path steps = folder.resolve("steps"); // the next manager may print a line once more
        String step = "/bin/sh -c 'echo %s >>" + steps + "'";
        unit("a.service", "[Service]", "ExecStart=/bin/sleep 1000");
        unit(
                "steps.service",
                "[Service]",
                "Type=oneshot",
                "RemainAfterExit=yes",
                "ExecStartPre=/bin/sh -c 'echo pre >>" + steps + "; echo pre; sleep 1'",
                "ExecStart=" + step.formatted("first"),
                "ExecStart=" + step.formatted("second"),
                "ExecStartPost=" + step.formatted("post"));
        unit(
                "slow.service",
                "[Service]",
                "ExecStart=/bin/sleep 1000",
                "ExecStop=/bin/sh -c 'echo stopping; sleep 1; echo stop-end'");
        unit(
                "later.service",
                "[Unit]",
                "After=steps.service",
                "[Service]",
                "ExecStart=/bin/sh -c 'echo later; exec sleep 1000'");
        try (CommandProcess up = up("a.service", "slow.service")) {
            up.await("holdfast: ready");
            Thread start = Thread.startVirtualThread(() -> command("start", "steps", "later"));
            Thread stop = Thread.startVirtualThread(() -> command("stop", "slow"));
            up.await("steps.service | pre");
            up.await("slow.service | stopping");
            kill(up, 1);
            start.join();
            stop.join();
            up.await("slow.service | stop-end");
            up.await("later.service | later");
            Await.until(() -> show("steps").contains("active (exited)"));
            Await.until(() -> show("slow").contains("inactive"));
            assertThat(steps).hasContent("pre\nfirst\nsecond\npost\n");
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    @Test
    void aWaitingJobKeepsItsOrderAcrossTheNextManagers() throws Exception {
        Path go = folder.resolve("go");
        unit("base.service", "[Service]", "ExecStart=/bin/sleep 1000");
        unit(
                "first.service",
                "[Service]",
                "Type=oneshot",
                "ExecStart=/bin/sh -c 'echo begins; until [ -e " + go + " ]; do sleep 0.05; done'");
        unit(
                "second.service",
                "[Unit]",
                "After=first.service",
                "[Service]",
                "Type=oneshot",
                "ExecStart=/bin/echo begins");
        try (CommandProcess up = up("base.service")) {
            up.await("holdfast: ready");
            Thread start = Thread.startVirtualThread(() -> command("start", "first", "second"));
            up.await("first.service | begins");
            up.await("first.service: started process");
            kill(up, 1);
            start.join();
            assertThat(command("daemon-reexec").err()).isEmpty();
            up.await("holdfast: the manager before this one has handed over");
            assertThat(show("second")).contains("inactive");
            Files.createFile(go);
            up.await("second.service | begins");
            assertThat(up.lines().stream().filter(line -> line.contains("first.service: started")))
                    .hasSize(1);
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    @Test
    void oneThatIsKilledWhileItStopsEverythingStillDoes() throws Exception {
        unit(
                "a.service",
                "[Service]",
                "ExecStart=/bin/sleep 1000",
                "ExecStop=/bin/sh -c 'echo stopping; sleep 1'");
        try (CommandProcess up = up("a.service")) {
            up.await("holdfast: ready");
            up.signal("TERM");
            up.await("a.service | stopping");
            kill(up, 1);
            assertThat(up.exitCode()).isZero();
        }
    }

    @Test
    void aWishToStopIsHeardWhileTheNextOneIsStarted() throws Exception {
        unit("a.service", "[Service]", "ExecStart=/bin/sleep 1000");
        try (CommandProcess up = up("a.service")) {
            up.await("holdfast: ready");
            try (PidFd manager = manager(up).orElseThrow()) {
                boolean _ = manager.signal(Signal.KILL);
                assertThat(manager.await()).isNotNull();
            }
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    @Test
    void aBusThatOneOfTheUnitsStartsIsJoined() throws Exception {
        unit("a.service", "[Service]", "ExecStart=/bin/sleep 1000");
        String address = "unix:path=" + folder.resolve("bus");
        try (CommandProcess up = up("--bus", address, "a.service")) {
            up.await("the manager is not on the bus yet");
            up.await("holdfast: ready");
            try (Bus _ = Bus.open(BusAddress.parse(address), BusConfig.permissive());
                    BusConnection client = BusConnection.connect(address)) {
                awaitOwner(client, "org.freedesktop.systemd1");
                up.signal("TERM");
                assertThat(up.exitCode()).isZero();
            }
        }
    }

    private static void awaitOwner(BusConnection client, String name) throws Exception {
        String owned = "type='signal',member='NameOwnerChanged',arg0='" + name + "'";
        try (Subscription owners = client.subscribe(owned)) {
            if (!client.object("org.freedesktop.DBus", "/org/freedesktop/DBus")
                    .call("org.freedesktop.DBus", "NameHasOwner", "s", name)
                    .equals(List.of(true))) {
                owners.take().close();
            }
        }
    }

    @Test
    void whatItWasGivenWronglyIsSaidAndEndsIt() throws Exception {
        try (CommandProcess up = up("--bus", "nonsense", "a.service")) {
            assertThat(up.exitCode()).isEqualTo(ExitCode.FAILURE);
            assertThat(up.lines()).last().asString().contains("nonsense");
        }
    }

    @Test
    void oneThatDiesBeforeThereIsAnythingToLoseEndsTheKeeperWithItsStatus() throws Exception {
        Path fault = Files.writeString(folder.resolve("fault"), "1");
        List<String> before =
                List.of("env", "JDK_JAVA_OPTIONS=-Dio.holdfast.manager.fault=" + fault);
        try (CommandProcess up = up(before, "a.service")) {
            assertThat(up.exitCode()).isEqualTo(128 + Signal.KILL.number());
        }
        Files.delete(Path.of(runtime, "state")); // exists, and is empty
    }

    @Test
    void statesThatDoNotCountAreRefusedByNameAndTheRestIsAdopted() throws Exception {
        List<String> names = List.of("a", "b", "c", "d", "e");
        for (String name : names) {
            unit(name + ".service", "[Service]", "ExecStart=/bin/sleep 1000");
        }
        try (CommandProcess up =
                up(names.stream().map(name -> name + ".service").toArray(String[]::new))) {
            up.await("holdfast: ready");
            String before = show("a");
            try (PidFd manager = manager(up).orElseThrow()) {
                boolean _ = manager.signal(Signal.STOP);
                Path states = Path.of(runtime, "state");
                Files.writeString(states.resolve("b.service"), "holdfast-state 1\n");
                Path c = states.resolve("c.service");
                Files.writeString(
                        c, Files.readString(c).replace("holdfast-state 1", "holdfast-state 2"));
                Path d = states.resolve("d.service");
                Files.writeString(d, Files.readString(d).replaceFirst("(?m)^main \\d+", "main 1"));
                Path e = states.resolve("e.service");
                Files.writeString(
                        e, Files.readString(e).replaceFirst("(?m)^main (\\d+):\\d+", "main $1:1"));
                boolean _ = manager.signal(Signal.KILL);
            }
            up.await(ADOPTED);
            up.await("b.service is not adopted: it is cut off");
            up.await("c.service is not adopted: version 2 is not known here");
            assertThat(show("a")).isEqualTo(before);
            assertThat(show("d")).contains("active (running)"); // found by id, not by PID
            Await.until(() -> !show("e").contains("active (running)")); // the id is not its own
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    private List<String> steps() {
        try {
            return Files.readAllLines(folder.resolve("log"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Kills a manager before each step of writing the descriptor store and the states. */
    @Test
    void wheneverItIsKilledTheServiceRunsOnceAndEnds() throws Exception {
        Path fault = folder.resolve("fault");
        unit(
                "a.service",
                "[Service]",
                "ExecStartPre=/bin/sh -c 'echo pre >> " + folder + "/log'",
                "ExecStart=/bin/sh -c 'echo main >> " + folder + "/log; exec sleep 1000'",
                "ExecStop=/bin/sh -c 'echo stop >> " + folder + "/log'");
        unit("z.service", "[Service]", "ExecStart=/bin/sleep 1000");
        List<String> before =
                List.of(
                        "env",
                        "JDK_JAVA_OPTIONS=-Dio.holdfast.manager.crashPause=1"
                                + " -Dio.holdfast.manager.fault="
                                + fault);
        try (CommandProcess up = up(before, "z.service")) {
            up.await("holdfast: ready");
            int crashes = 0;
            for (int step = 1; ; step++) {
                Files.deleteIfExists(folder.resolve("log"));
                Files.writeString(fault, Integer.toString(step));
                boolean killed = run(up, "start", fault, crashes);
                crashes += killed ? 1 : 0;
                Await.until(() -> show("a").contains("active (running)"));
                Await.until(() -> steps().contains("main")); // it is active before it executes
                Files.writeString(fault, killed ? "0" : Files.readString(fault));
                boolean killedAtStop = run(up, "stop", fault, crashes);
                crashes += killedAtStop ? 1 : 0;
                Await.until(() -> show("a").isEmpty() || show("a").contains("inactive"));
                assertThat(steps())
                        .as("killed before step %d", step)
                        .containsExactly("pre", "main", "stop");
                if (!killed && !killedAtStop) {
                    assertThat(step).isGreaterThan(5); // writes of a busy manager come together
                    break;
                }
            }
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    /** Runs the command until it succeeds; returns whether the manager was killed meanwhile. */
    private boolean run(CommandProcess up, String verb, Path fault, int crashes) throws Exception {
        int left = Integer.parseInt(Files.readString(fault));
        Invocation result = command(verb, "a");
        boolean killed = left > 0 && Files.readString(fault).equals("0");
        if (killed) {
            up.await(ADOPTED, crashes + 1);
            if (result.code() != 0) {
                assertThat(command(verb, "a").code()).isZero();
            }
        } else {
            assertThat(result).isEqualTo(new Invocation(0, "", ""));
        }
        return killed;
    }
}
