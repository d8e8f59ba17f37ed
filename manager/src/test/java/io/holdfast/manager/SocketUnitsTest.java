package io.holdfast.manager;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Readiness;
import io.holdfast.core.Signal;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.view.SocketStatus;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Sockets that start services, and what the services receive. */
@Timeout(120)
class SocketUnitsTest {
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(30);

    /**
     * Serves each client with the PID of the server and the number of the client, until a client
     * requests something else.
     */
    private static final String SERVER =
            """
            pid = int(os.environ["LISTEN_PID"])
            assert pid == os.getpid(), "for another process"
            if "LISTEN_PIDFDID" in os.environ:
                inode = os.stat(os.pidfd_open(pid)).st_ino
                assert int(os.environ["LISTEN_PIDFDID"]) == inode, "of another process"
            n = int(os.environ["LISTEN_FDS"])
            say("got %d named %s" % (n, os.environ["LISTEN_FDNAMES"]))
            listener = socket.socket(fileno=3)
            say("blocking" if os.get_blocking(3) else "non-blocking")
            served = 0
            while True:
                client, _ = listener.accept()
                served += 1
                word = client.recv(100).decode()
                client.send(("%d %d %s" % (os.getpid(), served, word)).encode())
                client.close()
                if word == "end":
                    sys.exit(0)
                while word == "hold":
                    signal.pause()
            """;

    @TempDir private Path folder;
    private Stage stage;
    private Path path;

