package io.holdfast.cli.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.cli.Invocation;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.manager.varlink.ManagerInterface;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.SynchronousQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class InfoCommandTest {
    private static final String SELF = Long.toString(ProcessHandle.current().pid());

    @TempDir private Path folder;

    @Test
    void aProcessIsToldInWords() {
        try (Child sleep = sleep()) {
            String pid = Integer.toString(sleep.pidFd().pid());
            Invocation info = Invocation.of("info", pid);

            assertThat(info.code()).isZero();
            assertThat(info.err()).isEmpty();
            assertThat(info.out())
                    .contains(
                            "process     " + sleep.pidFd().processId().inThisBoot() + " sleep\n",
                            "identity    " + sleep.pidFd().processId() + "\n",
                            "command     sleep 600\n",
                            "parent      " + own() + "\n",
                            "source      ");
            kill(sleep);
        }
    }

    @Test
    void theShapeOfItsJsonStays() {
        try (Child sleep = sleep()) {
            Invocation info =
                    Invocation.of("info", "--json", Integer.toString(sleep.pidFd().pid()));

            assertThat(info.code()).isZero();
            assertThat(info.out()).hasLineCount(1);
            assertThat(
                            info.out()
                                    .replaceAll("\\[[0-9,]*\\]", "[]")
                                    .replaceAll(
                                            "\"(/[^\"]*|[0-9:a-f-]{9,}|[0-9-]*T[0-9:]*Z)\"",
                                            "\"…\"")
                                    .replaceAll(":[0-9]+", ":0"))
                    .startsWith(
                            """
                            {"process":"…","pid":0,"name":"sleep","state":"alive","credentials":\
                            {"realUid":0,"effectiveUid":0,"savedUid":0,"fileSystemUid":0,"realGid":0,\
                            "effectiveGid":0,"savedGid":0,"fileSystemGid":0},"groups":[],"commandLine":\
                            ["sleep","600"],"executable":"…","directory":"…","noNewPrivileges":false,\
                            "parent":0,"children":[],"startTime":"…","cgroup":"…","cgroupId":0,"exit":null,\
                            "coreDump":null,"source":"kernel","unit":\
                            """)
                    .containsSubsequence(
                            ",\"slice\":",
                            ",\"userUnit\":",
                            ",\"userSlice\":",
                            ",\"session\":",
                            ",\"machine\":",
                            ",\"ownerUid\":",
                            ",\"manager\":",
                            ",\"listening\":[]",
                            ",\"busNames\":[]}");
            kill(sleep);
        }
    }

    @Test
    @Needs(programs = "perl")
    void aZombieHasNeitherExecutableNorDirectory() throws Exception {
        try (ForeignParent parent = ForeignParent.start();
                PidFd zombie = parent.held("heedless", "exit=0")) {
            Exit ignored = zombie.await();
            String number = Integer.toString(zombie.pid());

            assertThat(Invocation.of("info", number).out())
                    .contains(
                            "executable  none (it has exited)\n",
                            "directory   none (it has exited)\n",
                            "exit        exited with status 0\n");
            String holder = Integer.toString(parent.pid());
            assertThat(Invocation.of("info", holder).out())
                    .contains("children    " + zombie.processId().inThisBoot() + "\n");
        }
    }

    private static ProcessId own() {
        try (PidFd self = PidFd.self()) {
            return self.processId().inThisBoot();
        }
    }

    @Test
    @Needs(features = Feature.PIDFS)
    void theNameThatUtilLinuxUsesIsTakenToo() {
        String name = own().toString();
        assertThat(Invocation.of("info", name).out()).startsWith("process     " + name + " ");
        String other = "1:" + name.substring(name.indexOf(':') + 1);
        assertThat(Invocation.of("info", other).err())
                .isEqualTo("holdfast: process " + other + " is gone\n");
        assertThat(Invocation.of("info", "1:x").err())
                .contains("expected PID, PID:ID or PID:ID:BOOT");
    }

    @Test
    void theNameOfAProcessMeansNoOther() throws InterruptedException {
        String name;
        try (Child sleep = sleep()) {
            name = sleep.pidFd().processId().toString();
            assertThat(Invocation.of("info", name).out()).contains("identity    " + name);
            kill(sleep);
            assertThat(sleep.await().isSuccess()).isFalse();
        }
        Invocation gone = Invocation.of("info", name);

        assertThat(gone.code()).isEqualTo(ExitCode.FAILURE);
        assertThat(gone.err()).isEqualTo("holdfast: process " + name + " is gone\n");
    }

    @Test
    void aNameOfAnotherBootIsRefused() {
        String name = "1:2:00000000-0000-4000-8000-000000000000";

        assertThat(Invocation.of("info", name).err())
                .isEqualTo("holdfast: process " + name + " belongs to another boot\n");
    }

    @Test
    void nobodyHasANumberAboveTheHighest() {
        Invocation missing = Invocation.of("info", "2147483647");

        assertThat(missing.code()).isEqualTo(ExitCode.FAILURE);
        assertThat(missing.err()).isEqualTo("holdfast: no process with PID 2147483647\n");
    }

    @Test
    void aThreadIsToldFromAProcess() throws InterruptedException {
        SynchronousQueue<Integer> number = new SynchronousQueue<>();
        CountDownLatch over = new CountDownLatch(1);
        Thread thread =
                Thread.ofPlatform()
                        .start(() -> {
                            try {
                                number.put(Unistd.gettid());
                                over.await();
                            } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                            }
                        });
        int tid = number.take();
        try {
            assertThat(Invocation.of("info", Integer.toString(tid)).err())
                    .isEqualTo(
                            "holdfast: %d is a thread of process %d, not a process\n"
                                    .formatted(tid, ProcessHandle.current().pid()));
        } finally {
            over.countDown();
            thread.join();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"abc", "0", "+", "99999999999", "1:", "1:2:3", "1 ", ""})
    void whatIsNoProcessIsNotUnderstood(String text) {
        Invocation refused = Invocation.of("info", text);

        assertThat(refused.code()).isEqualTo(ExitCode.USAGE);
        assertThat(refused.out()).isEmpty();
        assertThat(refused.err())
                .startsWith("holdfast: not a process: '" + text + "'")
                .hasLineCount(1);
    }

    @Test
    void aMissingProcessIsAskedFor() {
        assertThat(Invocation.of("info").err())
                .startsWith("holdfast: missing required parameter: 'PID|SOCKET|NAME|UNIT'")
                .hasLineCount(1);
    }

    @Test
    void aCommandLineGivesTheTerminalNoOrders() {
        try (Child child =
                executed(Spawn.of("sleep", "600").argumentZero("\u001b[31msleep\n").start())) {
            Invocation info = Invocation.of("info", Integer.toString(child.pidFd().pid()));

            assertThat(info.out())
                    .contains("command     \\u001b[31msleep\\n 600\n")
                    .doesNotContain("\u001b");
            kill(child);
        }
    }

    @Test
    void theSocketsOnWhichItListensAreShown() throws IOException {
        Path path = folder.resolve("a socket");
        try (ServerSocket tcp = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                DatagramSocket udp =
                        new DatagramSocket(
                                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                UnixListener _ = UnixListener.listen(UnixAddress.path(path), SocketType.STREAM, 1);
                Socket connected = new Socket(tcp.getInetAddress(), tcp.getLocalPort())) {
            Invocation info = Invocation.of("info", SELF);
            assertThat(info.err()).isEmpty();
            assertThat(info.out().lines().filter(each -> each.startsWith("listens  ")))
                    .singleElement()
                    .asString()
                    .contains(
                            "tcp 127.0.0.1:" + tcp.getLocalPort(),
                            "udp 127.0.0.1:" + udp.getLocalPort(),
                            "unix " + path)
                    .doesNotContain(":" + connected.getLocalPort());
        }
    }

    /** The kernel prints the names of sockets unescaped. */
    @Test
    void aSocketNameWithLineBreaksForgesNoAddress() throws IOException {
        Path path = folder.resolve("real");
        try (PidFd self = PidFd.self();
                UnixListener _ = UnixListener.listen(UnixAddress.path(path), SocketType.STREAM, 1);
                ServerSocket tcp = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                UnixListener _ = named("\nx\na: b c d e f g h")) {
            String inode = inodeOf(path, self);
            try (UnixListener _ =
                    named("\n0: 00000002 00000000 00010000 0001 01 %s /forged".formatted(inode))) {
                Invocation info = Invocation.of("info", SELF);
                assertThat(info.err()).isEmpty();
                assertThat(info.code()).isZero();
                assertThat(info.out())
                        .contains("tcp 127.0.0.1:" + tcp.getLocalPort())
                        .doesNotContain("unix /forged", path.toString());
            }
        }
    }

    private static UnixListener named(String name) {
        return UnixListener.listen(UnixAddress.abstractName(name), SocketType.STREAM, 1);
    }

    private static String inodeOf(Path socket, PidFd self) {
        return self.proc()
                .network("unix")
                .lines()
                .filter(row -> row.endsWith(" " + socket))
                .findFirst()
                .orElseThrow()
                .split(" +")[6];
    }

    /** The daemons behave as if stopped by SIGSTOP. */
    @Test
    void aManagerAndABusThatDoNotAnswerAreNotWaitedForLong() {
        try (UnixListener _ = silent(ManagerInterface.SOCKET);
                UnixListener _ = silent("bus")) {
            Invocation info = Invocation.of("info", "--runtime-dir", folder.toString(), SELF);

            assertThat(info.code()).isZero();
            assertThat(info.out()).startsWith("process     " + own() + " ");
        }
    }

    private UnixListener silent(String name) {
        return UnixListener.listen(UnixAddress.path(folder.resolve(name)), SocketType.STREAM, 1);
    }

    @Test
    @Needs(features = {Feature.PEER_PIDFD, Feature.PIDFS})
    void theNamesThatItOwnsOnABusAreShown() throws Exception {
        String address = "unix:path=" + folder.resolve("bus");
        try (Bus _ = Bus.open(BusAddress.parse(address), BusConfig.permissive());
                BusConnection client = BusConnection.connect(address);
                Child sleep = sleep()) {
            var _ = client.requestName("org.example.B");
            var _ = client.requestName("org.example.A");
            assertThat(Invocation.of("info", "--runtime-dir", folder.toString(), SELF).out())
                    .contains("bus names   org.example.A org.example.B\n");
            assertThat(
                            Invocation.of(
                                            "info",
                                            "--json",
                                            "--runtime-dir",
                                            folder.toString(),
                                            sleep.pidFd().processId().toString())
                                    .out())
                    .contains("\"busNames\":[]");
            kill(sleep);
        }
    }

    private static Child sleep() {
        return executed(Spawn.of("sleep", "600").start());
    }

    /** Waits for the command line, which appears only after execve(2) has begun. */
    private static Child executed(Child child) {
        Await.until(() -> !child.pidFd().proc().commandLine().isEmpty());
        return child;
    }

    private static void kill(Child child) {
        assertThat(child.signal(Signal.KILL)).isTrue();
    }
}
