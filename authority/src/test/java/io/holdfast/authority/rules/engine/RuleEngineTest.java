package io.holdfast.authority.rules.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.rules.AdministratorVerdict;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.rules.RuleLog;
import io.holdfast.authority.rules.RuleVerdict;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.core.text.PrintableText;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class RuleEngineTest {
    private static final String BY_USER =
            "polkit.addRule((a, s) => a.id == 'other' ? 'auth_self' : s.user == 'x' ? 'no' : 'yes');";

    private static final RuleLimits IMPATIENT =
            RuleLimits.standard()
                    .withEvaluation(Duration.ofMillis(200))
                    .withEvaluators(1, 10, Duration.ofMillis(20));

    /** A subject whose user name is not available until it is released. */
    private static final class BlockedSubject extends GoneSubject {
        final CountDownLatch entered = new CountDownLatch(1);
        final CountDownLatch release = new CountDownLatch(1);
        final AtomicReference<Thread> thread = new AtomicReference<>();

        @Override
        public String user() {
            thread.set(Thread.currentThread());
            entered.countDown();
            try {
                release.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return "late";
        }
    }

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
    void noAnswerIsNone() {
        try (TestRules rules = TestRules.of("polkit.addRule(() => null);", "// nothing")) {
            RuleVerdict verdict = rules.ask("x");
            assertThat(verdict.answer()).isEmpty();
            assertThat(verdict.failure()).isEmpty();
            assertThat(rules.engine.administrators(TestRules.action("x"), TestRules.JANE).join())
                    .isEqualTo(new AdministratorVerdict(List.of(), List.of(), Optional.empty()));
        }
    }

    /** The definition lasts even if the property was not read before. */
    @Test
    void whatARuleDefinesOfItsSubjectStaysForThisCheck() {
        String define = "{value: 'x', writable: true, configurable: true}";
        try (TestRules rules =
                TestRules.of(
                        "polkit.addRule(function(a, s) {"
                                + " if (a.id == 'x') Object.defineProperty(s, 'user', "
                                + define
                                + "); });",
                        "polkit.addRule((a, s) => s.user == 'x' && 'user' in s && s.user == 'x'"
                                + " ? 'yes' : s.user == 'jane' ? 'auth_self' : 'no');")) {
            assertThat(rules.word("x")).isEqualTo("yes");
            assertThat(rules.word("y")).isEqualTo("auth_self");
        }
    }

    @Test
    void aRunawayIsStoppedAndCannotCatchIt() {
        try (TestRules rules =
                TestRules.of(
                        RuleLimits.standard().withEvaluation(Duration.ofSeconds(1)),
                        "polkit.addRule(function(a) { if (a.id == 'run') { try { while (true); }"
                                + " catch (e) { return 'yes'; } finally { return 'yes'; } }"
                                + " return 'auth_self'; });")) {
            CompletableFuture<RuleVerdict> run;
            do { // on a machine that stands still for a second, both are over: again
                run = rules.engine.evaluate(TestRules.action("run"), TestRules.JANE);
                assertThat(rules.word("other")).isEqualTo("auth_self");
            } while (run.isDone());
            RuleVerdict verdict = run.join();
            assertThat(verdict.answer().orElseThrow().word()).isEqualTo("no");
            assertThat(verdict.failure().orElseThrow()).endsWith("took longer than 1 seconds");
            assertThat(rules.word("other")).isEqualTo("auth_self");
        }
    }

    @Test
    void aProgramSuspendsOnlyItsOwnEvaluation(@TempDir Path folder) throws IOException {
        Path go = folder.resolve("go");
        OpenDescriptors before = OpenDescriptors.now();
        try (TestRules rules =
                TestRules.of(
                        RuleLimits.standard().withEvaluators(1, 20, Duration.ofMillis(20)),
                        "polkit.addRule(function(a) { if (a.id == 'slow') { var n = 0;"
                                + " while (n++ < 3) { try { polkit.spawn(['false']); }"
                                + " catch (e) { polkit.spawn(['sh', '-c',"
                                + " 'until [ -e %s ]; do sleep 0.02; done']); } }".formatted(go)
                                + " return polkit.spawn(['echo', '-n', 'yes']); }"
                                + " return 'auth_self'; });")) {
            List<CompletableFuture<RuleVerdict>> slow = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                slow.add(rules.engine.evaluate(TestRules.action("slow"), TestRules.JANE));
            }
            assertThat(rules.word("other")).isEqualTo("auth_self");
            assertThat(slow).noneMatch(CompletableFuture::isDone);
            Files.createFile(go);
            for (CompletableFuture<RuleVerdict> verdict : slow) {
                assertThat(verdict.join().answer().orElseThrow().word()).isEqualTo("yes");
            }
        }
        before.awaitSameNumber();
    }

    @Test
    void aProgramPastTheEvaluationsTimeIsAnsweredWithNo() {
        try (TestRules rules =
                TestRules.of(
                        RuleLimits.standard().withEvaluation(Duration.ofMillis(300)),
                        "polkit.addRule(function() { try { polkit.spawn(['sleep', '20']); }"
                                + " catch (e) {} return 'yes'; });")) {
            assertThat(rules.ask("x").failure().orElseThrow()).contains("took longer than 300 ms");
        }
    }

    /** See polkit, issue 577. */
    @Test
    void programsThatRunOutOfTimeLeaveNoZombie() {
        try (TestRules rules =
                TestRules.of(
                        RuleLimits.standard().withPrograms(4, Duration.ofMillis(200), 1_000),
                        "polkit.addRule(function() { try { polkit.spawn(['sleep', '20']); }"
                                + " catch (e) { return 'no'; } });")) {
            for (int i = 0; i < 3; i++) {
                assertThat(rules.ask("x").answer().orElseThrow().word()).isEqualTo("no");
            }
            Await.until(() -> childrenNamed("sleep") == 0);
        }
    }

    /** Counts children, including zombies. */
    private static long childrenNamed(String name) {
        try (Stream<Path> threads = Files.list(Path.of("/proc/self/task"))) {
            return threads.flatMap(thread -> words(thread.resolve("children")))
                    .flatMap(pid -> words(Path.of("/proc", pid, "comm")))
                    .filter(name::equals)
                    .count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads words; none from a file that has gone. */
    private static Stream<String> words(Path file) {
        try {
            return Stream.of(Files.readString(file).strip().split(" "))
                    .filter(word -> !word.isEmpty());
        } catch (IOException e) {
            return Stream.empty();
        }
    }

    @Test
    void closingAnswersThoseThatWaitForPrograms() {
        TestRules rules =
                TestRules.of("polkit.addRule(function() { polkit.spawn(['sleep', '20']); });");
        CompletableFuture<RuleVerdict> verdict =
                rules.engine.evaluate(TestRules.action("x"), TestRules.JANE);
        Await.until(() -> rules.engine.programs().running() == 1);
        rules.close();
        assertThat(verdict.join().failure()).contains("the rules are closed");
        assertThat(rules.ask("y").failure()).contains("the rules are closed");
        Await.until(() -> rules.engine.programs().running() == 0);
    }

    @Test
    void aSubjectThatHasGoneIsRefusedWhateverTheScriptCatches() {
        try (TestRules rules =
                TestRules.of(
                        "polkit.addRule(function(a, s) { try { return '' + s.pid; }"
                                + " catch (e) { return 'yes'; } finally { return 'yes'; } });")) {
            RuleVerdict verdict = rules.ask(new GoneSubject(), "x");
            assertThat(verdict.answer().orElseThrow().word()).isEqualTo("no");
            assertThat(verdict.failure().orElseThrow()).contains("the process has gone");
        }
    }

    @Test
    void othersAreServedWhileOneIsHeldUp() {
        try (TestRules rules = TestRules.of(BY_USER)) {
            BlockedSubject blocked = new BlockedSubject();
            CompletableFuture<RuleVerdict> held =
                    rules.engine.evaluate(TestRules.action("x"), blocked);
            Await.until(() -> blocked.entered.getCount() == 0);
            assertThat(rules.word("other")).isEqualTo("auth_self");
            assertThat(held).isNotDone();
            assertThat(rules.engine.evaluators()).hasSize(2);
            blocked.release.countDown();
            assertThat(held.join().answer().orElseThrow().word()).isEqualTo("yes");
        }
    }

    /** The lookup of the user, which only shows that the rule need not run, may block as well. */
    @Test
    void whoIsStuckBeforeARuleIsRunIsAnsweredForToo() {
        try (TestRules rules =
                TestRules.of(
                        IMPATIENT,
                        "polkit.addRule(function(a) { return polkit.Result.NOT_HANDLED; });\n"
                                + "polkit.addRule(function(a, s) {"
                                + " if (s.user == 'x') return 'yes'; });")) {
            BlockedSubject blocked = new BlockedSubject();
            RuleVerdict verdict = rules.ask(blocked, "x");
            assertThat(verdict.answer().orElseThrow().word()).isEqualTo("no");
            assertThat(verdict.failure().orElseThrow())
                    .isEqualTo("took longer than 200 ms in a built-in function");
            Await.until(() ->
                    rules.logged.stream()
                            .anyMatch(line -> line.startsWith("/r/1.rules:2: a built-in")));
            assertThat(rules.word("other")).isEqualTo("nothing");
            blocked.release.countDown();
            Await.until(() -> !blocked.thread.get().isAlive());
        }
    }

    @Test
    void whoIsStuckIsAnsweredForAndItsThreadEndsWhenItCan() {
        try (TestRules rules = TestRules.of(IMPATIENT, BY_USER)) {
            BlockedSubject blocked = new BlockedSubject();
            RuleVerdict verdict = rules.ask(blocked, "x");
            assertThat(verdict.answer().orElseThrow().word()).isEqualTo("no");
            assertThat(verdict.failure().orElseThrow())
                    .isEqualTo("took longer than 200 ms in a built-in function");
            assertThat(rules.word("other")).isEqualTo("auth_self");
            assertThat(rules.engine.metrics())
                    .satisfies(metrics -> assertThat(metrics.stuck()).isEqualTo(1))
                    .satisfies(metrics -> assertThat(metrics.stuckEver()).isEqualTo(1));
            assertThat(rules.logged)
                    .contains(
                            "/r/1.rules:1: a built-in function does not return; its thread was"
                                    + " abandoned (1 of at most 2)");
            RuleVerdict same = rules.ask(new GoneSubject(), "other");
            assertThat(same.failure().orElseThrow())
                    .as("of the same user, whose share it keeps")
                    .isEqualTo(
                            "no evaluator was free for 200 ms: threads that evaluate rules: user 1"
                                    + " holds 1 of 2; raise it with"
                                    + " -Dio.holdfast.authority.evaluators=NUMBER");
            blocked.release.countDown();
            Await.until(() -> !blocked.thread.get().isAlive());
            Await.until(() -> rules.engine.metrics().stuck() == 0);
            assertThat(rules.word(new GoneSubject(), "other")).isEqualTo("auth_self");
            assertThat(rules.word("other")).isEqualTo("auth_self");
        }
    }

    @Test
    void whoHasHisShareOfWaitingChecksIsRefusedAndNobodyElse() {
        try (TestRules rules =
                TestRules.of(
                        RuleLimits.standard().withEvaluators(1, 4, Duration.ofMillis(20)),
                        BY_USER)) {
            BlockedSubject blocked = new BlockedSubject();
            CompletableFuture<RuleVerdict> held =
                    rules.engine.evaluate(TestRules.action("x"), blocked);
            Await.until(() -> blocked.entered.getCount() == 0);
            CompletableFuture<RuleVerdict> first =
                    rules.engine.evaluate(TestRules.action("other"), TestRules.JANE);
            CompletableFuture<RuleVerdict> second =
                    rules.engine.evaluate(TestRules.action("other"), TestRules.JANE);
            assertThat(rules.ask("other").failure())
                    .contains(
                            "checks that wait for the rules: user 501 holds 2 of 4; raise it with"
                                    + " -Dio.holdfast.authority.waitingChecks=NUMBER");
            CompletableFuture<RuleVerdict> anothers =
                    rules.engine.evaluate(TestRules.action("other"), TestRules.user(502));
            blocked.release.countDown();
            assertThat(List.of(held.join(), first.join(), second.join(), anothers.join()))
                    .allMatch(verdict -> verdict.failure().isEmpty());
        }
    }

    @Test
    void aReloadReplacesEverythingAtOnce() {
        try (TestRules rules =
                TestRules.of("var kept = 1; polkit.addRule(() => 'yes');", "broken(")) {
            assertThat(rules.engine.diagnostics()).hasSize(1);
            assertThat(rules.word("x")).isEqualTo("yes");
            rules.replace("polkit.addRule(() => typeof kept == 'undefined' ? 'no' : 'yes');");
            assertThat(rules.engine.diagnostics()).isEmpty();
            assertThat(rules.word("x")).isEqualTo("no");
        }
    }

    @Test
    void aCheckDuringReloadsSeesOldOrNew() {
        String[] old = {"polkit.addRule(() => 'yes');"};
        String[] fresh = {"// moved", "polkit.addRule(() => 'auth_self');"};
        try (TestRules rules = TestRules.of(old)) {
            List<CompletableFuture<RuleVerdict>> verdicts = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                rules.replace(i % 2 == 0 ? fresh : old);
                for (int j = 0; j < 5; j++) {
                    verdicts.add(rules.engine.evaluate(TestRules.action("x"), TestRules.JANE));
                }
            }
            assertThat(verdicts)
                    .allSatisfy(verdict ->
                            assertThat(verdict.join().answer().orElseThrow().word())
                                    .isIn("yes", "auth_self"));
        }
    }

    @Test
    void whoWaitsForAProgramInAReloadIsAnsweredByTheOldRules(@TempDir Path folder)
            throws Exception {
        Path gate = folder.resolve("gate");
        assertThat(new ProcessBuilder("mkfifo", gate.toString()).start().waitFor()).isZero();
        try (TestRules rules =
                TestRules.of(
                        "var old = 'yes'; polkit.addRule(function(a) { if (a.id == 'wait') {"
                                + " polkit.spawn(['cat', a.lookup('gate')]); return old; } });")) {
            CompletableFuture<RuleVerdict> waiting =
                    rules.engine.evaluate(
                            TestRules.action("wait", "gate", gate.toString()), TestRules.JANE);
            Await.until(() -> rules.engine.programs().running() == 1);
            rules.replace("polkit.addRule(() => typeof old == 'undefined' ? 'auth_self' : 'no');");
            assertThat(rules.word("x")).isEqualTo("auth_self");
            Files.writeString(gate, "go");
            assertThat(waiting.join().answer().orElseThrow().word()).isEqualTo("yes");
            for (int i = 0; i < 20; i++) {
                assertThat(rules.word("x")).as("its scope is not taken").isEqualTo("auth_self");
            }
        }
    }

    @Test
    void whatIsStillWrongIsLoggedOnce() {
        try (TestRules rules = TestRules.of("broken(")) {
            int logged = rules.logged.size();
            rules.replace("broken(");
            assertThat(rules.logged).hasSize(logged);
            assertThat(rules.engine.diagnostics()).hasSize(1);
        }
    }

    @Test
    void noGlobalIsKeptForTheNextEvaluation() {
        try (TestRules rules =
                TestRules.of("var n = 0; polkit.addRule(() => ++n > 1 ? 'no' : 'yes');")) {
            for (int i = 0; i < 3; i++) {
                assertThat(rules.word("x")).isEqualTo("yes");
            }
        }
    }

    @Test
    void anAnswerThatThrowsHarmsNobody() {
        try (TestRules rules = TestRules.of(BY_USER)) {
            rules.engine.submit(
                    TestRules.JANE.uid(),
                    new RuleEngine.Work() {
                        @Override
                        public void run(Evaluator evaluator) {
                            evaluator.evaluate(
                                    TestRules.action("other"),
                                    TestRules.JANE,
                                    _ -> {
                                        throw new IllegalStateException("planted");
                                    });
                        }

                        @Override
                        public void refused(String why) {}
                    });
            assertThat(rules.word("other")).isEqualTo("auth_self");
            Await.until( // another evaluator may have answered "other"
                    () -> rules.logged.stream().anyMatch(line -> line.contains("planted")));
        }
    }

    @Test
    void logsAreLimitedAndClean() {
        try (TestRules rules =
                TestRules.of(
                        "polkit.addRule(function() { for (var i = 0; i < 500; i++)"
                                + " polkit.log('a\\n\\u001b[1m' + 'x'.repeat(2000)); });")) {
            RuleVerdict _ = rules.ask("x");
            assertThat(rules.logged).hasSize(RuleLimits.LOGGED);
            assertThat(rules.logged.peek())
                    .startsWith("/r/1.rules:1: a\\n\\u001b[1mxxx")
                    .endsWith(PrintableText.CUT)
                    .hasSizeLessThan(RuleLog.LINE + 100);
        }
    }

    @Test
    void manyEvaluationsLeaveNothing() {
        try (TestRules rules =
                TestRules.of(
                        "polkit.addRule(function(a, s) { var o = {}; o[a.lookup('n')] = s;"
                                + " return s.isInGroup('none') ? 'yes' : null; });")) {
            List<CompletableFuture<RuleVerdict>> batch = new ArrayList<>();
            long before = 0;
            for (int i = 0; i < 10_000; i++) {
                batch.add(
                        rules.engine.evaluate(
                                TestRules.action("x", "n", "key" + i), TestRules.JANE));
                if (batch.size() == 500) {
                    batch.forEach(CompletableFuture::join);
                    batch.clear();
                }
                if (i == 2_000) {
                    before = used();
                }
            }
            batch.forEach(CompletableFuture::join);
            assertThat(used() - before).isLessThan(8L << 20);
            assertThat(rules.word("x")).isEqualTo("nothing");
        }
    }

    private static long used() {
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }
}