    /** The JDK keeps a descriptor open from its first socket on. */
    @BeforeAll
    static void usePlatformSockets() throws Exception {
        new java.net.ServerSocket(0).close();
    }

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
        path = folder.resolve("a.sock");
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
    }

    private void socket(String name, String... lines) throws Exception {
        stage.unit(
                name + ".socket",
                "[Unit]\nDefaultDependencies=no\n[Socket]\n" + String.join("\n", lines) + "\n");
    }

    private void server(String... lines) throws Exception {
        socket("a", "ListenStream=" + path);
        String[] all = new String[lines.length + 1];
        all[0] = "ExecStart=" + stage.python("server", SERVER);
        System.arraycopy(lines, 0, all, 1, lines.length);
        stage.service("a", all);
    }

    private UnixSocket connect() throws Exception {
        return UnixSocket.connect(
                UnixAddress.path(path), SocketType.STREAM, Duration.ofSeconds(10));
    }

    private static void say(UnixSocket client, String word) throws Exception {
        client.send(ByteBuffer.wrap(word.getBytes(UTF_8)));
    }

    private static String hear(UnixSocket client) throws Exception {
        ByteBuffer into = ByteBuffer.allocate(200);
        int n = client.receive(into);
        return n < 0 ? "" : new String(into.array(), 0, n, UTF_8);
    }

    private String request(String word) throws Exception {
        try (UnixSocket client = connect()) {
            say(client, word);
            return hear(client);
        }
    }

    private SocketStatus socketStatus(String name) throws Exception {
        return Stage.get(stage.manager().sockets()).stream()
                .filter(one -> one.unit().text().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** Polls, because a socket changes its state without an event here. */
    private void awaitState(String unit, String state) throws Exception {
        long deadline = System.nanoTime() + PATIENCE;
        while (!stage.state(unit).equals(state)) {
            assertThat(System.nanoTime())
                    .as("%s is %s: %s", unit, stage.state(unit), stage.happenings().lines())
                    .isLessThan(deadline);
            Await.pause();
        }
    }

    @Test
    void trafficStartsTheService() throws Exception {
        server();
        assertThat(stage.start("a.socket")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a.socket")).isEqualTo("active/listening success");
        assertThat(stage.loaded()).containsExactly("a.socket");

        assertThat(request("hello")).endsWith(" 1 hello");
        awaitState("a", "active/running success");
        assertThat(stage.state("a.socket")).isEqualTo("active/running success");
        stage.happenings().awaitOutput("a.service", "got 1 named a.socket");
        stage.happenings().awaitOutput("a.service", "blocking");
        assertThat(request("again")).endsWith(" 2 again");

        assertThat(request("end")).endsWith(" 3 end");
        awaitState("a.socket", "active/listening success");
        assertThat(request("anew")).endsWith(" 1 anew");
        assertThat(socketStatus("a.socket").triggers()).hasSize(1);

        assertThat(stage.stop("a.socket")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a.socket")).isEqualTo("inactive/dead success");
        assertThat(path).exists();
    }

    @Test
    void aQueuedClientIsServedAfterTheServiceWasKilled() throws Exception {
        server();
        stage.start("a.socket");
        String first = request("hold");
        awaitState("a", "active/running success"); // the answer may be faster
        try (PidFd main = stage.hold("a")) {
            try (UnixSocket queued = connect()) {
                say(queued, "two");
                main.signal(Signal.KILL);
                String answer = hear(queued);
                assertThat(answer).endsWith(" 1 two");
                assertThat(answer.split(" ")[0]).isNotEqualTo(first.split(" ")[0]);
            }
        }
        assertThat(stage.state("a.socket")).isEqualTo("active/running success");
    }

    @Test
    void aQueuedClientIsServedByTheRestartedService() throws Exception {
        server("Restart=always", "RestartSec=50ms");
        stage.start("a.socket");
        String _ = request("hold");
        awaitState("a", "active/running success");
        try (PidFd main = stage.hold("a")) {
            try (UnixSocket queued = connect()) {
                say(queued, "two");
                main.signal(Signal.KILL);
                assertThat(hear(queued)).endsWith(" 1 two");
            }
        }
        assertThat(stage.status("a").restarts()).as("it was its own restart").isEqualTo(1);
        assertThat(stage.restart("a")).isEqualTo(JobResult.DONE);
        assertThat(request("three")).endsWith(" 1 three");
    }

    @Test
    void aServiceThatIsStartedByHandGetsItsSockets() throws Exception {
        Path second = folder.resolve("b.sock");
        socket("b", "Service=a.service", "ListenDatagram=" + second, "FileDescriptorName=second");
        server("Sockets=b.socket", "NonBlocking=no");
        stage.start("a.socket");

        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        stage.happenings().awaitOutput("a.service", "got 2 named a.socket:second");
        assertThat(stage.state("b.socket")).isEqualTo("active/running success");
        assertThat(stage.state("a.socket")).isEqualTo("active/running success");
        assertThat(request("hello")).endsWith(" 1 hello");
    }

    @Test
    void aSocketIsNotStartedBesideItsRunningService() throws Exception {
        socket("a", "ListenStream=" + path);
        stage.service("a", "ExecStart=/bin/sleep 1000");
        stage.start("a");

        assertThat(stage.start("a.socket")).isEqualTo(JobResult.FAILED);
        assertThat(path).doesNotExist();
        stage.happenings().await("is active without this socket");
        stage.stop("a");
        assertThat(stage.start("a.socket")).isEqualTo(JobResult.DONE);
    }

    @Test
    void aSocketWhoseConditionDoesNotHoldIsNotOpened() throws Exception {
        stage.unit(
                "a.socket",
                "[Unit]\nDefaultDependencies=no\nConditionPathExists=/nowhere\n[Socket]\nListenStream="
                        + path);
        stage.service("a", "ExecStart=/bin/sleep 1000");

        assertThat(stage.start("a.socket")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a.socket")).isEqualTo("inactive/dead success");
        assertThat(path).doesNotExist();
    }

    @Test
    void aStartThatIsAskedForDuringTheStopFollowsIt() throws Exception {
        server();
        stage.start("a.socket");
        var stop = stage.stopping("a.socket");
        var start = stage.starting("a.socket");

        assertThat(Stage.get(stop))
                .as("unless it was quicker, the start took its place")
                .isIn(JobResult.DONE, JobResult.CANCELED);
        assertThat(Stage.get(start)).isEqualTo(JobResult.DONE);
        assertThat(request("hello")).endsWith(" 1 hello");
    }

    @Test
    void aSocketThatIsStartedTooOftenFails() throws Exception {
        stage.unit(
                "a.socket",
                "[Unit]\nDefaultDependencies=no\nStartLimitBurst=1\n[Socket]\nListenStream="
                        + path);
        stage.service("a", "ExecStart=/bin/sleep 1000");
        stage.keep("a.socket");
        assertThat(stage.start("a.socket")).isEqualTo(JobResult.DONE);
        stage.stop("a.socket");

        assertThat(stage.start("a.socket")).isEqualTo(JobResult.FAILED);
        assertThat(stage.state("a.socket")).isEqualTo("failed/failed start-limit-hit");
    }

    @Test
    void aSocketWithoutServiceDoesNotStart() throws Exception {
        socket("a", "ListenStream=" + path);

        assertThat(stage.start("a.socket")).isEqualTo(JobResult.FAILED);
        stage.happenings().await("Service=a.service: there is no such unit");
    }

    @Test
    void theNodeIsAsItIsWanted() throws Exception {
        Path deep = folder.resolve("x/y/a.sock");
        Path link = folder.resolve("link");
        socket(
                "a",
                "ListenStream=" + deep,
                "SocketMode=0622",
                "DirectoryMode=0711",
                "Symlinks=" + link,
                "RemoveOnStop=yes");
        stage.service("a", "ExecStart=/bin/sleep 1000");
        stage.start("a.socket");

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(deep)))
                .isEqualTo("rw--w--w-");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(deep.getParent())))
                .isEqualTo("rwx--x--x");
        assertThat(Files.readSymbolicLink(link)).isEqualTo(deep);

        stage.stop("a.socket");
        assertThat(deep).doesNotExist();
        assertThat(Files.exists(link, LinkOption.NOFOLLOW_LINKS)).isFalse();
    }

    @Test
    @Needs(root = true)
    void theNodeBelongsToWhomItIsWanted() throws Exception {
        socket("a", "ListenStream=" + path, "SocketUser=nobody", "SocketMode=0600");
        stage.service("a", "ExecStart=/bin/sleep 1000");
        stage.start("a.socket");

        assertThat(Files.getOwner(path).getName()).isEqualTo("nobody");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                .isEqualTo("rw-------");
    }

    @Test
    void aDeadSocketIsReplacedAndALivingOneIsNot() throws Exception {
        server();
        stage.start("a.socket");
        stage.stop("a.socket");
        assertThat(path).as("without RemoveOnStop").exists();
        assertThat(stage.start("a.socket")).isEqualTo(JobResult.DONE);
        stage.stop("a.socket");
        Files.delete(path);

        try (UnixListener other =
                UnixListener.listen(UnixAddress.path(path), SocketType.STREAM, 5)) {
            assertThat(stage.start("a.socket")).isEqualTo(JobResult.FAILED);
            assertThat(stage.state("a.socket")).isEqualTo("failed/failed resources");
            stage.happenings().await("address in use by another process");
            assertThat(Readiness.await(other.fd(), Readiness.IN, Duration.ZERO))
                    .as("nobody has knocked")
                    .isEqualTo(Readiness.NONE);
        }
        Files.writeString(path, "precious");
        assertThat(stage.start("a.socket")).isEqualTo(JobResult.FAILED);
        assertThat(path).hasContent("precious");
        Files.delete(path);
        Stage.get(stage.manager().resetFailed(List.of()));
        assertThat(stage.state("a.socket")).isEqualTo("inactive/dead success");
    }

    @Test
    void oneOfSeveralThatCannotBeBoundLeavesNone() throws Exception {
        socket("a", "ListenStream=" + path, "ListenStream=/proc/none", "RemoveOnStop=yes");
        stage.service("a", "ExecStart=/bin/sleep 1000");

        assertThat(stage.start("a.socket")).isEqualTo(JobResult.FAILED);
        assertThat(path).doesNotExist();
    }

    @Test
    void aServiceThatNeverServesMakesItsSocketFail() throws Exception {
        socket("a", "ListenStream=" + path, "PollLimitBurst=100");
        stage.service("a", "ExecStart=/bin/false");
        stage.start("a.socket");
        try (UnixSocket client = connect()) {
            stage.happenings().await("a.socket: ERROR failed: service-start-limit-hit");
            assertThatExceptionOfType(ErrnoException.class)
                    .isThrownBy(() -> hear(client))
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ECONNRESET));
        }
        assertThat(stage.state("a.socket")).isEqualTo("failed/failed service-start-limit-hit");
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(this::connect)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ECONNREFUSED));
    }

    @Test
    void aServiceThatCannotBeStartedAtAllMakesItsSocketFail() throws Exception {
        socket("a", "ListenStream=" + path);
        stage.service("a", "Type=dbus", "BusName=a.b", "ExecStart=/bin/true");
        stage.start("a.socket");
        try (UnixSocket _ = connect()) {
            stage.happenings().await("a.socket: ERROR failed: resources");
        }
        assertThat(stage.state("a")).isEqualTo("failed/failed resources");
    }

    @Test
    void aSocketThatTriggersTooOftenFails() throws Exception {
        socket("a", "ListenStream=" + path, "TriggerLimitBurst=3");
        stage.serviceWith("a", "StartLimitBurst=0", "Type=oneshot", "ExecStart=/bin/true");
        stage.start("a.socket");
        try (UnixSocket _ = connect()) {
            stage.happenings().await("a.socket: ERROR failed: trigger-limit-hit");
        }
        long starts =
                stage.happenings().lines().stream()
                        .filter(line -> line.contains("is started for traffic"))
                        .count();
        assertThat(starts).isEqualTo(3);
    }

    @Test
    void aSocketThatLooksTooOftenPauses() throws Exception {
        socket(
                "a",
                "ListenStream=" + path,
                "PollLimitBurst=2",
                "PollLimitIntervalSec=400ms",
                "TriggerLimitBurst=4");
        stage.serviceWith("a", "StartLimitBurst=0", "Type=oneshot", "ExecStart=/bin/true");
        stage.start("a.socket");
        try (UnixSocket _ = connect()) {
            stage.happenings().await("is started for traffic", 4);
        }
        assertThat(stage.state("a.socket")).startsWith("active/");
    }

    @Test
    void datagramsAndFifosAreTrafficToo() throws Exception {
        Path fifo = folder.resolve("fifo");
        socket("d", "ListenDatagram=@" + path.toString().hashCode() + "-datagrams");
        socket("f", "ListenFIFO=" + fifo, "SocketMode=0600");
        stage.service(
                "d",
                "ExecStart="
                        + stage.python(
                                "d",
                                """
                                s = socket.socket(fileno=3)
                                say(s.recv(100).decode())
                                """));
        stage.service("f", "ExecStart=" + stage.python("f", "say(os.read(3, 100).decode())\n"));
        stage.start("d.socket");
        stage.start("f.socket");
        try (UnixSocket sender = UnixSocket.datagram()) {
            sender.sendTo(
                    UnixAddress.abstractName(path.toString().hashCode() + "-datagrams"),
                    ByteBuffer.wrap("one datagram".getBytes(UTF_8)),
                    List.of());
        }
        stage.happenings().awaitOutput("d.service", "one datagram");
        Files.writeString(fifo, "through the fifo");
        stage.happenings().awaitOutput("f.service", "through the fifo");
    }

    @Test
    void whatIsStoppedTogetherDoesNotStartItselfAgain() throws Exception {
        server();
        stage.start("a.socket");
        String _ = request("hold");
        try (UnixSocket _ = connect()) {
            List<UnitName> both = List.of(UnitName.of("a.socket"), UnitName.of("a.service"));
            assertThat(Stage.get(stage.manager().stop(both)).values()).containsOnly(JobResult.DONE);
        }
        assertThat(stage.state("a")).startsWith("inactive/dead");
        assertThat(stage.state("a.socket")).startsWith("inactive/dead");
    }

    @Test
    void aServiceThatRequiresItsSocketGoesWithIt() throws Exception {
        socket("a", "ListenStream=" + path);
        stage.serviceWith("a", "Requires=a.socket", "ExecStart=" + stage.python("server", SERVER));

        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(request("hello")).endsWith(" 1 hello");
        assertThat(stage.restart("a.socket")).isEqualTo(JobResult.DONE);
        assertThat(request("hello")).endsWith(" 1 hello");
        assertThat(stage.stop("a.socket")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a")).startsWith("inactive/dead");
    }

    @Test
    void aPortIsListenedOn() throws Exception {
        int port;
        try (var free = new java.net.ServerSocket(0)) {
            port = free.getLocalPort();
        }
        socket("t", "ListenStream=127.0.0.1:" + port, "ListenStream=[::1]:" + port);
        stage.service(
                "t",
                "ExecStart="
                        + stage.python(
                                "t",
                                """
                                say("got " + os.environ["LISTEN_FDS"])
                                client, _ = socket.socket(fileno=4).accept()
                                client.send(b"served")
                                time.sleep(1000)
                                """));
        stage.start("t.socket");
        try (var client = new java.net.Socket(java.net.InetAddress.ofLiteral("::1"), port)) {
            assertThat(new String(client.getInputStream().readNBytes(6), UTF_8))
                    .isEqualTo("served");
        }
        stage.happenings().awaitOutput("t.service", "got 2");
    }

    /** The start for traffic is requested first, and its files are read when the stop is queued. */
    @Test
    void aStopIsNotUndoneByTheStartForTraffic() throws Exception {
        socket("a", "ListenStream=" + path);
        stage.serviceWith("a", "Requires=a.socket", "ExecStart=/bin/sleep 1000");
        for (int i = 0; i < 40; i++) {
            startOnceTheLastStartHasLetGo();
            CompletableFuture<JobResult> stop;
            try (UnixSocket _ = connect()) {
                for (int spin = 0; spin < i * 50; spin++) {
                    Thread.onSpinWait();
                }
                stop = stage.stopping("a.socket");
                assertThat(stop.get()).as("try %d", i).isEqualTo(JobResult.DONE);
            }
            assertThat(stage.stop("a.service")).isEqualTo(JobResult.DONE);
            assertThat(stage.stop("a.socket")).isEqualTo(JobResult.DONE);
        }
    }

    /**
     * Starts the socket; the preparation of the start that was given up may hold the old one for a
     * moment, and its address is in use until then.
     */
    private void startOnceTheLastStartHasLetGo() {
        Await.until(() -> {
            try {
                return stage.start("a.socket") == JobResult.DONE;
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
    }
}
