package io.holdfast.authority.agent;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.pam.PamService;
import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the helper with real PAM, on a real bus, for agents that are real processes. */
@Timeout(60)
class AgentHelperTest {
    private static final Struct ROOT = Struct.of("unix-user", Map.of("uid", Variant.of("u", 0L)));

    @TempDir Path folder;

    private final List<String> notices = new CopyOnWriteArrayList<>();
    private final List<String> ends = new CopyOnWriteArrayList<>();
    private BusAddress address;
    private Bus bus;
    private UnixListener listener;

    @BeforeEach
    void open() throws Exception {
        address = BusAddress.parse("unix:path=" + folder.resolve("bus"));
        bus = Bus.open(address, BusConfig.permissive());
        listener =
                UnixListener.listen(
                        UnixAddress.path(folder.resolve("helper")), SocketType.STREAM, 10);
        Path check = folder.resolve("check.sh");
        Files.writeString(check, "#!/bin/sh\ntest \"$(tr -d '\\0')\" = right\n");
        Files.setPosixFilePermissions(check, PosixFilePermissions.fromString("rwxr-xr-x"));
        stack(
                "auth [success=1 default=ignore] pam_exec.so quiet expose_authtok "
                        + check
                        + "\nauth requisite pam_deny.so\nauth required pam_permit.so\n");
    }

    private void stack(String auth) throws Exception {
        Files.writeString(folder.resolve("test"), auth + "account required pam_permit.so\n");
    }

    @AfterEach
    void close() {
        listener.close();
        bus.close();
    }

    private AgentHelper helper(HelperLimits limits) {
        return new AgentHelper(
                new PamService("test", Optional.of(folder)),
                List.of(address),
                Accounts.SYSTEM,
                limits,
                notices::add,
                ends::add);
    }

    /** Serves one connection as the helper's process does, on a platform thread. */
    private FutureTask<AgentHelper.Outcome> serve(HelperLimits limits) {
        FutureTask<AgentHelper.Outcome> served =
                new FutureTask<>(() -> {
                    try (UnixSocket connection = listener.accept();
                            Peer peer = connection.peer()) {
                        return helper(limits).serve(connection, peer);
                    }
                });
        Thread.ofPlatform().daemon().start(served);
        return served;
    }

    private FutureTask<AgentHelper.Outcome> serve() {
        return serve(HelperLimits.DEFAULT);
    }

    private List<HelperAddress> addresses() {
        return List.of(new HelperAddress.Socket(folder.resolve("helper")));
    }

    /** Authenticates as an agent in this process; returns the lines from the helper. */
    private List<HelperLine> authenticate(String user, String cookie, String password)
            throws Exception {
        List<HelperLine> lines = new ArrayList<>();
        try (HelperSession session = HelperSession.open(addresses(), user, cookie)) {
            do {
                lines.add(session.dialog().next());
                if (lines.getLast() instanceof HelperLine.Prompt) {
                    session.dialog().answer(ByteBuffer.wrap(password.getBytes(UTF_8)));
                }
            } while (!(lines.getLast() instanceof HelperLine.End));
        }
        return lines;
    }

    private static HelperLine end(boolean authenticated) {
        return new HelperLine.End(authenticated);
    }

    @Test
    void theAuthorityHearsOfItWithTheAgentsPidfd() throws Exception {
        try (FakeAuthority authority = new FakeAuthority(address.toString(), true);
                PidFd self = PidFd.self()) {
            var served = serve();

            assertThat(authenticate("root", "1-c-2-d", "right"))
                    .containsExactly(new HelperLine.Prompt("Password: ", false), end(true));
            assertThat(served.get()).isEqualTo(AgentHelper.Outcome.AUTHENTICATED);
            FakeAuthority.Response response = authority.responses.take();
            assertThat(response.cookie()).isEqualTo("1-c-2-d");
            assertThat(response.identity()).isEqualTo(ROOT);
            assertThat(response.uid()).isZero();
            try (PidFd agent = response.agent().getFirst()) {
                assertThat(agent).isEqualTo(self);
            }
        }
        assertThat(notices).isEmpty();
        assertThat(ends).isEmpty();
    }

