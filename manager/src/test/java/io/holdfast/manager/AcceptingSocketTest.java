package io.holdfast.manager;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Feature;
import io.holdfast.core.machine.SubordinateUids;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.runtime.AcceptedConnection;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.view.SocketStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Accepting sockets: each connection gets its own service instance. */
@Timeout(120)
class AcceptingSocketTest {
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(30);

    /** Echoes until the other end is closed. */
    private static final String ECHO =
            """
            client = socket.socket(fileno=3)
            assert int(os.environ["LISTEN_PID"]) == os.getpid()
            client.send(("%s %s %s" % (os.environ["LISTEN_FDS"], os.environ["LISTEN_FDNAMES"],
                    os.environ.get("REMOTE_ADDR", "-"))).encode())
            while True:
                word = client.recv(100)
                if not word:
                    break
                if word == b"die":
                    sys.exit(7)
                client.send(word)
            """;

    @TempDir private Path folder;
    private Stage stage;
    private Path path;

    /** The JDK keeps a descriptor open from its first socket on. */
    @BeforeAll
    static void usePlatformSockets() throws Exception {
        new ServerSocket(0).close();
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

    private void accepting(String... lines) throws Exception {
        stage.unit(
                "a.socket",
                "[Unit]\nDefaultDependencies=no\n[Socket]\nAccept=yes\nListenStream="
                        + path
                        + "\n"
                        + String.join("\n", lines)
                        + "\n");
    }

    private void echo(String... lines) throws Exception {
        accepting(lines);
        stage.service("a@", "ExecStart=" + stage.python("echo", ECHO));
        assertThat(stage.start("a.socket")).isEqualTo(JobResult.DONE);
    }

    private UnixSocket connect() throws Exception {
        return UnixSocket.connect(
                UnixAddress.path(path), SocketType.STREAM, Duration.ofSeconds(10));
    }

    private static void say(UnixSocket client, String word) throws Exception {
        client.sendFully(ByteBuffer.wrap(word.getBytes(UTF_8)));
    }

    private static String hear(UnixSocket client) throws Exception {
        ByteBuffer into = ByteBuffer.allocate(300);
        int n = client.receive(into);
        return n < 0 ? "" : new String(into.array(), 0, n, UTF_8);
    }

    private SocketStatus status() throws Exception {
        return Stage.get(stage.manager().sockets()).getFirst();
    }

    private List<String> units() throws Exception {
        return stage.loaded();
    }

    private void awaitConnections(int count) throws Exception {
        awaitUnits(1 + count);
        assertThat(status().connections()).isEqualTo(count);
    }

    /** Polls, because a unit is unloaded without an event here. */
    private void awaitUnits(int count) throws Exception {
        long deadline = System.nanoTime() + PATIENCE;
        while (units().size() != count) {
            assertThat(System.nanoTime())
                    .as("%s %s", units(), stage.happenings().lines())
                    .isLessThan(deadline);
            Await.pause();
        }
    }

    @Test
    void theFoldersOfUnitsAreNotLookedThroughForEachConnection() throws Exception {
        echo();
        Files.setLastModifiedTime(
                stage.unitFolder(), FileTime.from(Instant.now().minus(Duration.ofMinutes(1))));
        long before = 0;
        for (int i = 0; i < 10; i++) {
            try (UnixSocket client = connect()) {
                assertThat(hear(client)).isNotEmpty();
            }
            awaitConnections(0);
            before = i == 0 ? stage.manager().view().folderScans() : before;
        }
        assertThat(stage.manager().view().folderScans()).isEqualTo(before);
        var _ = Stage.get(stage.reloading());
        assertThat(stage.manager().view().folderScans()).isEqualTo(before + 1);
    }

    @Test
    void eachConnectionGetsAnInstance() throws Exception {
        echo();
        try (UnixSocket one = connect();
                UnixSocket other = connect()) {
            assertThat(hear(one)).isEqualTo("1 connection -");
            assertThat(hear(other)).isEqualTo("1 connection -");
            say(one, "first");
            say(other, "second");
            assertThat(hear(other)).isEqualTo("second");
            assertThat(hear(one)).isEqualTo("first");
            assertThat(stage.state("a.socket")).isEqualTo("active/listening success");
            SocketStatus now = status();
            assertThat(now.accept()).isTrue();
            assertThat(now.connections()).isEqualTo(2);
            assertThat(now.accepted()).isEqualTo(2);
            assertThat(now.triggers()).hasSize(2);
            for (UnitName instance : now.triggers()) {
                assertThat(stage.triggeredBy(instance)).containsExactly(UnitName.of("a.socket"));
            }
        }
        awaitConnections(0);
        assertThat(status().accepted()).isEqualTo(2);
        assertThat(units()).containsExactly("a.socket");
    }

    @Test
    @Needs(features = {Feature.PIDFS, Feature.PEER_PIDFD})
    void theInstanceIsNamedAfterTheProcessThatHasConnected() throws Exception {
        echo();
        try (UnixSocket client = connect();
                PidFd self = PidFd.self()) {
            String _ = hear(client);
            assertThat(status().triggers().getFirst().text())
                    .matches(
                            "a@0-[0-9]+-%d_%s-%d\\.service"
                                    .formatted(
                                            self.pid(),
                                            Long.toUnsignedString(self.id()),
                                            Unistd.geteuid()));
        }
    }

    @Test
    void aBoundPeerIsTold() throws Exception {
        accepting();
        stage.service(
                "a@",
                "StandardInput=socket",
                "StandardOutput=inherit",
                "ExecStart="
                        + stage.shell("tell", "echo ${REMOTE_ADDR-none} ${LISTEN_FDS-unset}; cat"));
        stage.start("a.socket");
        Path client = folder.resolve("client.sock");
        Process process =
                new ProcessBuilder(
                                "/usr/bin/python3",
                                "-c",
                                """
                                import socket, sys
                                s = socket.socket(socket.AF_UNIX)
                                s.bind(sys.argv[1])
                                s.connect(sys.argv[2])
                                s.send(b"through cat")
                                s.shutdown(socket.SHUT_WR)
                                while True:
                                    data = s.recv(100)
                                    if not data:
                                        break
                                    sys.stdout.write(data.decode())
                                """,
                                client.toString(),
                                path.toString())
                        .start();
        assertThat(new String(process.getInputStream().readAllBytes(), UTF_8))
                .isEqualTo(client + " unset\nthrough cat");
        assertThat(process.waitFor()).isZero();
        awaitConnections(0);
    }

    @Test
    void oneTooManyIsRefused() throws Exception {
        echo("MaxConnections=2");
        List<UnixSocket> clients = new ArrayList<>();
        try {
            for (int i = 0; i < 2; i++) {
                clients.add(connect());
                assertThat(hear(clients.getLast())).startsWith("1 connection");
            }
            try (UnixSocket third = connect()) {
                assertThat(hear(third)).isEmpty();
            }
            assertThat(status().refused()).isEqualTo(1);
            assertThat(status().connections()).isEqualTo(2);
            stage.happenings().await("is refused: 2 are there, MaxConnections=2");
        } finally {
            clients.forEach(UnixSocket::close);
        }
        awaitConnections(0);
        try (UnixSocket again = connect()) {
            assertThat(hear(again)).startsWith("1 connection");
        }
        assertThat(status().accepted()).isEqualTo(3);
    }

    @Test
    void oneTooManyOfAUserIsRefused() throws Exception {
        echo("MaxConnectionsPerSource=1");
        try (UnixSocket one = connect()) {
            assertThat(hear(one)).startsWith("1 connection");
            try (UnixSocket other = connect()) {
                assertThat(hear(other)).isEmpty();
            }
            stage.happenings().await("MaxConnectionsPerSource=1");
        }
    }

    @Test
    @Needs(root = true)
    void anotherUserHasACountOfHisOwn() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        echo("MaxConnectionsPerSource=1");
        try (UnixSocket one = connect()) {
            assertThat(hear(one)).startsWith("1 connection");
            Process process =
                    new ProcessBuilder(
                                    "setpriv",
                                    "--reuid=65534",
                                    "--clear-groups",
                                    "/usr/bin/python3",
                                    "-c",
                                    """
                                    import socket, sys
                                    s = socket.socket(socket.AF_UNIX)
                                    s.connect(sys.argv[1])
                                    sys.stdout.write(s.recv(100).decode())
                                    """,
                                    path.toString())
                            .start();
            assertThat(new String(process.getInputStream().readAllBytes(), UTF_8))
                    .startsWith("1 connection");
            assertThat(process.waitFor()).isZero();
        }
    }

