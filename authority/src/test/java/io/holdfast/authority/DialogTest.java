package io.holdfast.authority;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.authority.AgentChannel.End;
import io.holdfast.authority.client.Decision;
import io.holdfast.authority.subject.Identity;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.subject.Subject.Origin;
import io.holdfast.authority.temporary.TemporaryAuthorization;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.core.testkit.ScratchCgroup;
import io.holdfast.core.testkit.SetuidPeer;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests agents, their dialogs, and the temporary authorizations that result. */
@Timeout(120)
@Needs(root = true)
class DialogTest {
    private static final long USER = 20001;
    private static final long OTHER = 20002;
    private static final int RECYCLINGS = 100;
    private static final Caller ROOT = new Caller("root", 0, Optional.empty());

    @TempDir Path folder;
    private final TestAgent agent = new TestAgent();
    private PolicyFolders folders;
    private AuthorityEngine engine;
    private ForeignParent parent;
    private int process;
    private OpenDescriptors before;

    @BeforeEach
    void open() throws IOException {
        before = OpenDescriptors.now();
        folders = new PolicyFolders(folder);
        folders.action("a.self", "auth_self");
        folders.action("a.keep", "auth_self_keep");
        folders.action("a.other", "auth_self_keep");
        folders.action("a.admin", "auth_admin_keep");
        folders.rules("50.rules", administrator(OTHER));
        engine = AuthorityEngine.open(folders.options());
        parent = ForeignParent.start();
        process = parent.child("subject", "uid=" + USER);
    }

    private static String administrator(long uid) {
        return "polkit.addAdminRule(function() { return ['unix-user:%d']; });".formatted(uid);
    }

    @AfterEach
    void close() {
        engine.close();
        parent.close();
        before.awaitSameNumber();
    }

    private Subject.UnixProcess subject() {
        return subject(process, USER, Origin.DESCRIPTOR);
    }

    private static Subject.UnixProcess subject(int pid, long uid, Origin origin) {
        return new Subject.UnixProcess(PidFd.open(pid), uid, origin, Optional.empty());
    }

    private void register() {
        engine.agents().register(ROOT, subject(), "C", "/agent", false, agent).join();
    }

    private CompletableFuture<Decision> ask(String action) {
        return ask(ROOT, subject(), action);
    }

    private CompletableFuture<Decision> ask(Caller caller, Subject subject, String action) {
        return engine.check(new CheckRequest(caller, subject, action, Map.of(), true, false, ""));
    }

    private Decision quietly(Subject subject, String action) {
        return engine.check(CheckRequest.of(subject, action, Map.of())).join();
    }

    private CompletableFuture<Void> respond(Caller caller, String cookie, long user) {
        return engine.agents()
                .respond(caller, cookie, user, OptionalLong.of(USER), Optional.empty());
    }

    /** Checks an action, and authenticates the subject's own user in the dialog. */
    private Decision authenticated(String action) throws Exception {
        CompletableFuture<Decision> answer = ask(action);
        TestAgent.Dialog dialog = agent.take();
        respond(ROOT, dialog.cookie(), USER).join();
        dialog.end(End.COMPLETED);
        return answer.join();
    }

    private static void assertNothing(Decision decision) {
        assertThat(decision.isAuthorized()).isFalse();
        assertThat(decision.isChallenge()).isFalse();
    }

    @Test
    void whoHasAuthenticatedMay() throws Exception {
        register();
        Decision yes = authenticated("a.self");
        assertThat(yes.isAuthorized()).isTrue();
        assertThat(yes.details()).doesNotContainKey("polkit.temporary_authorization_id");
        assertThat(quietly(subject(), "a.self").isChallenge()).as("asked anew").isTrue();
    }

    @Test
    void theSuccessOfAnAgentAloneGivesNothing() throws Exception {
        register();
        CompletableFuture<Decision> answer = ask("a.keep");
        agent.take().end(End.COMPLETED);
        assertNothing(answer.join());
        assertThat(quietly(subject(), "a.keep").isChallenge()).isTrue();
    }

