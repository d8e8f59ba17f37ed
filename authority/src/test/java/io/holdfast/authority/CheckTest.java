package io.holdfast.authority;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.authority.client.Decision;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.subject.Subject.Origin;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.core.testkit.ScratchCgroup;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The steps of a decision, in the order of polkit(8). */
@Timeout(120)
@Needs(root = true)
class CheckTest {
    private static final long USER = 20001;
    private static final long OTHER = 20002;
    private static final Caller ROOT = new Caller("root", 0, Optional.empty());

    @TempDir Path folder;
    private PolicyFolders folders;

    @SuppressWarnings("NullAway.Init") // set by start()
    private AuthorityEngine engine;

    private ForeignParent parent;
    private int process;
    private OpenDescriptors before;

    @BeforeEach
    void open() throws IOException {
        before = OpenDescriptors.now();
        folders = new PolicyFolders(folder);
        folders.action("a.yes", "yes");
        folders.action("a.no", "no");
        folders.action("a.self", "auth_self");
        folders.action("a.admin", "auth_admin_keep");
        folders.actionByPlace("a.place", "no", "auth_self", "yes");
        folders.action("a.owned", "no", "owner", "unix-user:" + OTHER);
        folders.action("a.implied", "no");
        folders.action("a.implying", "yes", "imply", "a.implied a.other");
        folders.action("a.far", "no");
        folders.action("a.middle", "no", "imply", "a.far");
        folders.action("a.first", "yes", "imply", "a.middle");
        parent = ForeignParent.start();
        process = parent.child("subject", "uid=" + USER);
    }

    private void start() throws IOException {
        engine = AuthorityEngine.open(folders.options());
    }

    @AfterEach
    void close() {
        if (engine != null) {
            engine.close();
        }
        parent.close();
        before.awaitSameNumber();
    }

    private Subject subject(long uid) {
        return new Subject.UnixProcess(
                PidFd.open(process), uid, Origin.DESCRIPTOR, Optional.empty());
    }

    private Decision check(Caller caller, Subject subject, String action) {
        return check(caller, subject, action, Map.of(), false);
    }

    private Decision check(
            Caller caller,
            Subject subject,
            String action,
            Map<String, String> details,
            boolean always) {
        CheckRequest request =
                new CheckRequest(caller, subject, action, details, false, always, "");
        try {
            return engine.check(request).join();
        } catch (CompletionException e) {
            throw (RuntimeException) e.getCause();
        }
    }

    private static Caller caller(long uid) {
        return new Caller("user" + uid, uid, Optional.empty());
    }

    private static void assertRefused(
            AuthorityException.Kind kind, org.assertj.core.api.ThrowableAssert.ThrowingCallable c) {
        assertThatThrownBy(c)
                .isInstanceOfSatisfying(
                        AuthorityException.class, e -> assertThat(e.kind()).isEqualTo(kind));
    }

    @Test
    void aUserAsksAboutHimselfAlone() throws Exception {
        start();
        assertThat(check(caller(USER), subject(USER), "a.yes").isAuthorized()).isTrue();
        assertRefused(
                AuthorityException.Kind.NOT_AUTHORIZED,
                () -> check(caller(OTHER), subject(USER), "a.yes"));
    }

    @Test
    void whatIsClaimedMustBeTrueNow() throws Exception {
        start();
        assertRefused(
                AuthorityException.Kind.NOT_AUTHORIZED,
                () -> check(caller(OTHER), subject(OTHER), "a.yes"));
        assertThat(check(ROOT, subject(OTHER), "a.yes").isAuthorized())
                .as("root's claims are believed")
                .isTrue();
    }

    @Test
    void aStrangerLearnsNotWhichActionsThereAre() throws Exception {
        start();
        assertRefused(
                AuthorityException.Kind.NOT_AUTHORIZED,
                () -> check(caller(OTHER), subject(USER), "a.nothing"));
        assertRefused(
                AuthorityException.Kind.FAILED,
                () -> check(caller(USER), subject(USER), "a.nothing"));
        assertRefused(AuthorityException.Kind.FAILED, () -> check(ROOT, subject(0), "a.nothing"));
    }

    @Test
    void detailsAreForTrustedCallersEvenIfTheyAreEmpty() throws Exception {
        start();
        assertRefused(
                AuthorityException.Kind.NOT_AUTHORIZED,
                () -> check(caller(USER), subject(USER), "a.yes", Map.of("k", ""), false));
        assertThat(check(ROOT, subject(USER), "a.yes", Map.of("k", ""), false).details())
                .containsEntry("k", "");
    }