    /** Connects and disconnects as fast as possible, and waits for no answer. */
    @Test
    void aConnectionThatWasClosedUnusedIsNotServed() throws Exception {
        echo("Backlog=1000");
        Path go = stage.fifo("go");
        int dead = 500;
        CountDownLatch held = new CountDownLatch(1);
        stage.manager()
                .loop()
                .post(() -> {
                    held.countDown();
                    readAll(go); // so that they wait in the backlog
                });
        held.await();
        for (int i = 0; i < dead; i++) {
            connect().close();
        }
        Files.writeString(go, "go");
        try (UnixSocket client = connect()) {
            assertThat(hear(client)).startsWith("1 connection");
        }
        assertThat(status().accepted()).isEqualTo(1);
        stage.happenings().await("a connection was already closed");
    }

    private static void readAll(Path fifo) {
        try {
            String _ = Files.readString(fifo);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    @Needs(root = true)
    void aUserWhoConnectsAgainAndAgainIsRefusedAndOthersAreServed() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        echo("MaxConnectionsPerSource=3");
        int answered = answers(20001, 10); // the places come back with time: slow is more than 3
        assertThat(answered).isBetween(3, 9);
        assertThat(status().accepted()).isEqualTo(answered);
        assertThat(status().refused()).isEqualTo(10 - answered);
        stage.happenings()
                .await("a connection of user 20001 is refused: 3 of it are there or were");
        assertThat(answers(20002, 1)).isEqualTo(1);
        assertThat(answers(0, 10)).as("root").isEqualTo(10);
    }

    @Test
    @Needs(root = true)
    void placesAreReservedForRoot() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        echo("MaxConnections=4", "MaxConnectionsPerSource=1");
        List<UnixSocket> clients = new ArrayList<>();
        try {
            for (long user = 20001; user <= 20004; user++) {
                AsUser.of(user, () -> clients.add(connect()));
                if (user <= 20003) {
                    assertThat(hear(clients.getLast())).startsWith("1 connection");
                }
            }
            assertThat(hear(clients.getLast())).isEmpty();
            assertThat(stage.happenings().await("a connection of user 20004 is refused"))
                    .endsWith(
                            "3 of plain users are there, MaxConnections=4, of which 1 are for root");
            try (UnixSocket root = connect()) {
                assertThat(hear(root)).startsWith("1 connection");
            }
        } finally {
            clients.forEach(UnixSocket::close);
        }
        awaitConnections(0);
    }

