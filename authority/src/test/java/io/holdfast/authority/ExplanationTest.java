package io.holdfast.authority;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.AgentChannel.End;
import io.holdfast.authority.client.Authority;
import io.holdfast.authority.client.Decision;
import io.holdfast.authority.client.Explanation.Step;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.subject.Subject.Origin;
import io.holdfast.authority.subject.UnitLookup.ProcessUnit;
import io.holdfast.authority.varlink.AuthorityInterface;
import io.holdfast.core.Feature;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.ScratchCgroup;
import io.holdfast.varlink.client.Reply;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests that an explanation has the subject, the rule and its place, and unused authorizations. */
@Timeout(60)
@Needs(root = true)
class ExplanationTest {
    private static final long USER = 20001;
    private static final long ADMINISTRATOR = 20002;
    private static final Caller ROOT = new Caller("root", 0, Optional.empty());

    private static final String RULES =
            """
            // the first line
            polkit.addRule(function(action, subject) {
                return subject.system_unit == "other.service" ? "yes" : undefined;
            });
            polkit.addRule(function(action, subject) { if (action.id == "a.ruled") return "no"; });
            """;

    @TempDir Path folder;
    private final TestAgent agent = new TestAgent();
    private PolicyFolders folders;
    private AuthorityEngine engine;
    private ForeignParent parent;
    private int process;

    @BeforeEach
    void open() throws IOException {
        folders =
                new PolicyFolders(folder)
                        .action("a.ruled", "yes")
                        .action("a.self", "auth_self_keep")
                        .action("a.admin", "auth_admin_keep")
                        .rules("50.rules", RULES)
                        .rules("60.rules", administrator(ADMINISTRATOR));
        engine = open(folders.options());
        parent = ForeignParent.start();
        process = parent.child("subject", "uid=" + USER);
    }

    @AfterEach
    void close() {
        engine.close();
        parent.close();
    }

    private static AuthorityEngine open(AuthorityOptions options) throws IOException {
        return AuthorityEngine.open(
                options.withUnits(_ -> Optional.of(new ProcessUnit("some.service", false))));
    }

    private static String administrator(long uid) {
        return "polkit.addAdminRule(function() { return ['unix-user:%d']; });".formatted(uid);
    }

    private static Subject.UnixProcess subject(int pid, Origin origin) {
        return new Subject.UnixProcess(PidFd.open(pid), USER, origin, Optional.empty());
    }

    private Decision ask(Subject subject, String action) {
        return engine.check(CheckRequest.of(subject, action, Map.of())).join();
    }

    private static List<Step> steps(Decision decision) {
        return decision.explanation().orElseThrow().steps();
    }

    private static List<Step> steps(Decision decision, String topic) {
        return steps(decision).stream().filter(step -> step.topic().equals(topic)).toList();
    }

    private void authenticate(String action, long as) throws Exception {
        engine.agents()
                .register(ROOT, subject(process, Origin.DESCRIPTOR), "C", "/agent", false, agent)
                .join();
        CompletableFuture<Decision> answer =
                engine.check(
                        new CheckRequest(
                                ROOT,
                                subject(process, Origin.DESCRIPTOR),
                                action,
                                Map.of(),
                                true,
                                false,
                                ""));
        TestAgent.Dialog dialog = agent.take();
        engine.agents()
                .respond(ROOT, dialog.cookie(), as, OptionalLong.of(USER), Optional.empty())
                .join();
        dialog.end(End.COMPLETED);
        assertThat(answer.join().isAuthorized()).isTrue();
        assertThat(steps(answer.join(), "dialog"))
                .singleElement()
                .satisfies(step ->
                        assertThat(step.text()).startsWith("user " + as + " has authenticated"));
    }

    // ---- rules

