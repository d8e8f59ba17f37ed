package io.holdfast.cli.permission;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.AgentChannel;
import io.holdfast.authority.AgentChannel.End;
import io.holdfast.authority.AuthorityEngine;
import io.holdfast.authority.AuthorityOptions;
import io.holdfast.authority.Caller;
import io.holdfast.authority.polkit1.BusPresence;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.subject.Subject.Origin;
import io.holdfast.authority.varlink.AuthorityInterface;
import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.cli.Invocation;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.core.Feature;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.address.BusAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests the output and exit codes of {@code check} with a running authority. */
@Timeout(60)
@Needs(root = true, features = Feature.PEER_PIDFD)
class CheckCommandTest {
    private static final long USER = 20001;
    private static final Caller ROOT = new Caller("root", 0, Optional.empty());
    private static final String SELF = Long.toString(ProcessHandle.current().pid());

    private static final String RULES =
            """
            polkit.addRule(function(action, subject) {
                if (action.id == "org.example.ruled") {
                    return action.lookup("verb") == "start" ? "yes" : "no";
                }
            });
            """;

    @TempDir private Path folder;
    private AuthorityEngine engine;
    private AuthorityInterface face;
    private ForeignParent parent;
    private PidFd process;
    private String authority;

    @BeforeEach
    void open() throws IOException {
        Path actions = Files.createDirectory(folder.resolve("actions"));
        Path rules = Files.createDirectory(folder.resolve("rules.d"));
        for (String word : List.of("yes", "no", "auth_self", "auth_self_keep", "ruled")) {
            Files.writeString(
                    actions.resolve(word + ".policy"),
                    """
                    <policyconfig><action id="org.example.%s"><message>Do it?</message>
                    <defaults><allow_any>%s</allow_any><allow_inactive>%2$s</allow_inactive>
                    <allow_active>%2$s</allow_active></defaults></action></policyconfig>
                    """
                            .formatted(word, word.equals("ruled") ? "yes" : word));
        }
        Files.writeString(rules.resolve("50.rules"), RULES);
        engine =
                AuthorityEngine.open(
                        AuthorityOptions.standard()
                                .withActionFolders(List.of(actions))
                                .withRuleFolders(List.of(rules)));
        face = AuthorityInterface.of(engine);
        Path socket = folder.resolve("socket");
        face.server().listen(UnixAddress.path(socket));
        authority = "unix:" + socket;
        parent = ForeignParent.start();
        process = parent.held("subject", "uid=" + USER);
    }

    @AfterEach
    void close() {
        process.close();
        parent.close();
        face.close();
        engine.close();
    }

    private Invocation check(String action, String... more) {
        return Invocation.of(
                Stream.concat(
                                Stream.of("check", "org.example." + action),
                                Stream.concat(Stream.of("--authority", authority), Stream.of(more)))
                        .toArray(String[]::new));
    }

    private Invocation checkUser(String action, String... more) {
        return check(
                action,
                Stream.concat(
                                Stream.of("--process", "" + process.pid(), "--uid", "" + USER),
                                Stream.of(more))
                        .toArray(String[]::new));
    }

    private static Invocation said(int code, String line) {
        return new Invocation(code, line + "\n", "");
    }

    @Test
    void theExitCodeTellsYesNoAndWhatNeedsAnAuthentication() {
        assertThat(checkUser("yes")).isEqualTo(said(0, "org.example.yes: yes"));
        assertThat(checkUser("no")).isEqualTo(said(1, "org.example.no: no"));
        Invocation challenge = checkUser("auth_self");
        assertThat(challenge.code()).isEqualTo(3);
        assertThat(challenge.err()).isEmpty();
        assertThat(challenge.out())
                .isEqualTo(
                        """
                        org.example.auth_self: authentication required (auth_self)
                          polkit.result = auth_self
                        """);
    }