    @Test
    void theAnswerOfTheHelperGivesNothingIfTheAgentFails() throws Exception {
        register();
        for (End end : List.of(End.FAILED, End.DISMISSED)) {
            CompletableFuture<Decision> answer = ask("a.keep");
            TestAgent.Dialog dialog = agent.take();
            respond(ROOT, dialog.cookie(), USER).join();
            dialog.end(end);
            assertNothing(answer.join());
            assertThat(answer.join().details().containsKey("polkit.dismissed"))
                    .isEqualTo(end == End.DISMISSED);
        }
        assertThat(quietly(subject(), "a.keep").isChallenge()).isTrue();
    }

    @Test
    void onlyTheHelperOfThatAgentIsBelieved() throws Exception {
        register();
        CompletableFuture<Decision> answer = ask("a.self");
        TestAgent.Dialog dialog = agent.take();
        String cookie = dialog.cookie();
        assertFails(respond(ROOT, cookie, OTHER), "was not offered");
        assertFails(respond(ROOT, cookie + "0", USER), "No session for cookie");
        assertFails(respond(ROOT, cookie.substring(1), USER), "No session for cookie");
        assertFails(respond(ROOT, "", USER), "No session for cookie");
        assertFails(
                engine.agents()
                        .respond(ROOT, cookie, USER, OptionalLong.of(OTHER), Optional.empty()),
                "No session for cookie");
        assertFails(
                respond(new Caller("user", USER, Optional.empty()), cookie, USER), "Only uid 0");
        dialog.end(End.COMPLETED);
        assertNothing(answer.join());
        assertFails(respond(ROOT, cookie, USER), "No session for cookie");
    }

    @Test
    void theHelperMustHaveSpokenWithTheAgentItself() throws Exception {
        int agentProcess = parent.child("agent", "uid=" + USER);
        Subject.UnixProcess held = subject(agentProcess, USER, Origin.BUS);
        Caller registering = new Caller("agent", USER, Optional.of(held));
        engine.agents().register(registering, subject(), "C", "/agent", false, agent).join();
        CompletableFuture<Decision> answer = ask("a.self");
        TestAgent.Dialog dialog = agent.take();
        assertFails(
                engine.agents()
                        .respond(
                                ROOT,
                                dialog.cookie(),
                                USER,
                                OptionalLong.of(USER),
                                Optional.of(subject())),
                "No session for cookie");
        engine.agents()
                .respond(ROOT, dialog.cookie(), USER, OptionalLong.of(USER), Optional.of(held))
                .join();
        dialog.end(End.COMPLETED);
        assertThat(answer.join().isAuthorized()).isTrue();
    }

    /** See polkit, issue 597. */
    @Test
    void theMessageIsInTheLanguageOfTheAgent() throws Exception {
        folders.policyFile(
                "a.german.policy",
                """
                <policyconfig><action id="a.german"><description>what</description>
                <message>Really?</message><message xml:lang="de">Wirklich?</message>
                <defaults><allow_any>auth_self</allow_any></defaults></action></policyconfig>
                """);
        engine.reload();
        engine.agents().register(ROOT, subject(), "de_DE.UTF-8", "/agent", false, agent).join();
        CompletableFuture<Decision> answer = ask("a.german");
        TestAgent.Dialog dialog = agent.take();
        assertThat(dialog.request().message()).isEqualTo("Wirklich?");
        dialog.end(End.DISMISSED);
        assertNothing(answer.join());
    }