    @Test
    @Needs(root = true)
    void aSubordinateUserCountsForItsOwner() throws Exception {
        Path ranges = Files.writeString(folder.resolve("subuid"), "ada:20000:100\n");
        Path users = Files.writeString(folder.resolve("passwd"), "ada:x:1007:1007::/:/bin/sh\n");
        SubordinateUids uids = SubordinateUids.of(ranges, users);
        AsUser.of(
                20005,
                () -> {
                    UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
                    AcceptedConnection connection =
                            AcceptedConnection.of(pair[0].fd().move(), uids);
                    assertThat(connection.source()).isEqualTo("user 1007");
                    connection.peer().orElseThrow().close();
                    connection.fd().close();
                    pair[1].close();
                });
    }

    /** Connects as a user, each time after the last instance has exited; counts the answers. */
    private int answers(long user, int connections) throws Exception {
        AtomicInteger answers = new AtomicInteger();
        for (int i = 0; i < connections; i++) {
            AsUser.of(
                    user,
                    () -> {
                        try (UnixSocket client = connect()) {
                            int _ = hear(client).isEmpty() ? 0 : answers.incrementAndGet();
                        }
                    });
            awaitConnections(0);
        }
        return answers.get();
    }

    @Test
    void anInstanceThatFailsStaysUntilItIsForgotten() throws Exception {
        echo();
        String instance;
        try (UnixSocket client = connect()) {
            assertThat(hear(client)).startsWith("1 connection");
            instance = status().triggers().getFirst().text();
            say(client, "die");
            assertThat(hear(client)).as("its end is closed with it").isEmpty();
        }
        stage.happenings().await(instance + ": ERROR failed: exit-code");
        assertThat(stage.state(instance)).isEqualTo("failed/failed exit-code");
        assertThat(status().connections()).isZero();

        Stage.get(stage.manager().resetFailed(List.of()));
        awaitConnections(0);
    }

    @Test
    void onlySoManyFailedInstancesStay() throws Exception {
        accepting("TriggerLimitBurst=0", "PollLimitBurst=0");
        stage.service("a@", "ExecStart=/bin/false");
        stage.start("a.socket");
        for (int i = 0; i <= ManagerLimits.FAILED_INSTANCES.intValue(); i++) {
            try (UnixSocket client = connect()) {
                assertThat(hear(client)).isEmpty();
            }
        }
        awaitUnits(1 + ManagerLimits.FAILED_INSTANCES.intValue());
        assertThat(units()).noneMatch(name -> name.startsWith("a@0-"));
        assertThat(status().accepted()).isEqualTo(1 + ManagerLimits.FAILED_INSTANCES.intValue());

        Stage.get(stage.manager().resetFailed(List.of()));
        awaitConnections(0);
    }

    @Test
    void aNameThatIsTooLongRefusesTheConnection() throws Exception {
        String name = "x".repeat(UnitName.MAX_LENGTH - ".socket".length() - 2);
        stage.unit(
                name + ".socket",
                "[Unit]\nDefaultDependencies=no\n[Socket]\nAccept=yes\nListenStream=" + path);
        stage.service(name + "@", "ExecStart=/bin/cat");
        assertThat(stage.start(name + ".socket")).isEqualTo(JobResult.DONE);
        try (UnixSocket client = connect()) {
            assertThat(hear(client)).isEmpty();
        }
        assertThat(status().refused()).isEqualTo(1);
    }