    /**
     * A process does not show for which user it acts, because it may have executed a set-uid
     * program.
     */
    @Test
    void aProcessIsNotAskedAboutWithoutItsUser() {
        Invocation without = check("yes", "--process", "" + process.pid());
        assertThat(without.code()).isEqualTo(ExitCode.USAGE);
        assertThat(without.out()).isEmpty();
        assertThat(without.err())
                .contains("--process needs --uid", "set-uid program", "(--uid " + USER + ")")
                .hasLineCount(1);
        Invocation claimed = check("yes", "--process", "" + process.pid(), "--uid", "0");
        assertThat(claimed.code()).as("root's word about the user counts").isZero();
        for (String wrong : List.of("-1", "4294967295", "root", "99999999999")) {
            Invocation refused = check("yes", "--process", SELF, "--uid", wrong);
            assertThat(refused.code()).isEqualTo(ExitCode.USAGE);
            assertThat(refused.err()).contains("not a uid: '" + wrong + "'");
        }
        Invocation alone = check("yes", "--uid", "0");
        assertThat(alone.code()).isEqualTo(ExitCode.USAGE);
        assertThat(alone.err()).contains("--uid needs --process");
    }

    @Test
    void anActionThatIsUnknownIsSaidInOneLine() {
        Invocation unknown = checkUser("unknown");
        assertThat(unknown.code()).as("no answer is not no").isEqualTo(CheckCommand.NO_ANSWER);
        assertThat(unknown.out()).isEmpty();
        assertThat(unknown.err())
                .hasLineCount(1)
                .contains("Action org.example.unknown is not registered");
    }

    @Test
    void detailsReachTheRules() {
        assertThat(checkUser("ruled", "--detail", "verb=start", "--detail", "unit=a=b").out())
                .isEqualTo(
                        """
                        org.example.ruled: yes
                          polkit.result = yes
                          unit = a=b
                          verb = start
                        """);
        assertThat(checkUser("ruled", "--detail", "verb=stop").code()).isEqualTo(1);
        Invocation wrong = checkUser("ruled", "--detail", "verb");
        assertThat(wrong.code()).isEqualTo(ExitCode.USAGE);
        assertThat(wrong.err()).contains("not KEY=VALUE: 'verb'").hasLineCount(1);
    }

