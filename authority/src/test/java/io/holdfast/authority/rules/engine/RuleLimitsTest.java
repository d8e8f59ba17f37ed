package io.holdfast.authority.rules.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.authority.action.SourceLine;
import io.holdfast.authority.rules.RuleDiagnostic;
import io.holdfast.authority.rules.RuleFiles;
import io.holdfast.authority.rules.RuleLimits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class RuleLimitsTest {
    private static final RuleLimits STANDARD = RuleLimits.standard();

    static Stream<ThrowingCallable> nothingIsLeft() {
        Stream<ThrowingCallable> times =
                Stream.of(Duration.ZERO, Duration.ofNanos(-1))
                        .flatMap(time ->
                                Stream.<ThrowingCallable>of(
                                        () -> STANDARD.withEvaluation(time),
                                        () -> STANDARD.withLoad(time),
                                        () -> STANDARD.withEvaluators(1, 1, time),
                                        () -> STANDARD.withPrograms(1, time, 1)));
        List<ThrowingCallable> numbers =
                List.of(
                        () -> STANDARD.withAllocated(0),
                        () -> STANDARD.withEvaluators(0, 1, Duration.ofMillis(20)),
                        () -> STANDARD.withEvaluators(1, 0, Duration.ofMillis(20)),
                        () -> STANDARD.withPrograms(-1, Duration.ofSeconds(10), 1),
                        () -> STANDARD.withPrograms(1, Duration.ofSeconds(10), 0));
        return Stream.concat(times, numbers.stream());
    }

    @ParameterizedTest
    @MethodSource("nothingIsLeft")
    void aLimitThatLeavesNothingIsRefused(ThrowingCallable limits) {
        assertThatIllegalArgumentException().isThrownBy(limits);
    }

    private static final String OTHER =
            "polkit.addRule(function(a) { if (a.id == 'other') return 'auth_self'; });";

    private static RuleDiagnostic stopped(int line, String why) {
        return new RuleDiagnostic(new SourceLine(Path.of("/r/1.rules"), line), why);
    }

    /** Its rules before the endless loop apply, and so do the files after it. */
    @Test
    void aFileThatRunsAwayWhileItIsLoadedIsStoppedAndNamedWithItsLine() {
        try (TestRules rules =
                TestRules.of(
                        STANDARD.withLoad(Duration.ofMillis(300)),
                        """
                        polkit.addRule(function(a) { if (a.id == 'before') return 'yes'; });

                        function forever() {
                            while (true);
                        }
                        try { forever(); } catch (e) {} finally { polkit.addRule(function() { return 'yes'; }); }
                        """,
                        OTHER)) {
            assertThat(rules.engine.diagnostics())
                    .containsExactly(stopped(4, "took longer than 300 ms"));
            assertThat(rules.word("before")).isEqualTo("yes");
            assertThat(rules.word("other")).isEqualTo("auth_self");
            assertThat(rules.word("behind")).isEqualTo("nothing");
        }
    }

    @Test
    void aFileThatTakesAllMemoryWhileItIsLoadedIsStoppedAndNamedWithItsLine() {
        try (TestRules rules =
                TestRules.of(
                        STANDARD.withAllocated(8 << 20),
                        """
                        var all = [];
                        for (;;) all.push("x" + all.length);
                        """,
                        OTHER)) {
            assertThat(rules.engine.diagnostics())
                    .containsExactly(stopped(2, "took more than 8388608 bytes of memory"));
            assertThat(rules.word("other")).isEqualTo("auth_self");
        }
    }

    @Test
    void aProgramThatAFileWaitsForWhileItIsLoadedEndsWithItsTime() {
        try (TestRules rules =
                TestRules.of(
                        STANDARD.withLoad(Duration.ofMillis(300)),
                        "try { polkit.spawn(['sleep', '20']); } catch (e) {}",
                        OTHER)) {
            assertThat(rules.engine.diagnostics())
                    .singleElement()
                    .satisfies(each ->
                            assertThat(each.message()).isEqualTo("took longer than 300 ms"));
            assertThat(rules.word("other")).isEqualTo("auth_self");
        }
    }

    @Test
    void whatIsMoreThanAllFilesMayHaveIsNotReadAndNamed(@TempDir Path folder) throws IOException {
        String text = "//" + "x".repeat(RuleFiles.MAX_BYTES - 2);
        int fit = RuleFiles.MAX_TOTAL / RuleFiles.MAX_BYTES;
        for (int i = 0; i < fit + 2; i++) {
            Path _ = Files.writeString(folder.resolve("%02d.rules".formatted(i)), text);
        }
        RuleFiles read = RuleFiles.read(List.of(folder));
        assertThat(read.files()).hasSize(fit);
        assertThat(read.diagnostics())
                .singleElement()
                .satisfies(each ->
                        assertThat(each.toString())
                                .contains("%02d.rules".formatted(fit))
                                .contains("more than " + RuleFiles.MAX_TOTAL + " characters"));
    }
}