    /** Users from 2 to the 31 on: see CVE-2018-19788. */
    @Test
    @Needs(root = true)
    void aUserBeyondTwoToThe31AuthenticatesAsAnyOther() throws Exception {
        long high = 4_000_000_000L;
        int highProcess = parent.child("high", "uid=" + high);
        Subject.UnixProcess highSubject = subject(highProcess, high, Origin.DESCRIPTOR);
        assertThat(quietly(highSubject.duplicate(), "a.self").isChallenge()).isTrue();
        engine.agents().register(ROOT, highSubject.duplicate(), "C", "/agent", false, agent).join();
        CompletableFuture<Decision> answer = ask(ROOT, highSubject, "a.self");
        TestAgent.Dialog dialog = agent.take();
        assertThat(dialog.request().identities())
                .containsExactly(new Identity.User(Long.toString(high)));
        OptionalLong user = OptionalLong.of(high);
        assertFails(
                engine.agents().respond(ROOT, dialog.cookie(), USER, user, Optional.empty()),
                "was not offered");
        engine.agents().respond(ROOT, dialog.cookie(), high, user, Optional.empty()).join();
        dialog.end(End.COMPLETED);
        assertThat(answer.join().isAuthorized()).isTrue();
    }

    /** The helper of polkit 127 reports the agent in pkexec in this way (polkit, issue 686). */
    @Test
    @Needs(root = true)
    void aHelperThatSawTheEffectiveUserOfASetUidAgentIsBelieved() throws Exception {
        int setUid = parent.child("set-uid", "uid=" + USER, "euid=0");
        try (Subject.UnixProcess connected = subject(setUid, 0, Origin.PEER)) {
            Caller registering = new Caller("agent", 0, Optional.of(connected));
            engine.agents().register(registering, subject(), "C", "/agent", false, agent).join();
        }
        CompletableFuture<Decision> answer = ask("a.self");
        TestAgent.Dialog dialog = agent.take();
        Subject.UnixProcess seen = subject(setUid, 0, Origin.NUMBER);
        assertFails(
                engine.agents()
                        .respond(ROOT, dialog.cookie(), USER, OptionalLong.of(0), Optional.empty()),
                "No session for cookie");
        engine.agents()
                .respond(ROOT, dialog.cookie(), USER, OptionalLong.of(0), Optional.of(seen))
                .join();
        dialog.end(End.COMPLETED);
        assertThat(answer.join().isAuthorized()).isTrue();
    }

    private static void assertFails(CompletableFuture<?> future, String why) {
        assertThatThrownBy(future::join)
                .hasCauseInstanceOf(AuthorityException.class)
                .hasMessageContaining(why);
    }

    @Test
    void aSubjectHasOneAgentWhichAUserRegistersForHimselfOnly() {
        Caller user = new Caller("user", USER, Optional.empty());
        Caller stranger = new Caller("stranger", OTHER, Optional.empty());
        assertFails(
                engine.agents().register(stranger, subject(), "C", "/a", false, agent), "differs");
        assertFails(
                engine.agents()
                        .register(
                                stranger,
                                subject(process, OTHER, Origin.DESCRIPTOR),
                                "C",
                                "/a",
                                false,
                                agent),
                "differs");
        engine.agents().register(user, subject(), "C", "/a", false, agent).join();
        assertFails(engine.agents().register(ROOT, subject(), "C", "/a", false, agent), "already");
        assertFails(engine.agents().unregister(user, subject(), "/b"), "No such agent");
        assertFails(engine.agents().unregister(stranger, subject(), "/a"), "No such agent");
        engine.agents().unregister(user, subject(), "/a").join();
        assertFails(engine.agents().unregister(user, subject(), "/a"), "No such agent");
    }

    @Test
    void theEndOfAnAgentOrOfASubjectEndsTheDialog() throws Exception {
        register();
        CompletableFuture<Decision> first = ask("a.keep");
        String cookie = agent.take().cookie();
        engine.disconnected("root");
        assertThatThrownBy(first::join).hasMessageContaining("cancelled");
        assertThat(agent.takeCancelled()).isEqualTo(cookie);

        register();
        CompletableFuture<Decision> second =
                ask(new Caller("asker", 0, Optional.empty()), subject(), "a.keep");
        var _ = agent.take();
        engine.disconnected("root");
        assertNothing(second.join());

        register();
        CompletableFuture<Decision> third = ask("a.keep");
        var _ = agent.take();
        assertThat(parent.kill(process, Signal.KILL)).isTrue();
        assertNothing(third.join());
    }