    @Test
    void anOwnerAsksAboutAnybodyAndWithDetails() throws Exception {
        start();
        assertThat(check(caller(OTHER), subject(USER), "a.owned", Map.of("k", "v"), false))
                .satisfies(no -> assertThat(no.isAuthorized()).isFalse())
                .satisfies(no -> assertThat(no.failure()).isEmpty());
        assertRefused(
                AuthorityException.Kind.NOT_AUTHORIZED,
                () -> check(caller(OTHER), subject(USER), "a.no"));
    }

    @Test
    void detailsHaveALimit() throws Exception {
        start();
        Map<String, String> details = new HashMap<>();
        for (int i = 0; i < CheckRequest.MAX_DETAILS; i++) {
            details.put("key" + i, "");
        }
        assertThat(check(ROOT, subject(USER), "a.yes", details, false).isAuthorized()).isTrue();
        details.put("one more", "");
        assertThatThrownBy(() -> check(ROOT, subject(USER), "a.yes", details, false))
                .hasMessageContaining("io.holdfast.authority.details");
    }

    @Test
    void rootMayDoEverythingUnlessTheRulesAreToBeAsked() throws Exception {
        start();
        Decision yes = check(ROOT, subject(0), "a.no", Map.of("k", "v"), false);
        assertThat(yes.isAuthorized()).isTrue();
        assertThat(yes.details()).isEmpty();
        assertThat(check(ROOT, subject(0), "a.no", Map.of(), true).isAuthorized()).isFalse();
    }

    @Test
    @Needs(root = true, cgroup2 = true)
    void theDefaultDependsOnWhereTheUserIs() throws Exception {
        try (ScratchCgroup scratch = ScratchCgroup.create();
                Cgroup slice = scratch.cgroup().create("user-" + USER + ".slice");
                Cgroup manager = slice.create("user@" + USER + ".service");
                PidFd held = PidFd.open(process)) {
            engine = AuthorityEngine.open(folders.options(scratch.cgroup().path()));
            folders.display(USER, "7", "seat0", "active");
            assertThat(check(ROOT, subject(USER), "a.place"))
                    .as("a service of the system is not where its user is")
                    .satisfies(no -> assertThat(no.isAuthorized() || no.isChallenge()).isFalse())
                    .satisfies(no -> assertThat(steps(no)).contains("defaults: no (allow_any)"));
            manager.attach(held);
            assertThat(check(ROOT, subject(USER), "a.place"))
                    .satisfies(yes -> assertThat(yes.isAuthorized()).isTrue())
                    .satisfies(yes -> assertThat(yes.details()).isEmpty())
                    .satisfies(yes -> assertThat(steps(yes)).contains("yes (allow_active)"));
            folders.display(USER, "7", "", "active");
            assertThat(steps(check(ROOT, subject(USER), "a.place"))).contains("no (allow_any)");
            folders.display(USER, "7", "seat0", "online");
            assertThat(check(ROOT, subject(USER), "a.place"))
                    .satisfies(ask -> assertThat(ask.isChallenge()).isTrue())
                    .satisfies(ask -> assertThat(steps(ask)).contains("auth_self (allow_inactive)"))
                    .satisfies(ask ->
                            assertThat(ask.details()).containsEntry("polkit.result", "auth_self"));
        }
    }

    private static String steps(Decision decision) {
        return decision.explanation().orElseThrow().toString();
    }

    @Test
    void anotherActionImpliesThisOneButOneLevelOnly() throws Exception {
        start();
        assertThat(check(ROOT, subject(USER), "a.implied"))
                .satisfies(yes -> assertThat(yes.isAuthorized()).isTrue())
                .satisfies(yes -> assertThat(steps(yes)).contains("implied by a.implying"));
        assertThat(check(ROOT, subject(USER), "a.middle").isAuthorized()).isTrue();
        assertThat(check(ROOT, subject(USER), "a.far").isAuthorized()).isFalse();
    }

    @Test
    void rulesReplaceTheDefault() throws Exception {
        folders.rules(
                "50.rules",
                """
                polkit.addRule(function(action, subject) {
                    if (action.id == "a.no") return action.lookup("answer");
                    if (action.id == "a.yes") throw "up";
                });
                """);
        start();
        for (String word : new String[] {"yes", "no", "auth_self", "auth_admin_keep"}) {
            Decision answer = check(ROOT, subject(USER), "a.no", Map.of("answer", word), false);
            assertThat(answer.isAuthorized()).isEqualTo(word.equals("yes"));
            assertThat(answer.isChallenge()).isEqualTo(word.startsWith("auth"));
            assertThat(answer.details()).containsEntry("polkit.result", word);
            assertThat(answer.details().containsKey("polkit.retains_authorization_after_challenge"))
                    .isEqualTo(word.endsWith("_keep"));
            assertThat(steps(answer)).contains("50.rules:1");
        }
        assertThat(check(ROOT, subject(USER), "a.no", Map.of("answer", "maybe"), false))
                .satisfies(no -> assertThat(no.isAuthorized() || no.isChallenge()).isFalse());
        assertThat(check(ROOT, subject(USER), "a.yes").isAuthorized())
                .as("a rule that throws")
                .isFalse();
        assertThat(check(ROOT, subject(USER), "a.admin").details())
                .containsEntry("polkit.retains_authorization_after_challenge", "1");
    }