    @Test
    void theRulesThatWereAskedAreNamedByFileAndLine() {
        Path file = folder.resolve("rules.d/50.rules");
        Decision no = ask(subject(process, Origin.DESCRIPTOR), "a.ruled");

        assertThat(no.isAuthorized()).isFalse();
        assertThat(steps(no, "rule"))
                .map(Step::place)
                .as("one without an answer, then the one that decides")
                .containsExactly(file + ":2", file + ":5");
        assertThat(steps(no, "rule").getLast().text()).contains("no");
        assertThat(steps(no).getLast()).isEqualTo(new Step("answer", "not authorized", ""));
        assertThat(steps(no, "action"))
                .singleElement()
                .satisfies(step ->
                        assertThat(step.place())
                                .startsWith(folder.resolve("actions/a.ruled.policy") + ":"));
    }

    // ---- temporary authorizations

    @Test
    void whatIsKeptForAnotherProcessIsNamedWithWhyItDoesNotServe() throws Exception {
        authenticate("a.self", USER);
        assertThat(steps(ask(subject(process, Origin.NUMBER), "a.self"), "temporary authorization"))
                .singleElement()
                .satisfies(step -> assertThat(step.text()).startsWith("tmpauthz1, expires "));

        int sibling = parent.child("sibling", "uid=" + USER);
        Decision refused = ask(subject(sibling, Origin.DESCRIPTOR), "a.self");
        assertThat(refused.isChallenge()).isTrue();
        assertThat(steps(refused, "temporary authorization"))
                .map(Step::text)
                .containsExactly("tmpauthz1 is of another process, not on one terminal with it");
        assertThat(steps(refused).getLast().text())
                .isEqualTo("authentication required (auth_self_keep)");
        assertThat(steps(ask(subject(sibling, Origin.NUMBER), "a.self"), "temporary authorization"))
                .map(Step::text)
                .containsExactly("tmpauthz1 is of another process");
        assertThat(steps(ask(subject(sibling, Origin.DESCRIPTOR), "a.admin")))
                .as("of another action")
                .noneMatch(step -> step.topic().equals("temporary authorization"));
    }

    @Test
    void whatAnAdministratorGaveIsNamedWithWhyItIsVoid() throws Exception {
        authenticate("a.admin", ADMINISTRATOR);
        assertThat(
                        steps(
                                ask(subject(process, Origin.DESCRIPTOR), "a.admin"),
                                "temporary authorization"))
                .map(Step::text)
                .anyMatch(text -> text.startsWith("tmpauthz1 by user 20002, expires "));

        folders.rules("60.rules", administrator(USER));
        engine.reload();
        Decision refused = ask(subject(process, Origin.DESCRIPTOR), "a.admin");
        assertThat(refused.isChallenge()).isTrue();
        assertThat(steps(refused, "temporary authorization"))
                .map(Step::text)
                .containsExactly(
                        "administrators are users [20001]",
                        "tmpauthz1 is revoked: user 20002 is no longer an administrator");
        assertThat(steps(refused, "admin rule"))
                .singleElement()
                .satisfies(step ->
                        assertThat(step.place())
                                .isEqualTo(folder.resolve("rules.d/60.rules") + ":1"));
    }

    // ---- the subject

    @Test
    @Needs(root = true, cgroup2 = true)
    void theSubjectIsToldFromItsProcessToItsUnitAndSession() throws Exception {
        folders.display(USER, "77", "", "active").rules("50.rules", "");
        try (ScratchCgroup scratch = ScratchCgroup.create();
                Cgroup scope = scratch.cgroup().create("session-77.scope");
                PidFd held = PidFd.open(process);
                AuthorityEngine other = open(folders.options(scratch.cgroup().path()));
                Authority authority = EmbeddedAuthority.of(other)) {
            scope.attach(held);
            String name = held + " of user 20001, held by a pidfd that was passed, user 20001";
            Decision explained =
                    authority
                            .check(held, USER, "a.ruled", Map.of(), Authority.Option.EXPLAIN)
                            .join();
            assertThat(steps(explained).getFirst())
                    .isEqualTo(
                            new Step(
                                    "subject", name + ", in unit some.service, of session 77", ""));
            assertThat(steps(explained).get(1))
                    .isEqualTo(new Step("caller", "the program itself", ""));
            assertThat(authority.check(held, USER, "a.ruled", Map.of()).join().explanation())
                    .as("nobody has asked for it")
                    .isEmpty();

            CheckRequest plain =
                    CheckRequest.of(
                            new Subject.UnixProcess(
                                    held.duplicate(), USER, Origin.DESCRIPTOR, Optional.empty()),
                            "a.ruled",
                            Map.of());
            assertThat(steps(other.check(plain).join()).getFirst().text())
                    .as("of the log, where no rule has asked for more")
                    .isEqualTo(name);
        }
    }