    @Test
    void theEndOfTheConnectionThatIsAskedAboutEndsTheDialog() throws Exception {
        register();
        Subject name = new Subject.BusName(":1.77", USER, Optional.of(subject()));
        CompletableFuture<Decision> answer = ask(ROOT, name, "a.keep");
        var _ = agent.take();
        assertThat(engine.connections()).contains(":1.77");
        engine.disconnected(":1.77");
        assertNothing(answer.join());
    }

    @Test
    void anotherAgentDisturbsNoDialog() throws Exception {
        register();
        CompletableFuture<Decision> answer = ask("a.self");
        TestAgent.Dialog dialog = agent.take();
        int other = parent.child("other", "uid=" + USER);
        Caller another = new Caller("another", 0, Optional.empty());
        Subject scope = subject(other, USER, Origin.DESCRIPTOR);
        engine.agents().register(another, scope, "C", "/agent", false, new TestAgent()).join();
        engine.disconnected("another");
        respond(ROOT, dialog.cookie(), USER).join();
        dialog.end(End.COMPLETED);
        assertThat(answer.join().isAuthorized()).isTrue();
    }

    @Test
    void cancelledDialogsCountUntilTheAgentHasAnsweredThem() throws Exception {
        register();
        List<TestAgent.Dialog> dialogs = new ArrayList<>();
        for (int i = 0; i < Dialogs.MAX_PER_AGENT; i++) {
            CompletableFuture<Decision> answer = ask("a.self");
            dialogs.add(agent.take());
            assertThat(answer.completeExceptionally(new IllegalStateException("gone"))).isTrue();
            var _ = agent.takeCancelled();
        }
        assertNothing(ask("a.self").join());
        assertThat(agent.wasAsked()).isFalse();
        dialogs.getFirst().end(End.FAILED);
        Await.until(() -> {
            CompletableFuture<Decision> answer = ask("a.self");
            Await.until(() -> answer.isDone() || agent.wasAsked());
            return agent.wasAsked();
        });
    }

    @Test
    void theAgentsOfAUserShareALimitOfDialogs() throws Exception {
        int agents = Dialogs.MAX_PER_USER / Dialogs.MAX_PER_AGENT;
        List<Integer> processes = new ArrayList<>(List.of(process));
        register();
        for (int i = 0; i < agents; i++) {
            int one = parent.child("subject" + i, "uid=" + USER);
            processes.add(one);
            engine.agents()
                    .register(
                            ROOT,
                            subject(one, USER, Origin.DESCRIPTOR),
                            "C",
                            "/agent",
                            false,
                            agent)
                    .join();
        }
        for (int one : processes.subList(0, agents)) {
            for (int i = 0; i < Dialogs.MAX_PER_AGENT; i++) {
                var _ = ask(ROOT, subject(one, USER, Origin.DESCRIPTOR), "a.self");
                var _ = agent.take();
            }
        }
        int last = processes.getLast();
        assertNothing(ask(ROOT, subject(last, USER, Origin.DESCRIPTOR), "a.self").join());
        assertThat(agent.wasAsked()).isFalse();
    }