    @Test
    void aReapedProcessIsNotAuthorized() throws Exception {
        start();
        Subject subject = subject(USER);
        assertThat(parent.kill(process, io.holdfast.core.Signal.KILL)).isTrue();
        var _ = parent.reap(process);
        Decision decision = check(ROOT, subject, "a.yes");
        assertThat(decision.isAuthorized() || decision.isChallenge()).isFalse();
    }

    @Test
    void cancellationIdsAreOfAConnectionAndFreeAfterTheAnswer() throws Exception {
        start();
        TestAgent agent = new TestAgent();
        engine.agents().register(ROOT, subject(USER), "C", "/agent", false, agent).join();
        CompletableFuture<Decision> first = engine.check(asking(ROOT, "id"));
        var _ = agent.take();
        assertRefused(
                AuthorityException.Kind.CANCELLATION_ID_NOT_UNIQUE,
                () -> joined(engine.check(asking(ROOT, "id"))));
        Caller other = new Caller("another", 0, Optional.empty());
        CompletableFuture<Decision> others = engine.check(asking(other, "id"));
        TestAgent.Dialog dialogOfOthers = agent.take();
        engine.cancel(ROOT, "id");
        assertRefused(AuthorityException.Kind.CANCELLED, () -> joined(first));
        var _ = agent.takeCancelled();
        assertRefused(AuthorityException.Kind.FAILED, () -> engine.cancel(ROOT, "id"));
        assertRefused(AuthorityException.Kind.FAILED, () -> engine.cancel(ROOT, ""));
        dialogOfOthers.end(AgentChannel.End.DISMISSED);
        assertThat(others.join().details()).containsEntry("polkit.dismissed", "true");
    }

    @Test
    void aCheckIsCountedAndItsPlaceFreeBeforeItIsAnswered() throws Exception {
        start();
        TestAgent agent = new TestAgent();
        engine.agents().register(ROOT, subject(USER), "C", "/agent", false, agent).join();
        CompletableFuture<AuthorityMetrics> whenAnswered =
                engine.check(asking(ROOT, "id")).handle((_, _) -> engine.metrics().join());
        var _ = agent.take();
        engine.cancel(ROOT, "id");
        var _ = agent.takeCancelled();

        assertThat(whenAnswered.join().checks()).containsEntry(AuthorityMetrics.Answer.ERROR, 1L);
        assertThat(whenAnswered.join().users())
                .extracting(AuthorityMetrics.OfUser::account)
                .doesNotContain(AuthorityMetrics.Account.CHECKS);
    }

    @Test
    void aCallerThatCancelsItsAnswerEndsTheDialogAndIsCountedAsAnError() throws Exception {
        start();
        TestAgent agent = new TestAgent();
        engine.agents().register(ROOT, subject(USER), "C", "/agent", false, agent).join();
        CompletableFuture<Decision> answer = engine.check(asking(ROOT, "id"));
        var _ = agent.take();
        assertThat(answer.cancel(false)).isTrue();

        var _ = agent.takeCancelled();
        assertThat(engine.metrics().join().checks())
                .containsEntry(AuthorityMetrics.Answer.ERROR, 1L);
    }

    private CheckRequest asking(Caller caller, String id) {
        return new CheckRequest(caller, subject(USER), "a.self", Map.of(), true, false, id);
    }

    private static Decision joined(CompletableFuture<Decision> answer) {
        try {
            return answer.join();
        } catch (CompletionException e) {
            throw (RuntimeException) e.getCause();
        }
    }

    @Test
    void aConnectionHasALimitOfChecks() {
        CheckRequest slow =
                new CheckRequest(ROOT, subject(USER), "a.no", Map.of(), false, false, "");
        ChecksUnderWay checks = new ChecksUnderWay();
        List<CompletableFuture<Decision>> many = new ArrayList<>();
        for (int i = 0; i < ChecksUnderWay.MAX_PER_CONNECTION; i++) {
            CompletableFuture<Decision> answer = new CompletableFuture<>();
            checks.add(slow, answer);
            many.add(answer);
        }
        assertThatThrownBy(() -> checks.add(slow, new CompletableFuture<>()))
                .hasMessageContaining("io.holdfast.authority.checksPerConnection");
        checks.cancelAll("root");
        assertThat(many).allMatch(CompletableFuture::isCompletedExceptionally);
        assertThat(checks.connections()).isEmpty();
        slow.subject().close();
    }