    // ---- access to explanations

    private static final String ASK =
            "use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die $!;"
                    + " $s->print($ARGV[1] . qq{\\0}); $/ = qq{\\0}; print scalar <$s>";

    private static String askAs(long uid, Path socket, String call) throws Exception {
        try (Child child =
                Spawn.of("setpriv", "--reuid=" + uid, "--regid=" + uid, "--clear-groups")
                        .arguments(List.of("perl", "-e", ASK, socket.toString(), call))
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.pipe())
                        .start()) {
            return new String(child.stdout().readAllBytes(), UTF_8);
        }
    }

    @Test
    @Needs(
            root = true,
            features = Feature.PEER_PIDFD,
            programs = {"setpriv", "perl"})
    void itIsForRootAloneAndOnVarlinkTheSame() throws Exception {
        Path socket = folder.resolve("socket");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        try (AuthorityInterface face = AuthorityInterface.of(engine);
                PidFd held = PidFd.open(process)) {
            face.server().listen(UnixAddress.path(socket));
            Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rwxrwxrwx"));
            String call =
                    "{\"method\":\"%s.Check\",\"parameters\":{\"action\":\"a.ruled\",\"explain\":true,\"always\":true}}"
                            .formatted(Authority.VARLINK_INTERFACE);
            assertThat(askAs(USER, socket, call))
                    .contains("\"isAuthorized\":false")
                    .doesNotContain("explanation", "50.rules");
            assertThat(askAs(0, socket, call))
                    .contains("\"isAuthorized\":false", "\"explanation\":[{", "50.rules:5");

            List<Step> embedded =
                    steps(
                            EmbeddedAuthority.of(engine)
                                    .check(
                                            held,
                                            USER,
                                            "a.ruled",
                                            Map.of(),
                                            Authority.Option.EXPLAIN)
                                    .join());
            assertThat(varlinkSteps(socket, held))
                    .filteredOn(step -> !step.topic().equals("caller"))
                    .containsExactlyElementsOf(
                            embedded.stream()
                                    .filter(step -> !step.topic().equals("caller"))
                                    .toList());
        }
    }

    /** Reads the explanation from the JSON reply. */
    private static List<Step> varlinkSteps(Path socket, PidFd subject) {
        List<Step> steps = new ArrayList<>();
        JsonObject question =
                JsonObject.builder()
                        .put("action", "a.ruled")
                        .put("subject", 0)
                        .put("uid", USER)
                        .put("explain", true)
                        .build();
        try (VarlinkClient client = VarlinkClient.connect(socket.toString());
                Reply reply =
                        client.call(
                                Authority.VARLINK_INTERFACE + ".Check",
                                question,
                                Duration.ofSeconds(60),
                                List.of(subject.fd()))) {
            for (var each : reply.parameters().array("explanation")) {
                JsonObject step = (JsonObject) each;
                assertThat(List.of("topic", "text", "place")).containsAll(step.fields().keySet());
                steps.add(
                        new Step(
                                step.string("topic"),
                                step.string("text"),
                                step.optionalString("place").orElse("")));
            }
        }
        return steps;
    }
}