    /** Otherwise any process could use the helper to try passwords. */
    @ParameterizedTest
    @ValueSource(strings = {"right", "wrong"})
    void noPasswordIsAskedForBeforeTheAuthorityKnowsTheCookie(String password) throws Exception {
        try (FakeAuthority authority = new FakeAuthority(address.toString(), true)) {
            var served = serve();

            assertThat(authenticate("root", "unknown", password)).containsExactly(end(false));
            assertThat(served.get()).isEqualTo(AgentHelper.Outcome.FAILED);
            assertThat(authority.attempts).isEmpty();
            assertThat(authority.responses).isEmpty();
        }
        assertThat(notices).singleElement().asString().contains("No session for cookie");
    }

    @Test
    void theAttemptIsBegunBeforePamAsks() throws Exception {
        try (FakeAuthority authority = new FakeAuthority(address.toString(), true)) {
            var served = serve();

            try (HelperSession session = HelperSession.open(addresses(), "root", "1-c-2-d")) {
                assertThat(session.dialog().next()).isInstanceOf(HelperLine.Prompt.class);
                assertThat(authority.attempts).containsExactly("1-c-2-d");
            }
            assertThat(served.get()).isEqualTo(AgentHelper.Outcome.FAILED);
        }
    }

    @Test
    void anOlderAuthorityHearsOfTheUserAlone() throws Exception {
        try (FakeAuthority authority = new FakeAuthority(address.toString(), false)) {
            var served = serve();

            assertThat(authenticate("root", "1-c-2-d", "right")).endsWith(end(true));
            assertThat(served.get()).isEqualTo(AgentHelper.Outcome.AUTHENTICATED);
            assertThat(authority.responses.take())
                    .isEqualTo(new FakeAuthority.Response("1-c-2-d", ROOT, 0, List.of()));
        }
    }

    @Test
    void aWrongPasswordIsARefusalAndOneLineInTheLog() throws Exception {
        try (FakeAuthority authority = new FakeAuthority(address.toString(), true)) {
            var served = serve();

            assertThat(authenticate("root", "1-c-2-d", "wrong")).endsWith(end(false));
            assertThat(served.get()).isEqualTo(AgentHelper.Outcome.REFUSED);
            assertThat(authority.responses).isEmpty();
        }
        assertThat(notices)
                .singleElement()
                .asString()
                .matches(
                        "authentication of root failed, asked for by process \\d+:\\d+ of user"
                                + " \\d+( in \\S+)?: pam_authenticate: Authentication failure \\(7\\)");
        assertThat(notices.getFirst()).doesNotContain("1-c-2-d", "wrong");
    }

    @Test
    void whatTheAuthorityRefusesIsAFailure() throws Exception {
        try (FakeAuthority authority = new FakeAuthority(address.toString(), true)) {
            var served = serve();

            assertThat(authenticate("root", "refused", "right")).endsWith(end(false));
            assertThat(served.get()).isEqualTo(AgentHelper.Outcome.FAILED);
            assertThat(authority.responses).isEmpty();
        }
        assertThat(notices).singleElement().asString().contains("No session for cookie");
    }

    @Test
    void withoutAnAuthorityNobodyIsAuthenticated() throws Exception {
        var served = serve();

        assertThat(authenticate("root", "1-c-2-d", "right")).endsWith(end(false));
        assertThat(served.get()).isEqualTo(AgentHelper.Outcome.FAILED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "holdfast-nobody"})
    void whoIsNoUserIsNotAuthenticated(String user) throws Exception {
        stack("auth required pam_permit.so\n");
        try (FakeAuthority authority = new FakeAuthority(address.toString(), true)) {
            var served = serve();

            assertThat(authenticate(user, "c", "")).containsExactly(end(false));
            assertThat(served.get()).isEqualTo(AgentHelper.Outcome.FAILED);
            assertThat(authority.responses).isEmpty();
        }
    }