    @Test
    void aUserHasALimitOfChecksHoweverManyConnectionsHeHas() {
        ChecksUnderWay checks = new ChecksUnderWay();
        Subject subject = subject(USER);
        List<CompletableFuture<Decision>> many = new ArrayList<>();
        for (int i = 0; i < ChecksUnderWay.MAX_PER_USER; i++) {
            CompletableFuture<Decision> answer = new CompletableFuture<>();
            checks.add(onConnection(i, USER, subject), answer);
            many.add(answer);
        }
        CheckRequest oneMore = onConnection(many.size(), USER, subject);
        assertThatThrownBy(() -> checks.add(oneMore, new CompletableFuture<>()))
                .hasMessageContaining("io.holdfast.authority.checksPerUser");
        assertThat(checks.connections()).hasSize(ChecksUnderWay.MAX_PER_USER);
        CompletableFuture<Decision> others = new CompletableFuture<>();
        checks.add(onConnection(0, OTHER, subject), others);
        assertThat(many.getFirst().complete(Decision.refused("answered"))).isTrue();
        checks.add(oneMore, many.getFirst().newIncompleteFuture());
        checks.connections().forEach(checks::cancelAll);
        assertThat(checks.connections()).isEmpty();
        assertThat(others).isCompletedExceptionally();
        subject.close();
    }

    private static CheckRequest onConnection(int number, long uid, Subject subject) {
        Caller caller = new Caller("connection" + number, uid, Optional.empty());
        return new CheckRequest(caller, subject, "a.no", Map.of(), false, false, "");
    }

    @Test
    void anAuthorityThatHasEndedRefusesAgents() throws Exception {
        start();
        engine.close();
        assertThatThrownBy(
                        engine.agents()
                                        .register(
                                                ROOT,
                                                subject(USER),
                                                "C",
                                                "/a",
                                                false,
                                                new TestAgent())
                                ::join)
                .hasCauseInstanceOf(AuthorityException.class)
                .hasMessageContaining("has ended");
        assertThatThrownBy(engine.agents().unregister(ROOT, subject(USER), "/a")::join)
                .hasCauseInstanceOf(AuthorityException.class);
        engine.disconnected("root");
    }

    @Test
    void theEndOfTheAuthorityCancelsWhatIsUnderWay() throws Exception {
        start();
        TestAgent agent = new TestAgent();
        engine.agents().register(ROOT, subject(USER), "C", "/agent", false, agent).join();
        CompletableFuture<Decision> answer = engine.check(asking(ROOT, "id"));
        var _ = agent.take();
        engine.close();
        assertThatThrownBy(answer::join).hasCauseInstanceOf(AuthorityException.class);
    }

    @Test
    void aRuleThatNeverEndsHoldsNobodyUp() throws Exception {
        folders.rules(
                "50.rules",
                "polkit.addRule(function(action) { if (action.id == 'a.no') while (true); });");
        RuleLimits limits = RuleLimits.standard().withEvaluation(Duration.ofSeconds(1));
        engine = AuthorityEngine.open(folders.options().withRuleLimits(limits));
        CompletableFuture<Decision> slow;
        do { // on a slow machine the rule's time is over before: again
            slow = engine.check(CheckRequest.of(subject(USER), "a.no", Map.of()));
            for (int i = 0; i < 20; i++) {
                assertThat(check(ROOT, subject(USER), "a.yes").isAuthorized()).isTrue();
            }
        } while (slow.isDone());
        assertThat(slow.join().isAuthorized()).isFalse();
    }

    @Test
    void aBrokenFileHarmsItselfAlone() throws Exception {
        folders.rules("10.rules", "this is (no rule");
        folders.rules(
                "20.rules",
                "polkit.addRule(function(a) { if (a.id == 'a.no') return polkit.Result.YES; });");
        folders.policyFile("broken.policy", "<policyconfig><action id='a.half'>");
        start();
        assertThat(check(ROOT, subject(USER), "a.no").isAuthorized()).isTrue();
        assertThat(check(ROOT, subject(USER), "a.yes").isAuthorized()).isTrue();
    }

    @Test
    void aChangedFileIsInForceWhenTheChangeIsTold() throws Exception {
        start();
        assertThat(check(ROOT, subject(USER), "a.no").isAuthorized()).isFalse();
        CountDownLatch changed = new CountDownLatch(1);
        try (AutoCloseable _ = engine.onChange(_ -> changed.countDown())) {
            folders.rules("50.rules", "polkit.addRule(function() { return 'yes'; });");
            changed.await();
        }
        assertThat(check(ROOT, subject(USER), "a.no").isAuthorized()).isTrue();
    }
}