    @Test
    @Needs(root = true, cgroup2 = true)
    void nobodyElseInASessionSpeaksForItsUser() throws Exception {
        folders.display(USER, "77", "", "active");
        try (ScratchCgroup scratch = ScratchCgroup.create();
                Cgroup scope = scratch.cgroup().create("session-77.scope");
                PidFd stranger = PidFd.open(parent.child("stranger", "uid=" + OTHER));
                AuthorityEngine other =
                        AuthorityEngine.open(folders.options(scratch.cgroup().path()))) {
            scope.attach(stranger);
            Caller su =
                    new Caller(
                            "su",
                            OTHER,
                            Optional.of(
                                    new Subject.UnixProcess(
                                            stranger, OTHER, Origin.PEER, Optional.empty())));
            Subject.UnixSession session = new Subject.UnixSession("77", USER);
            assertThatThrownBy(() ->
                            other.agents()
                                    .register(su, session, "C", "/agent", false, agent)
                                    .join())
                    .hasMessageContaining("differs");
            Caller own = new Caller("own", USER, su.process());
            other.agents().register(own, session, "C", "/agent", false, agent).join();
        }
    }

    /** The agents of desktops run as services of the user's own manager (polkit, issue 457). */
    @Test
    @Needs(root = true, cgroup2 = true)
    void anAgentBelowTheUsersManagerSpeaksForTheUsersDisplaySession() throws Exception {
        folders.display(USER, "78", "", "active");
        folders.display(USER, "77", "seat0", "active"); // the last one is the display session
        try (ScratchCgroup scratch = ScratchCgroup.create();
                Cgroup slice = scratch.cgroup().create("user-" + USER + ".slice");
                Cgroup manager = slice.create("user@" + USER + ".service");
                Cgroup service = manager.create("agent.service");
                PidFd inside = PidFd.open(parent.child("agent", "uid=" + USER));
                AuthorityEngine other =
                        AuthorityEngine.open(folders.options(scratch.cgroup().path()))) {
            service.attach(inside);
            Caller caller = callerBy(inside);
            Subject.UnixSession session = new Subject.UnixSession("77", USER);
            assertThatThrownBy(() ->
                            other.agents()
                                    .register(
                                            caller,
                                            new Subject.UnixSession("78", USER),
                                            "C",
                                            "/agent",
                                            false,
                                            agent)
                                    .join())
                    .hasMessageContaining("differs");
            other.agents().register(caller, session, "C", "/agent", false, agent).join();
            CompletableFuture<Decision> answer =
                    other.check(
                            new CheckRequest(
                                    ROOT,
                                    subject(inside.pid(), USER, Origin.DESCRIPTOR),
                                    "a.keep",
                                    Map.of(),
                                    true,
                                    false,
                                    ""));
            TestAgent.Dialog dialog = agent.take();
            dialog.end(End.COMPLETED);
            assertThat(answer.join().isAuthorized()).isFalse();
        }
    }

    @Test
    @Needs(root = true, cgroup2 = true)
    void aSessionListsAndRevokesWhatIsKeptInItAlone() throws Exception {
        folders.display(USER, "77", "", "active");
        folders.display(USER, "78", "", "active");
        try (ScratchCgroup scratch = ScratchCgroup.create();
                Cgroup scope = scratch.cgroup().create("session-77.scope");
                Cgroup otherScope = scratch.cgroup().create("session-78.scope");
                PidFd inside = PidFd.open(process);
                PidFd elsewhere = PidFd.open(parent.child("elsewhere", "uid=" + USER));
                AuthorityEngine other =
                        AuthorityEngine.open(folders.options(scratch.cgroup().path()))) {
            scope.attach(inside);
            otherScope.attach(elsewhere);
            Caller own = callerBy(inside);
            Subject.UnixSession session = new Subject.UnixSession("77", USER);
            other.agents().register(own, session, "C", "/agent", false, agent).join();
            CompletableFuture<Decision> answer =
                    other.check(
                            new CheckRequest(ROOT, subject(), "a.keep", Map.of(), true, false, ""));
            TestAgent.Dialog dialog = agent.take();
            other.agents()
                    .respond(ROOT, dialog.cookie(), USER, OptionalLong.of(USER), Optional.empty())
                    .join();
            dialog.end(End.COMPLETED);
            assertThat(answer.join().isAuthorized()).isTrue();
            assertThat(other.temporaryAuthorizations(own, session))
                    .map(TemporaryAuthorization::action)
                    .containsExactly("a.keep");
            Caller stranger = callerBy(elsewhere);
            assertThatThrownBy(() -> other.temporaryAuthorizations(stranger, session))
                    .hasMessageContaining("differs");
            assertThatThrownBy(() -> other.revoke(stranger, session))
                    .hasMessageContaining("differs");
            Subject.UnixSession strangers = new Subject.UnixSession("78", USER);
            assertThat(other.temporaryAuthorizations(stranger, strangers)).isEmpty();
            other.revoke(stranger, strangers).join();
            assertThat(other.temporaryAuthorizations(own, session)).hasSize(1);
            other.revoke(own, session).join();
            assertThat(other.temporaryAuthorizations(own, session)).isEmpty();
            assertThat(
                            other.check(CheckRequest.of(subject(), "a.keep", Map.of()))
                                    .join()
                                    .isChallenge())
                    .isTrue();
        }
    }