    /** The agent is like that of pkexec: real user 4711, effective user root. */
    @Test
    @Needs(root = true, programs = "perl")
    void theRealUserOfTheAgentCounts() throws Exception {
        String script =
                "use IO::Socket::UNIX; $< = 4711; die if $>; "
                        + "my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die; "
                        + "$s->print(qq{root\\n1-c-2-d\\n}); <$s>; $s->print(qq{right\\n}); "
                        + "print <$s>";
        try (FakeAuthority authority = new FakeAuthority(address.toString(), true)) {
            var served = serve();
            try (Child agent =
                    Spawn.of("perl", "-e", script, folder.resolve("helper").toString())
                            .stdout(Stdio.pipe())
                            .start()) {
                assertThat(agent.stdout().readAllBytes()).asString().isEqualTo("SUCCESS\n");
                assertThat(served.get()).isEqualTo(AgentHelper.Outcome.AUTHENTICATED);
                FakeAuthority.Response response = authority.responses.take();
                assertThat(response.uid()).isEqualTo(4711);
                try (PidFd reported = response.agent().getFirst()) {
                    assertThat(reported).isEqualTo(agent.pidFd());
                }
            }
        }
    }

    /** Another process, which knows the password, still holds the agent's socket. */
    @ParameterizedTest
    @CsvSource({
        // the agent exits before the request, and at the prompt
        "exit 0 if fork; close $w; <$r>; $s->print(qq{root\\n1-c-2-d\\n}); , agent refused",
        "$s->print(qq{root\\n1-c-2-d\\n}); <$s>; exit 0 if fork; close $w; <$r>; , the agent has exited"
    })
    @Needs(programs = "perl")
    void anAgentThatHasExitedAuthorizesNothing(String life, String why) throws Exception {
        String script =
                "use IO::Socket::UNIX; pipe(my $r, my $w); " // whose end is the parent's
                        + "my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die; $SIG{PIPE} = 'IGNORE'; "
                        + life
                        + " $s->print(qq{right\n}); print <$s>";
        try (FakeAuthority authority = new FakeAuthority(address.toString(), true);
                Child agent =
                        Spawn.of("perl", "-e", script, folder.resolve("helper").toString())
                                .stdout(Stdio.pipe())
                                .start()) {
            if (life.startsWith("exit")) {
                var _ = agent.await();
            }
            var served = serve();

            assertThat(agent.stdout().readAllBytes()).asString().endsWith("FAILURE\n");
            assertThat(served.get()).isEqualTo(AgentHelper.Outcome.FAILED);
            assertThat(authority.responses).isEmpty();
        }
        assertThat(notices).singleElement().asString().contains(why);
    }