    @Test
    void anExplanationNamesTheProcessTheRuleAndItsLine() {
        Invocation refused = checkUser("ruled", "--explain");
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.err()).isEmpty();
        List<String> lines = refused.out().lines().toList();
        assertThat(lines.getFirst()).isEqualTo("org.example.ruled: no");
        assertThat(lines.get(1))
                .startsWith("  subject: process " + process.pid() + ":")
                .contains(" of user 20001", ", user 20001", "session");
        assertThat(lines)
                .anyMatch(line ->
                        line.matches("  rule: .*no.* " + folder.resolve("rules.d/50.rules") + ":1"))
                .contains("  answer: not authorized");
        assertThat(checkUser("ruled").out()).doesNotContain("rule:", "subject");
    }

    @Test
    void jsonIsOneObjectWithTheExplanationIfThatIsWanted() {
        Invocation plain = checkUser("auth_self", "--json");
        assertThat(plain.code()).isEqualTo(3);
        assertThat(plain.out())
                .isEqualTo(
                        """
                        {"action":"org.example.auth_self","isAuthorized":false,"isChallenge":true,\
                        "details":{"polkit.result":"auth_self"}}
                        """);
        Invocation explained = checkUser("no", "--json", "--explain");
        assertThat(explained.code()).isEqualTo(1);
        assertThat(explained.out())
                .hasLineCount(1)
                .startsWith(
                        "{\"action\":\"org.example.no\",\"isAuthorized\":false,\"isChallenge\":false,"
                                + "\"details\":{},\"explanation\":[{\"topic\":\"subject\",\"text\":\"")
                .contains(
                        "{\"topic\":\"defaults\",\"text\":\"no for every session\",\"place\":\"\"}")
                .contains("\"place\":\"" + folder.resolve("actions/no.policy") + ":1\"")
                .endsWith("{\"topic\":\"answer\",\"text\":\"not authorized\",\"place\":\"\"}]}\n");
    }

    @Test
    void rootMayEverythingUnlessTheRulesAreToBeAsked() {
        assertThat(check("no", "--process", SELF, "--uid", "0", "--explain").out())
                .startsWith("org.example.no: yes\n")
                .endsWith("  answer: root may do everything\n");
        assertThat(check("no", "--process", SELF, "--uid", "0", "--always").code()).isEqualTo(1);
    }

    @Test
    void whoListensOnASocketIsAskedAbout() throws Exception {
        Path path = folder.resolve("peer");
        try (UnixListener _ = UnixListener.listen(UnixAddress.path(path), SocketType.STREAM, 8)) {
            Invocation peer = check("no", "--peer", path.toString(), "--always", "--explain");
            assertThat(peer.code()).isEqualTo(1);
            assertThat(peer.out()).contains("\n  subject: process " + SELF + ":");
        }
        Invocation both = checkUser("no", "--peer", path.toString());
        assertThat(both.code()).isEqualTo(ExitCode.USAGE);
        assertThat(both.err()).contains("exclude each other").hasLineCount(1);
    }

    /** Replies on the bus have no explanation; an authority given with --authority explains. */
    @Test
    void whoHasABusNameIsAskedAboutAndExplainedOverVarlink() throws Exception {
        String address = "unix:path=" + folder.resolve("bus");
        BusAddress parsed = BusAddress.parse(address);
        try (Bus bus = Bus.open(parsed, BusConfig.permissive());
                BusPresence presence = BusPresence.on(List.of(parsed), false);
                BusConnection client = BusConnection.connect(address)) {
            assertThat(bus.addresses()).hasSize(1);
            presence.serve(engine, () -> {});
            String[] who = {"--bus", address, "--bus-name", client.uniqueName(), "--explain"};

            Invocation overBus =
                    Invocation.of(
                            Stream.concat(Stream.of("check", "org.example.no"), Stream.of(who))
                                    .toArray(String[]::new));
            assertThat(overBus.code()).isZero();
            assertThat(overBus.out()).isEqualTo("org.example.no: yes\n");
            assertThat(overBus.err())
                    .hasLineCount(1)
                    .contains("no explanation: ", "on the bus", "--authority");

            Invocation overVarlink = check("no", who);
            assertThat(overVarlink.code()).isZero();
            assertThat(overVarlink.err()).isEmpty();
            assertThat(overVarlink.out())
                    .contains("\n  subject: process " + SELF + ":")
                    .endsWith("  answer: root may do everything\n");
        }
    }

    /** Uses the rules and actions of the machine, but its checks do not depend on them. */
    @Test
    @Needs(
            root = true,
            features = Feature.PEER_PIDFD,
            programs = {"pkexec"})
    void itDecidesHereWithoutADaemon() {
        String action = "org.freedesktop.policykit.exec";
        Invocation here =
                Invocation.of(
                        "check", action, "--here", "--explain", "--process", SELF, "--uid", "0");
        assertThat(here.code()).isZero();
        assertThat(here.out())
                .startsWith(action + ": yes\n  subject: process " + SELF + ":")
                .contains("  caller: the program itself\n", " /usr/share/polkit-1/actions/")
                .endsWith("  answer: root may do everything\n");
        assertThat(Invocation.of("check", action, "--here", "--process", SELF, "--uid", "0"))
                .as("nobody has asked why")
                .isEqualTo(said(0, action + ": yes"));
        assertThat(
                        Invocation.of(
                                "check",
                                "org.example.unknown",
                                "--here",
                                "--process",
                                SELF,
                                "--uid",
                                "0"))
                .satisfies(unknown -> assertThat(unknown.code()).isEqualTo(4))
                .satisfies(unknown -> assertThat(unknown.err()).contains("not registered"));
    }

    // ---- with an agent

    /** An agent that gives an answer that is set beforehand. */
    private final class Agent implements AgentChannel {
        final BlockingQueue<Request> requests = new LinkedBlockingQueue<>();
        private final boolean authenticates;

        Agent(boolean authenticates) {
            this.authenticates = authenticates;
        }

        @Override
        public CompletableFuture<End> begin(Request request) {
            requests.add(request);
            return authenticates
                    ? engine.agents()
                            .respond(
                                    ROOT,
                                    request.cookie(),
                                    USER,
                                    OptionalLong.of(USER),
                                    Optional.empty())
                            .thenApply(_ -> End.COMPLETED)
                    : CompletableFuture.completedFuture(End.DISMISSED);
        }

        @Override
        public void cancel(String cookie) {}

        void register() {
            Subject scope =
                    new Subject.UnixProcess(
                            process.duplicate(), USER, Origin.DESCRIPTOR, Optional.empty());
            engine.agents().register(ROOT, scope, "C", "/agent", false, this).join();
        }
    }

    @Test
    void anAgentIsAskedOnlyIfThatIsWanted() {
        assertThat(checkUser("auth_self", "--interactive").code()).as("no agent").isEqualTo(3);
        Agent agent = new Agent(true);
        agent.register();
        assertThat(checkUser("auth_self").code()).isEqualTo(3);
        assertThat(agent.requests).isEmpty();

        Invocation authenticated = checkUser("auth_self", "--interactive", "--explain");
        assertThat(agent.requests).hasSize(1);
        assertThat(authenticated.code()).isZero();
        assertThat(authenticated.out())
                .startsWith("org.example.auth_self: yes\n")
                .contains("  dialog: user 20001 has authenticated, reported by a helper that ")
                .contains("  answer: authorized: user 20001 has authenticated, reported by a ");
    }

    @Test
    void whoDismissesTheAgentIsRefused() {
        new Agent(false).register();
        Invocation dismissed = checkUser("auth_self", "--interactive");
        assertThat(dismissed.code()).isEqualTo(1);
        assertThat(dismissed.out())
                .startsWith("org.example.auth_self: no\n")
                .contains("  polkit.dismissed = true\n");
    }

    private Invocation authorizations(String... more) {
        return Invocation.of(
                Stream.concat(
                                Stream.of("authorizations", "--authority", authority),
                                Stream.of(more))
                        .toArray(String[]::new));
    }

    @Test
    void whatIsKeptIsListedAndRevokedAndTheExplanationTellsIt() {
        assertThat(authorizations()).isEqualTo(new Invocation(0, "", ""));
        new Agent(true).register();
        assertThat(checkUser("auth_self_keep", "--interactive").code()).isZero();
        assertThat(checkUser("auth_self_keep").code()).as("without being asked again").isZero();

        Invocation listed = authorizations();
        assertThat(listed.code()).isZero();
        assertThat(listed.out())
                .hasLineCount(1)
                .startsWith("tmpauthz1  org.example.auth_self_keep  process " + process.pid() + ":")
                .contains("  20001", "until ");
        assertThat(authorizations("--json").out()).contains("\"uid\":" + USER);

        Invocation unknown = authorizations("--revoke", "tmpauthz7");
        assertThat(unknown.code()).isEqualTo(1);
        assertThat(unknown.err()).contains("tmpauthz7").hasLineCount(1);
        assertThat(authorizations("--revoke", "tmpauthz1")).isEqualTo(new Invocation(0, "", ""));
        assertThat(authorizations().out()).isEmpty();
        Invocation explained = checkUser("auth_self_keep", "--explain");
        assertThat(explained.code()).isEqualTo(3);
        assertThat(explained.out())
                .contains("temporary authorization: tmpauthz1 is revoked, since 0 s");

        assertThat(checkUser("auth_self_keep", "--interactive").code()).isZero();
        assertThat(authorizations("--revoke-all")).isEqualTo(new Invocation(0, "", ""));
        assertThat(authorizations().out()).isEmpty();
        assertThat(authorizations("--revoke-all", "--revoke", "x").code())
                .isEqualTo(ExitCode.USAGE);
    }

    @Test
    void actionsAreListedWithTheirDefaults() {
        Invocation all = Invocation.of("actions", "--authority", authority);
        assertThat(all.code()).isZero();
        assertThat(all.out().lines())
                .containsExactly(
                        "org.example.auth_self  auth_self",
                        "org.example.auth_self_keep  auth_self_keep",
                        "org.example.no  no",
                        "org.example.ruled  yes",
                        "org.example.yes  yes");
        Invocation some =
                Invocation.of("actions", "--authority", authority, "*.yes", "org.example.n*");
        assertThat(some.out()).contains("org.example.no", "org.example.yes").hasLineCount(2);
        assertThat(Invocation.of("actions", "--authority", authority, "--json", "*.no").out())
                .contains("\"allowActive\":\"no\"")
                .hasLineCount(1);
        assertThat(Invocation.of("actions", "--authority", authority, "nothing").code())
                .isEqualTo(1);
    }
}