    private static Caller callerBy(PidFd process) {
        return new Caller(
                "user",
                USER,
                Optional.of(new Subject.UnixProcess(process, USER, Origin.PEER, Optional.empty())));
    }

    @Test
    void twoWhoAskAboutOneSubjectHaveADialogEachAndShareWhatIsKept() throws Exception {
        register();
        Caller second = new Caller("second", 0, Optional.empty());
        CompletableFuture<Decision> cancelled =
                engine.check(
                        new CheckRequest(
                                ROOT, subject(), "a.keep", Map.of(), true, false, "first"));
        TestAgent.Dialog first = agent.take();
        CompletableFuture<Decision> answered = ask(second, subject(), "a.keep");
        TestAgent.Dialog other = agent.take();
        CompletableFuture<Decision> third = ask(second, subject(), "a.keep");
        TestAgent.Dialog last = agent.take();
        assertThat(List.of(first.cookie(), other.cookie(), last.cookie())).doesNotHaveDuplicates();
        engine.cancel(ROOT, "first");
        assertThat(agent.takeCancelled()).isEqualTo(first.cookie());
        assertThatThrownBy(cancelled::join).hasMessageContaining("cancelled");
        assertFails(respond(ROOT, first.cookie(), USER), "");
        first.end(End.COMPLETED);
        assertThat(answered.isDone() || third.isDone()).isFalse();
        respond(ROOT, other.cookie(), USER).join();
        other.end(End.COMPLETED);
        assertThat(answered.join().isAuthorized()).isTrue();
        assertThat(quietly(subject(), "a.keep").isAuthorized()).as("kept").isTrue();
        assertThat(third).as("whose own dialog goes on").isNotDone();
        last.end(End.DISMISSED);
        assertNothing(third.join());
    }

    @Test
    void whatIsKeptIsForThisActionAndProcessAloneWhateverTheDetails() throws Exception {
        register();
        String id =
                authenticated("a.keep")
                        .details()
                        .getOrDefault("polkit.temporary_authorization_id", "");
        assertThat(id).isNotEmpty();
        assertThat(quietly(subject(), "a.keep").details())
                .containsEntry("polkit.temporary_authorization_id", id)
                .as("nobody is asked any more")
                .doesNotContainKey("polkit.retains_authorization_after_challenge");
        CheckRequest otherDetails = CheckRequest.of(subject(), "a.keep", Map.of("unit", "another"));
        assertThat(engine.check(otherDetails).join().isAuthorized()).isTrue();
        assertThat(quietly(subject(), "a.other").isAuthorized()).isFalse();
        int other = parent.child("other", "uid=" + USER);
        for (Origin origin : Origin.values()) {
            assertThat(quietly(subject(other, USER, origin), "a.keep").isAuthorized()).isFalse();
        }
        assertThat(quietly(subject(process, OTHER, Origin.DESCRIPTOR), "a.keep").isAuthorized())
                .as("for another user")
                .isFalse();
        assertFails(
                engine.revoke(new Caller("user", OTHER, Optional.empty()), id), "another user's");
        engine.revoke(new Caller("user", USER, Optional.empty()), id).join();
        assertThat(quietly(subject(), "a.keep").isAuthorized()).isFalse();
        assertFails(engine.revoke(ROOT, id), "Cannot find");
    }