    @Test
    void anAgentThatIsNotHeldIsRefused() throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket ours = pair[0];
                UnixSocket theirs = pair[1];
                Peer known = new Peer.BestEffort(7, 0, 0, List.of(), Optional.empty())) {
            assertThat(helper(HelperLimits.DEFAULT).serve(ours, known))
                    .isEqualTo(AgentHelper.Outcome.FAILED);
            assertThat(new HelperDialog(new SocketLink(theirs)).next()).isEqualTo(end(false));
        }
        assertThat(notices)
                .containsExactly(
                        "process 7 (not held) of user 0: agent refused: the agent is not held,"
                                + " process 7 (not held) of user 0: SO_PEERPIDFD needs Linux 6.5");
    }

    @Test
    void anAgentThatHangsUpAtAPromptEndsTheDialog() throws Exception {
        var served = serve();
        try (FakeAuthority _ = new FakeAuthority(address.toString(), true);
                HelperSession session = HelperSession.open(addresses(), "root", "c")) {
            assertThat(session.dialog().next()).isInstanceOf(HelperLine.Prompt.class);
        }
        assertThat(served.get()).isEqualTo(AgentHelper.Outcome.FAILED);
        assertThat(notices).singleElement().asString().contains("the agent hung up");
        assertThat(ends).isEmpty();
    }

    @Test
    void anAgentThatDoesNotAnswerRunsOutOfTime() throws Exception {
        Duration plenty = Duration.ofMinutes(1);
        var served = serve(new HelperLimits(4096, plenty, Duration.ofMillis(100), plenty));
        try (FakeAuthority _ = new FakeAuthority(address.toString(), true);
                HelperSession session = HelperSession.open(addresses(), "root", "c")) {
            assertThat(session.dialog().next()).isInstanceOf(HelperLine.Prompt.class);
            assertThat(served.get()).isEqualTo(AgentHelper.Outcome.FAILED);
            assertThat(session.dialog().next()).isEqualTo(end(false));
        }
        assertThat(notices).singleElement().asString().contains("within");
    }

    /** A PAM module waits for something else: only the end of the process ends it. */
    @Test
    void aDialogThatLastsTooLongIsEndedFromOutside() throws Exception {
        Path pipe = folder.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
        stack("auth required pam_exec.so quiet /bin/cat " + pipe + "\n");
        Duration plenty = Duration.ofMinutes(1);
        var served = serve(new HelperLimits(4096, plenty, plenty, Duration.ofMillis(200)));
        try (FakeAuthority _ = new FakeAuthority(address.toString(), true);
                HelperSession _ = HelperSession.open(addresses(), "root", "c")) {
            while (ends.isEmpty()) {
                Await.pause();
            }
            assertThat(ends.getFirst()).contains("asked for by process").contains("has lasted");
            Files.writeString(pipe, "go on"); // unlike a helper, the test's process lives on
            var _ = served.get();
        }
    }

    @Test
    void dialogsLeaveNothingOpen() throws Exception {
        try (FakeAuthority authority = new FakeAuthority(address.toString(), true)) {
            serveOne(authority, "right"); // opens what stays open for good
            OpenDescriptors before = OpenDescriptors.now();
            serveOne(authority, "wrong");
            serveOne(authority, "right");
            before.awaitSameNumberButWakers();
        }
    }

    private void serveOne(FakeAuthority authority, String password) throws Exception {
        var served = serve();
        var _ = authenticate("root", "c", password);
        var _ = served.get();
        authority.responses.forEach(response -> response.agent().forEach(PidFd::close));
        authority.responses.clear();
    }

    @Test
    void theHelperIsFoundAtTheFirstPlaceThatHasOne() throws Exception {
        Path program = program("read cookie; echo PAM_TEXT_INFO $1 $cookie; echo SUCCESS");
        List<HelperAddress> places =
                List.of(
                        new HelperAddress.Socket(folder.resolve("absent")),
                        new HelperAddress.Program(folder.resolve("absent")),
                        new HelperAddress.Program(program));
        try (HelperSession session = HelperSession.open(places, "me", "crumbs")) {
            assertThat(session.dialog().next())
                    .isEqualTo(new HelperLine.Message("me crumbs", false));
            assertThat(session.dialog().next()).isEqualTo(end(true));
        }
    }

    /** The terminal sends SIGINT to the whole process group of the agent. */
    @Test
    void ctrlCInTheAgentsTerminalIsNotForTheHelper() throws Exception {
        Path program =
                program("read a b c d group rest < /proc/self/stat; echo PAM_TEXT_INFO $group");
        List<HelperAddress> places = List.of(new HelperAddress.Program(program));
        try (HelperSession session = HelperSession.open(places, "me", "crumbs")) {
            assertThat(session.dialog().next())
                    .isInstanceOfSatisfying(
                            HelperLine.Message.class,
                            message ->
                                    assertThat(Integer.parseInt(message.text()))
                                            .isNotEqualTo(ownProcessGroup()));
        }
    }

    private static int ownProcessGroup() {
        String stat = KernelFile.text(null, "/proc/self/stat");
        return Integer.parseInt(stat.substring(stat.lastIndexOf(')') + 2).split(" ", 4)[2]);
    }

    private Path program(String script) throws IOException {
        Path program = folder.resolve("program.sh");
        Files.writeString(program, "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        return program;
    }
}
