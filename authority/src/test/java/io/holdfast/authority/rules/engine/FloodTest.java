package io.holdfast.authority.rules.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.rules.DescribedSubject;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.rules.RuleSubject;
import io.holdfast.authority.rules.RuleVerdict;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.OpenDescriptors;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tests one user with far more checks than the engine can evaluate, and another with a few. */
@Timeout(120)
class FloodTest {
    private static final DescribedSubject FLOODING = TestRules.user(1001);
    private static final DescribedSubject OTHER = TestRules.user(1002);

    private static final RuleLimits LIMITS =
            RuleLimits.standard()
                    .withEvaluation(Duration.ofMinutes(10))
                    .withEvaluators(4, 64, Duration.ofMillis(5));

    private static final String RULES =
            """
            polkit.addRule(function(action) {
                if (action.id == 'run') while (true);
                if (action.id == 'wait') return polkit.spawn(['sleep', '600']);
                if (action.id == 'catch') try { polkit.spawn(['sleep', '600']); }
                    catch (e) { return 'yes'; }
                if (action.id == 'spawn, run') { polkit.spawn(['true']); while (true); }
                if (action.id == 'spawn') return polkit.spawn(['echo', '-n', 'yes']);
                return 'auth_self';
            });
            """;

    private static List<CompletableFuture<RuleVerdict>> flood(
            TestRules rules, RuleSubject user, String action, int times) {
        List<CompletableFuture<RuleVerdict>> verdicts = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            verdicts.add(rules.engine.evaluate(TestRules.action(action), user));
        }
        return verdicts;
    }

    private static List<String> refusals(List<CompletableFuture<RuleVerdict>> verdicts) {
        return verdicts.stream()
                .filter(CompletableFuture::isDone)
                .map(verdict -> verdict.join().failure().orElse("none"))
                .toList();
    }

    private static long busy(TestRules rules) {
        return rules.engine.evaluators().stream()
                .filter(evaluator -> evaluator.busyNanos() > 0)
                .count();
    }

    private static void assertServed(TestRules rules) {
        assertThat(rules.word(OTHER, "x")).isEqualTo("auth_self");
        assertThat(rules.word(OTHER, "spawn")).isEqualTo("yes");
        assertThat(rules.word(TestRules.user(0), "spawn")).isEqualTo("yes");
    }

    @Test
    void runawaysOfOneUserHoldNobodyElseUp() {
        try (TestRules rules = TestRules.of(LIMITS, RULES)) {
            List<CompletableFuture<RuleVerdict>> runaways = flood(rules, FLOODING, "run", 100);
            Await.until(() -> rules.engine.evaluators().size() > 1);
            for (int i = 0; i < 20; i++) {
                assertServed(rules);
            }
            List<String> refusals = refusals(runaways);
            assertThat(refusals)
                    .hasSizeBetween(100 - 32 - 2, 100 - 32)
                    .allMatch(why ->
                            why.startsWith(
                                    "checks that wait for the rules: user 1001 holds 32 of "));
            Await.until(() -> busy(rules) == 2); // the user's share of 4
        }
    }

    @Test
    void slowProgramsOfOneUserHoldNobodyElseUp() {
        OpenDescriptors before = OpenDescriptors.now();
        try (TestRules rules =
                TestRules.of(LIMITS.withPrograms(8, Duration.ofMinutes(10), 1 << 20), RULES)) {
            List<CompletableFuture<RuleVerdict>> slow = flood(rules, FLOODING, "wait", 20);
            Await.until(() -> refusals(slow).size() == 16);
            assertThat(refusals(slow))
                    .allMatch(why ->
                            why.endsWith(
                                    "polkit.spawn: programs of polkit.spawn under way: user 1001"
                                            + " holds 4 of 8; raise it with"
                                            + " -Dio.holdfast.authority.programs=NUMBER"));
            assertThat(rules.engine.programs().running()).isEqualTo(4);
            for (int i = 0; i < 20; i++) {
                assertServed(rules);
            }
            assertThat(rules.word(FLOODING, "x")).as("without a program").isEqualTo("auth_self");
            assertThat(refusals(slow)).hasSize(16);
        }
        before.awaitSameNumber();
    }

    /** The first program has exited, so the second must not be refused because of it. */
    @Test
    void oneProgramAfterTheOtherFitsInAShareOfOne() {
        try (TestRules rules =
                TestRules.of(
                        LIMITS.withPrograms(1, Duration.ofMinutes(10), 1 << 20),
                        "polkit.addRule(function() {"
                                + " for (var i = 0; i < 50; i++) polkit.spawn(['true']);"
                                + " [1, 2].map(function() { return polkit.spawn(['true']); });"
                                + " return 'yes'; });")) {
            assertThat(rules.ask(OTHER, "x").failure()).isEmpty();
            assertThat(rules.ask(FLOODING, "x").failure()).isEmpty();
        }
    }

    @Test
    void noRuleCanTakeAnUsedUpShareForTheProgramsAnswer() {
        try (TestRules rules =
                TestRules.of(LIMITS.withPrograms(2, Duration.ofMinutes(10), 1 << 20), RULES)) {
            List<CompletableFuture<RuleVerdict>> slow = flood(rules, FLOODING, "wait", 1);
            Await.until(() -> rules.engine.programs().running() == 1);
            RuleVerdict verdict = rules.ask(FLOODING, "catch");
            assertThat(verdict.answer().orElseThrow().word()).isEqualTo("no");
            assertThat(verdict.failure().orElseThrow()).contains("user 1001 holds 1 of 2");
            assertThat(rules.word(OTHER, "spawn")).isEqualTo("yes");
            assertThat(slow).noneMatch(CompletableFuture::isDone);
        }
    }

    /** The evaluation must not be resumed on a thread that others wait for. */
    @Test
    void whatRunsAwayAfterAProgramHoldsNobodyElseUp() {
        try (TestRules rules = TestRules.of(LIMITS, RULES)) {
            List<CompletableFuture<RuleVerdict>> others = flood(rules, OTHER, "spawn", 1);
            List<CompletableFuture<RuleVerdict>> runaways = // a share of the programs is 16
                    flood(rules, FLOODING, "spawn, run", 12);
            others.addAll(flood(rules, OTHER, "spawn", 10));
            for (CompletableFuture<RuleVerdict> each : others) {
                assertThat(each.join().answer().orElseThrow().word()).isEqualTo("yes");
            }
            for (int i = 0; i < 20; i++) {
                assertServed(rules);
            }
            assertThat(runaways).noneMatch(CompletableFuture::isDone);
        }
    }

    @Test
    void whoHasWaitedTooLongIsToldWhoseTheEvaluatorsAre() {
        try (TestRules rules = TestRules.of(LIMITS.withEvaluation(Duration.ofMillis(500)), RULES)) {
            List<CompletableFuture<RuleVerdict>> runaways = flood(rules, FLOODING, "run", 10);
            assertThat(runaways)
                    .map(verdict -> verdict.join().failure().orElseThrow())
                    .anyMatch(why -> why.endsWith("took longer than 500 ms"))
                    .anyMatch(why -> why.contains("no evaluator was free for 500 ms"));
            assertServed(rules);
        }
    }

    @Test
    void usersComeInTurn() {
        try (TestRules rules =
                TestRules.of(LIMITS.withEvaluators(1, 64, Duration.ofMinutes(1)), RULES)) {
            List<Long> order = new ArrayList<>();
            CompletableFuture<Boolean> released = new CompletableFuture<>();
            rules.engine.submit(7, work(released::join));
            for (int i = 0; i < 3; i++) {
                rules.engine.submit(1001, work(() -> order.add(1001L)));
            }
            CompletableFuture<Boolean> last = new CompletableFuture<>();
            rules.engine.submit(1002, work(() -> order.add(1002L)));
            rules.engine.submit(1001, work(() -> last.complete(order.add(1001L))));
            rules.engine.submit(1003, work(() -> order.add(1003L)));
            assertThat(released.complete(true)).isTrue();
            assertThat(last.join()).isTrue();
            assertThat(order).containsExactly(1001L, 1002L, 1003L, 1001L, 1001L, 1001L);
        }
    }

    private static RuleEngine.Work work(Runnable body) {
        return new RuleEngine.Work() {
            @Override
            public void run(Evaluator evaluator) {
                body.run();
            }

            @Override
            public void refused(String why) {
                throw new IllegalStateException(why);
            }
        };
    }
}