    @Test
    void whatIsKeptGoesWithItsProcess() throws Exception {
        register();
        assertThat(authenticated("a.keep").isAuthorized()).isTrue();
        assertThat(engine.temporaryAuthorizations(ROOT)).hasSize(1);
        assertThat(parent.kill(process, Signal.KILL)).isTrue();
        Await.until(() -> engine.temporaryAuthorizations(ROOT).isEmpty());
    }

    @Test
    void whatIsKeptExpires() throws Exception {
        engine.close();
        engine = AuthorityEngine.open(folders.options().withTemporaryLife(Duration.ofMillis(300)));
        register();
        assertThat(authenticated("a.keep").isAuthorized()).isTrue();
        Await.until(() -> engine.temporaryAuthorizations(ROOT).isEmpty());
        assertThat(quietly(subject(), "a.keep").isChallenge()).isTrue();
    }

    @Test
    void whatAnAdministratorGaveIsVoidWhenHeIsNoneAnyMore() throws Exception {
        register();
        CompletableFuture<Decision> answer = ask("a.admin");
        TestAgent.Dialog dialog = agent.take();
        assertThat(dialog.request().identities().toString()).contains(Long.toString(OTHER));
        respond(ROOT, dialog.cookie(), OTHER).join();
        dialog.end(End.COMPLETED);
        assertThat(answer.join().isAuthorized()).isTrue();
        assertThat(quietly(subject(), "a.admin").isAuthorized()).isTrue();
        folders.rules("50.rules", administrator(USER));
        engine.reload();
        assertThat(quietly(subject(), "a.admin").isChallenge()).isTrue();
        Await.until(() -> engine.temporaryAuthorizations(ROOT).isEmpty());
    }

    @Test
    void whatAnotherAdministratorGaveServesWhenTheFirstIsNoneAnyMore() throws Exception {
        folders.rules(
                "50.rules",
                "polkit.addAdminRule(function() { return ['unix-user:%d', 'unix-user:%d']; });"
                        .formatted(OTHER, USER));
        engine.reload();
        register();
        List<CompletableFuture<Decision>> answers = List.of(ask("a.admin"), ask("a.admin"));
        List<TestAgent.Dialog> dialogs = List.of(agent.take(), agent.take());
        List<Long> administrators = List.of(OTHER, USER);
        for (int i = 0; i < 2; i++) {
            respond(ROOT, dialogs.get(i).cookie(), administrators.get(i)).join();
            dialogs.get(i).end(End.COMPLETED);
            int expected = i + 1;
            Await.until(() -> engine.temporaryAuthorizations(ROOT).size() == expected);
        }
        assertThat(answers).allMatch(answer -> answer.join().isAuthorized());
        folders.rules("50.rules", administrator(USER));
        engine.reload();
        assertThat(quietly(subject(), "a.admin").isAuthorized()).isTrue();
        Await.until(() -> engine.temporaryAuthorizations(ROOT).size() == 1);
    }

    @Test
    void whoGetsTheNumberOfAProcessInheritsNothing() throws Exception {
        int recycled = 0;
        while (recycled < RECYCLINGS) {
            engine.agents().register(ROOT, subject(), "C", "/agent", false, agent).join();
            assertThat(authenticated("a.keep").isAuthorized()).isTrue();
            if (parent.recycle(process, "successor", "uid=" + USER)) {
                recycled++;
                for (Origin origin : Origin.values()) {
                    Decision decision = quietly(subject(process, USER, origin), "a.keep");
                    assertThat(decision.isAuthorized()).as("%s", origin).isFalse();
                    assertThat(decision.isChallenge()).isTrue();
                }
            } else {
                process = parent.child("subject", "uid=" + USER);
            }
            engine.disconnected("root");
        }
    }

