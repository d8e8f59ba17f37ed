package io.holdfast.authority.rules;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class RuleEngineTest {
    @Test
    void theFirstTruthyAnswerEnds() {
        try (TestRules rules =
                TestRules.of(
                        "polkit.addRule(function(a, s) { return polkit.Result.NOT_HANDLED; });\n"
                                + "polkit.addRule((a, s) => a.id == 'x' ? 'auth_self' : 0);",
                        "polkit.addRule(function(a, s) { return polkit.Result.YES; });")) {
            assertThat(rules.word("x")).isEqualTo("auth_self");
            RuleVerdict verdict = rules.ask("y");
            assertThat(verdict.steps())
                    .map(step -> step.place() + " " + step.result())
                    .containsExactly(
                            "/r/1.rules:1 nothing", "/r/1.rules:2 nothing", "/r/2.rules:1 yes");
        }
    }

    @Test
    void aRunawayIsStoppedAndCannotCatchIt() {
        try (TestRules rules =
                TestRules.of(
                        RuleLimits.STANDARD.withEvaluation(Duration.ofMillis(300)),
                        "polkit.addRule(function(a) { if (a.id == 'run') { try { while (true); }"
                                + " catch (e) { return 'yes'; } finally { return 'yes'; } }"
                                + " return 'auth_self'; });")) {
            CompletableFuture<RuleVerdict> run =
                    rules.engine.evaluate(TestRules.action("run"), TestRules.JANE);
            assertThat(rules.word("other")).isEqualTo("auth_self");
            assertThat(run).isNotDone();
            assertThat(run.join().failure().orElseThrow()).contains("took longer than 300 ms");
            assertThat(rules.word("other")).isEqualTo("auth_self");
        }
    }

    @Test
    void aProgramSuspendsOnlyItsOwnEvaluation() {
        try (TestRules rules =
                TestRules.of(
                        RuleLimits.STANDARD.withEvaluators(1, 10, Duration.ofMillis(20)),
                        "polkit.addRule(function(a) { if (a.id == 'slow') {"
                                + " polkit.spawn(['sleep', '0.3']); return polkit.spawn(['echo',"
                                + " '-n', 'yes']); } return 'auth_self'; });")) {
            CompletableFuture<RuleVerdict> slow =
                    rules.engine.evaluate(TestRules.action("slow"), TestRules.JANE);
            assertThat(rules.word("other")).isEqualTo("auth_self");
            assertThat(slow).isNotDone();
            assertThat(slow.join().answer().orElseThrow().word()).isEqualTo("yes");
        }
    }
}
