package io.holdfast.authority;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.authority.client.Authority;
import io.holdfast.authority.client.Decision;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.varlink.AuthorityInterface;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.client.Reply;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.json.JsonObject;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code io.holdfast.Authority}, served by a separate program: its subjects and its limits. */
@Timeout(120)
@Needs(root = true, features = Feature.PEER_PIDFD)
class AuthorityInterfaceTest {
    private static final long USER = 20001;
    private static final long OTHER = 20002;
    private static final int CHECKS = 3;

    /** Debian's group games; no user is a member in the database. */
    private static final int GAMES = 60;

    private static final Duration PATIENCE = Duration.ofSeconds(100);

    private static final String ASK =
            "use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die $!;"
                    + " $s->print($ARGV[1] . qq{\\0}); $/ = qq{\\0}; print scalar <$s>";

    @TempDir private Path folder;
    private PolicyFolders folders;
    private Path socket;

    @BeforeEach
    void open() throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        folders = new PolicyFolders(folder).action("a.yes", "yes").action("a.rule", "no");
        socket = folder.resolve("socket");
    }

    /** Runs as {@code FOLDER SOCKET}, until the end of its input. */
    static final class Serving {
        static void main(String[] arguments) throws Exception {
            try (AuthorityEngine engine =
                            AuthorityEngine.open(
                                    new PolicyFolders(Path.of(arguments[0]))
                                            .options()
                                            .withRuleLimits(patient()));
                    AuthorityInterface face = AuthorityInterface.of(engine)) {
                face.server()
                        .serve(
                                UnixListener.listen(
                                        UnixAddress.path(Path.of(arguments[1])),
                                        SocketType.STREAM,
                                        128,
                                        0666));
                System.out.println("ready");
                int ended = System.in.read();
                System.out.println("ended " + ended);
            }
        }

        /** Programs of rules may run for as long as a test on a busy machine takes. */
        private static RuleLimits patient() {
            RuleLimits standard = RuleLimits.standard();
            return standard.withEvaluation(PATIENCE)
                    .withPrograms(
                            standard.programs().count(), PATIENCE, standard.programs().output());
        }
    }

    private final List<Process> started = new ArrayList<>();

    private void serve(String... options) throws IOException {
        Process process =
                new ProcessBuilder(
                                ChildJvm.command(
                                        List.of(options),
                                        Serving.class,
                                        folder.toString(),
                                        socket.toString()))
                        .redirectError(folder.resolve("log").toFile())
                        .start();
        started.add(process);
        assertThat(process.inputReader().readLine())
                .as(() -> "see " + folder.resolve("log"))
                .isEqualTo("ready");
    }

    @AfterEach
    void close() throws Exception {
        for (Process each : started) {
            each.getOutputStream().close();
            assertThat(each.waitFor()).isZero();
        }
    }

    private static String method(String name) {
        return Authority.VARLINK_INTERFACE + "." + name;
    }

    private VarlinkClient client() {
        return VarlinkClient.connect(socket.toString());
    }

    // ---- groups

    /** Checks an authorization of the calling process itself, with that user and those groups. */
    private String askAs(String action, String... setpriv) throws Exception {
        try (Child child =
                Spawn.of("setpriv", setpriv)
                        .arguments(List.of("perl", "-e", ASK, socket.toString()))
                        .arguments(
                                List.of(
                                        "{\"method\":\"%s\",\"parameters\":{\"action\":\"%s\"}}"
                                                .formatted(method("Check"), action)))
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.pipe())
                        .start()) {
            return new String(child.stdout().readAllBytes(), UTF_8);
        }
    }

    @Test
    @Needs(programs = {"setpriv", "perl"})
    void theGroupsThatAPeerHasCount() throws Exception {
        folders.rules(
                "50.rules",
                "polkit.addRule(function(action, subject) {"
                        + " if (action.id == 'a.rule' && subject.isInGroup('games')) return 'yes'; });");
        serve();
        String user = "--reuid=" + USER;

        assertThat(askAs("a.rule", user, "--regid=" + USER, "--groups=" + USER + "," + GAMES))
                .contains("\"isAuthorized\":true");
        assertThat(askAs("a.rule", user, "--regid=" + GAMES, "--clear-groups"))
                .as("the primary one")
                .contains("\"isAuthorized\":true");
        assertThat(askAs("a.rule", user, "--regid=" + USER, "--clear-groups"))
                .contains("\"isAuthorized\":false");
    }

    // ---- peers that are not held

    private static void assertError(String error, ThrowingCallable call) {
        assertThatExceptionOfType(VarlinkException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.error()).isEqualTo(error));
    }

    private static Reply check(VarlinkClient client, Fd subject) {
        return client.call(
                method("Check"),
                JsonObject.builder()
                        .put("action", "a.yes")
                        .put("subject", 0)
                        .put("uid", Unistd.geteuid())
                        .build(),
                Duration.ofSeconds(60),
                List.of(subject));
    }

    @Test
    void aCallerThatIsNotHeldMayAskNothing() throws Exception {
        serve("-Dio.holdfast.without=PEER_PIDFD");
        String denied = VarlinkException.permissionDenied().error();
        try (VarlinkClient client = client();
                PidFd self = PidFd.self()) {
            assertError(denied, () -> check(client, self.fd()));
            for (String each : List.of("ListTemporaryAuthorizations", "Reload", "GetRuleMetrics")) {
                assertError(denied, () -> client.call(method(each)));
            }
            assertThat(client.call(method("ListActions")).optionalArray("actions").orElseThrow())
                    .as("what everybody may read")
                    .hasSize(2);
        }
    }

    /** Its PID may be that of another process by now. */
    @Test
    void anAuthorityIsNotAskedAboutAPeerThatIsNotHeld() throws Exception {
        serve();
        BusAddress nowhere = BusAddress.parse("unix:path=" + folder.resolve("no-bus"));
        try (AuthorityEngine engine = AuthorityEngine.open(folders.options());
                Authority embedded = EmbeddedAuthority.of(engine);
                Authority overBus = Authority.overBus(List.of(nowhere));
                Authority overVarlink = Authority.overVarlink(socket.toString())) {
            int own = (int) ProcessHandle.current().pid();
            for (Authority each : List.of(embedded, overBus, overVarlink)) {
                for (Peer peer :
                        List.of(
                                new Peer.BestEffort(own, 0, 0, List.of(), Optional.empty()),
                                new Peer.Gone(own, 0, 0, List.of(), Optional.empty()))) {
                    Decision decision = each.check(peer, "a.yes", Map.of()).join();
                    assertThat(decision.isAuthorized()).isFalse();
                    assertThat(decision.failure().orElseThrow()).contains("cannot be identified");
                }
            }
        }
    }

    @Test
    void aSocketIsAskedAboutForWhoeverIsBehindIt() throws Exception {
        serve();
        try (VarlinkClient client = client();
                UnixListener listener =
                        UnixListener.listen(
                                UnixAddress.path(folder.resolve("peer")), SocketType.STREAM, 8)) {
            try (UnixSocket connected =
                            UnixSocket.connect(
                                    UnixAddress.path(folder.resolve("peer")), SocketType.STREAM);
                    UnixSocket accepted = listener.accept();
                    Reply reply = check(client, accepted.fd())) {
                assertThat(connected.fd().isOpen()).isTrue();
                assertThat(reply.parameters().bool("isAuthorized")).isTrue();
            }
            try (Child gone =
                    Spawn.of(
                                    "perl",
                                    "-e",
                                    "use IO::Socket::UNIX;"
                                            + " IO::Socket::UNIX->new(Peer => $ARGV[0]) or die $!",
                                    folder.resolve("peer").toString())
                            .start()) {
                assertThat(gone.await().isSuccess()).isTrue();
                try (UnixSocket accepted = listener.accept();
                        Reply reply = check(client, accepted.fd())) {
                    assertThat(reply.parameters().bool("isAuthorized"))
                            .as("of a process that has gone")
                            .isFalse();
                } catch (VarlinkException e) { // kernels before 6.16
                    assertThat(e.error()).isEqualTo(method("SubjectGone"));
                }
            }
        }
    }

    // ---- limits

    @Test
    void nothingStaysOpenOfAQuestion() throws Exception {
        try (AuthorityEngine engine = AuthorityEngine.open(folders.options());
                AuthorityInterface face = AuthorityInterface.of(engine)) {
            face.server().listen(UnixAddress.path(socket));
            UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
            try (VarlinkClient client = client();
                    PidFd self = PidFd.self();
                    UnixSocket one = pair[0];
                    UnixSocket other = pair[1]) {
                check(client, self.fd()).close();
                OpenDescriptors before = OpenDescriptors.now();
                for (int i = 0; i < 10; i++) {
                    check(client, self.fd()).close();
                    check(client, one.fd()).close();
                    try (Fd none = Fcntl.open("/dev/null", 0)) {
                        assertError(
                                VarlinkException.invalidParameter("subject").error(),
                                () -> check(client, none));
                    }
                }
                assertThat(other.fd().isOpen()).isTrue();
                before.awaitSameNumberButWakers();
            }
        }
    }

    @Test
    @Needs(programs = {"setpriv", "perl"})
    void aUserAsksSoManyThingsAtATimeAndOthersAreServed() throws Exception {
        Path fifo = folder.resolve("fifo");
        assertThat(new ProcessBuilder("mkfifo", "-m", "666", fifo.toString()).start().waitFor())
                .isZero();
        folders.rules(
                "50.rules",
                """
                polkit.addRule(function(action, subject) {
                    if (action.id == "a.rule") {
                        polkit.spawn(["/bin/dd", "if=%s", "bs=1", "count=1", "status=none"]);
                        return "yes";
                    }
                });
                """
                        .formatted(fifo));
        serve("-Dio.holdfast.authority.checksPerConnection=" + CHECKS);
        try (RandomAccessFile writer = new RandomAccessFile(fifo.toFile(), "rw");
                PidFd self = PidFd.self();
                VarlinkClient client = client();
                Authority authority = Authority.overVarlink(socket.toString())) {
            List<CompletableFuture<Decision>> underWay = new ArrayList<>();
            for (int i = 0; i < CHECKS; i++) {
                underWay.add(authority.check(self, USER, "a.rule", Map.of()));
            }
            Await.until(() -> client.call(method("GetRuleMetrics")).integer("programs") == CHECKS);
            Decision beyond = authority.check(self, USER, "a.yes", Map.of()).join();
            assertThat(beyond.isAuthorized()).isFalse();
            assertThat(beyond.failure().orElseThrow())
                    .contains("has 3 checks under way, which is the limit")
                    .contains("io.holdfast.authority.checksPerConnection");
            assertThat(askAs("a.yes", "--reuid=" + OTHER, "--clear-groups"))
                    .contains("\"isAuthorized\":true");

            writer.write(new byte[CHECKS]);
            for (CompletableFuture<Decision> each : underWay) {
                assertThat(each.join().isAuthorized()).as("%s", each.join()).isTrue();
            }
            assertThat(authority.check(self, USER, "a.yes", Map.of()).join().isAuthorized())
                    .as("there is room again")
                    .isTrue();
        }
    }

    @Test
    void howTheRulesAreDoingIsForRootAlone() throws Exception {
        serve();
        try (VarlinkClient client = client()) {
            JsonObject metrics = client.call(method("GetRuleMetrics"));
            assertThat(metrics.integer("evaluators")).isNotNegative();
            assertThat(metrics.integer("stuck")).isZero();
            assertThat(metrics.integer("stuckEver")).isZero();
            assertThat(metrics.integer("programs")).isZero();
        }
        AsUser.of(
                USER,
                () -> {
                    try (VarlinkClient client = client()) {
                        assertError(
                                VarlinkException.permissionDenied().error(),
                                () -> client.call(method("GetRuleMetrics")));
                    }
                });
    }
}