    @Test
    void connectionsOutliveTheirSocket() throws Exception {
        echo();
        try (UnixSocket client = connect()) {
            assertThat(hear(client)).startsWith("1 connection");
            assertThat(stage.stop("a.socket")).isEqualTo(JobResult.DONE);
            say(client, "still there");
            assertThat(hear(client)).isEqualTo("still there");
        }
        awaitUnits(0);
    }

    @Test
    void anInstanceCanBeStopped() throws Exception {
        echo();
        try (UnixSocket client = connect()) {
            assertThat(hear(client)).startsWith("1 connection");
            String instance = status().triggers().getFirst().text();
            assertThat(stage.stop(instance)).isEqualTo(JobResult.DONE);
            assertThat(hear(client)).isEmpty();
        }
        awaitConnections(0);
    }

    @Test
    void aTemplateThatCannotBeStartedLosesItsConnection() throws Exception {
        accepting();
        stage.serviceWith("a@", "Requires=missing.service", "ExecStart=/bin/cat");
        stage.start("a.socket");
        try (UnixSocket client = connect()) {
            assertThat(hear(client)).isEmpty();
        }
        awaitConnections(0);
    }

    @Test
    void aTemplateThatIsMissingIsToldAtTheStart() throws Exception {
        accepting();
        assertThat(stage.start("a.socket")).isEqualTo(JobResult.FAILED);
        stage.happenings().await("Service=a@.service: there is no such unit");
    }

    @Test
    void connectionsOverIpTellTheirPeer() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        stage.unit(
                "t.socket",
                "[Unit]\nDefaultDependencies=no\n[Socket]\nAccept=yes\nListenStream=" + port);
        stage.service(
                "t@",
                "StandardInput=socket",
                "StandardOutput=socket",
                "ExecStart=" + stage.shell("t", "echo $REMOTE_ADDR $REMOTE_PORT"));
        stage.start("t.socket");
        try (Socket client = new Socket(InetAddress.ofLiteral("127.0.0.1"), port)) {
            assertThat(new String(client.getInputStream().readAllBytes(), UTF_8))
                    .isEqualTo("127.0.0.1 " + client.getLocalPort() + "\n");
        }
    }

    @Test
    void manyConnectionsLeaveNothingBehind() throws Exception {
        echo("MaxConnections=8", "TriggerLimitBurst=0", "PollLimitBurst=0");
        for (int i = 0; i < 40; i++) {
            try (UnixSocket client = connect()) {
                String greeting = hear(client);
                assertThat(greeting).isIn("1 connection -", ""); // refused while old ones end
            }
        }
        awaitConnections(0);
        SocketStatus end = status();
        assertThat(end.accepted() + end.refused()).isEqualTo(40);
    }

    /**
     * Connects, sends a socket whose last close waits for a peer that does not read, and stays
     * until it is told to exit.
     */
    private static final String LINGERING =
            Stage.LINGERING_CLIENT
                    + """
                    import array, sys
                    face = socket.socket(socket.AF_UNIX)
                    face.connect(sys.argv[1])
                    face.sendmsg([b"x"],
                            [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [client.fileno()]))])
                    client.close()
                    print("sent", flush=True)
                    sys.stdin.read()
                    """;

    @Test
    void whatLingersInAConnectionHoldsUpNobody() throws Exception {
        accepting();
        stage.service("a@", "ExecStart=/bin/sleep 1000");
        assertThat(stage.start("a.socket")).isEqualTo(JobResult.DONE);
        Path script = Files.writeString(folder.resolve("lingering.py"), LINGERING);
        Process attacker =
                new ProcessBuilder("/usr/bin/python3", script.toString(), path.toString())
                        .redirectErrorStream(true)
                        .start();
        try {
            assertThat(attacker.inputReader().readLine()).isEqualTo("sent");
            stage.happenings().await("INFO started", 1);
            String instance = status().triggers().getFirst().text();
            assertThat(stage.stop(instance)).isEqualTo(JobResult.DONE);
            assertThat(stage.state("a.socket")).startsWith("active/listening");
        } finally {
            attacker.destroyForcibly().waitFor();
        }
    }

    @Test
    void whatReadsTheConnectionAlsoAnswersOnItUnlessToldOtherwise() throws Exception {
        accepting();
        stage.service("a@", "StandardInput=socket", "ExecStart=/bin/sh -c 'read x; echo $x back'");
        assertThat(stage.start("a.socket")).isEqualTo(JobResult.DONE);
        try (UnixSocket client = connect()) {
            say(client, "hello\n");
            assertThat(hear(client)).isEqualTo("hello back\n");
        }
    }
}