    /** A user's processes can control each other anyway, so there is nothing to protect. */
    @Test
    void whoExecutesAnotherProgramOfHisUserIsTheSameProcess() throws Exception {
        Path script = folder.resolve("program");
        Path go = folder.resolve("go");
        Files.writeString(
                script,
                "echo ok ready >&$READY_FD\nread line <%s\nexec sleep 1000\n".formatted(go));
        letOthersIn();
        assertThat(new ProcessBuilder("mkfifo", "-m", "666", go.toString()).start().waitFor())
                .isZero();
        process = parent.program("subject", "uid=" + USER, "exec=/bin/sh," + script).pid();
        register();
        assertThat(authenticated("a.keep").isAuthorized()).isTrue();
        Files.writeString(go, "\n");
        try (PidFd held = PidFd.open(process)) {
            Await.until(() -> held.proc().name().equals("sleep"));
        }
        assertThat(quietly(subject(), "a.keep").isAuthorized()).isTrue();
        assertThat(quietly(subject(), "a.other").isAuthorized()).isFalse();
    }

    @ParameterizedTest
    @EnumSource
    @Needs(
            root = true,
            programs = {"perl", "setpriv"})
    void whoExecutesASetuidProgramTakesNothingAlong(SetuidPeer.Way way) throws Exception {
        letOthersIn();
        Path socket = folder.resolve("service");
        try (UnixListener service =
                        UnixListener.listen(UnixAddress.path(socket), SocketType.STREAM, 8, 0666);
                SetuidPeer peer = SetuidPeer.connect(folder, socket, USER, way)) {
            assertThat(service.fd().isOpen()).isTrue();
            process = peer.process().pid();
            register();
            assertThat(authenticated("a.keep").isAuthorized()).isTrue();
            peer.becomeRoot();
            Subject asRoot = subject(process, 0, Origin.DESCRIPTOR);
            assertThat(
                            engine.check(
                                            new CheckRequest(
                                                    ROOT, asRoot, "a.keep", Map.of(), false, true,
                                                    ""))
                                    .join()
                                    .isAuthorized())
                    .as("for whom it has become")
                    .isFalse();
            assertThat(quietly(subject(), "a.keep").isAuthorized())
                    .as("for the user who connected")
                    .isTrue();
        }
    }

    private void letOthersIn() throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** In both cases, processes of the session remain. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @Needs(root = true, cgroup2 = true)
    void whatIsKeptGoesWithTheSessionOfItsAgent(boolean lingers) throws Exception {
        folders.display(USER, "77", "", "active");
        try (ScratchCgroup scratch = ScratchCgroup.create();
                Cgroup scope = scratch.cgroup().create("session-77.scope");
                PidFd inside = PidFd.open(process)) {
            scope.attach(inside);
            engine.close();
            engine = AuthorityEngine.open(folders.options(scratch.cgroup().path()));
            Subject.UnixSession session = new Subject.UnixSession("77", USER);
            engine.agents().register(callerBy(inside), session, "C", "/agent", false, agent).join();
            assertThat(authenticated("a.keep").isAuthorized()).isTrue();
            assertThat(quietly(subject(), "a.keep").isAuthorized()).isTrue();
            if (lingers) {
                folders.display(USER, "77", "", "closing");
            } else {
                folders.endSession("77");
            }
            assertThat(quietly(subject(), "a.keep").isAuthorized()).isFalse();
            Await.until(() -> engine.temporaryAuthorizations(ROOT).isEmpty());
            folders.display(USER, "77", "", "active");
            assertThat(quietly(subject(), "a.keep").isAuthorized()).isFalse();
        }
    }
}
