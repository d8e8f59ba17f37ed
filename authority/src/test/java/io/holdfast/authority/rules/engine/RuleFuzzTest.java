package io.holdfast.authority.rules.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.rules.RuleAction;
import io.holdfast.authority.rules.RuleDiagnostic;
import io.holdfast.authority.rules.RuleFiles;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.rules.RuleLog;
import io.holdfast.authority.rules.RuleVerdict;
import io.holdfast.core.testkit.Gen;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests that a file with arbitrary content affects only itself. */
@Timeout(300)
class RuleFuzzTest {
    private static final RuleLimits LIMITS =
            RuleLimits.standard()
                    .withEvaluation(Duration.ofMillis(200))
                    .withLoad(Duration.ofMillis(200))
                    .withPrograms(0, Duration.ofMillis(100), 100);

    private static final List<String> GOOD =
            List.of(
                    """
                    polkit.addRule(function(action, subject) {
                        if (action.id == "org.freedesktop.udisks2.filesystem-mount"
                                && subject.local && subject.active && subject.isInGroup("storage")) {
                            return polkit.Result.YES;
                        }
                    });
                    """,
                    """
                    var units = ["a.service", /^b@.*\\.service$/];
                    polkit.addRule((action, subject) => {
                        if (action.id !== "org.freedesktop.systemd1.manage-units") return null;
                        const unit = action.lookup("unit"), verb = `${action.lookup("verb")}`;
                        for (let i in units) {
                            try {
                                if (units[i].test ? units[i].test(unit) : units[i] === unit)
                                    return verb === "restart" ? "auth_self_keep" : "auth_admin";
                            } catch (e) { polkit.log(e); } finally { i++; }
                        }
                        return undefined;
                    });
                    """,
                    """
                    polkit.addAdminRule(function(action, subject) {
                        var ids = subject.groups.map(function(g) { return "unix-group:" + g; });
                        return ids.concat(["unix-user:0"]).slice(0, 3);
                    });
                    """);

    private static final String[] TOKENS = {
        "polkit",
        ".addRule(",
        "function(",
        ")",
        "{",
        "}",
        "return ",
        "action",
        "subject",
        ".id",
        ".user",
        ".groups",
        "[",
        "]",
        "(",
        "=>",
        "while (1)",
        "for (;;)",
        "'yes'",
        "null",
        "1e9",
        "\"\"",
        "+",
        "+=",
        "=",
        "==",
        "?",
        ":",
        ",",
        ";",
        "new ",
        "Array",
        "String",
        "Object",
        ".prototype",
        ".repeat",
        ".join",
        ".apply",
        ".call",
        ".map",
        ".constructor",
        "try {",
        "} catch (e) {",
        "} finally {",
        "throw ",
        "delete ",
        "typeof ",
        "var x",
        "let y",
        "x",
        "y",
        "eval",
        "this",
        "JSON.stringify",
        "/(a+)+$/",
        ".test",
        "`${",
        "}`",
        "yield ",
        "function*",
        "get ",
        "set ",
        "__proto__",
        "arguments",
        ".length",
        "++",
        "--",
        "in ",
        "of ",
        "...",
        "~",
        "polkit.spawn(['true'])",
        "Symbol.iterator",
        "10n",
        "0x1fn",
        "\\u0000",
        "'\\ud800'"
    };

    static Stream<Gen> cases() {
        return Gen.cases(150);
    }

    private static String random(Gen gen) {
        StringBuilder source = new StringBuilder();
        for (int i = gen.between(1, 40); i > 0; i--) {
            source.append(gen.oneOf(TOKENS));
        }
        return gen.chance(0.5)
                ? "polkit.addRule(function(action, subject) {" + source + "});"
                : source.toString();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void anyFileHarmsOnlyItself(Gen gen) {
        String source =
                gen.chance(0.4)
                        ? random(gen)
                        : gen.mutate(gen.oneOf(GOOD), "(){}[];,.=+-*/\"'`$\\\n01xX<>!?:");
        RuleFiles files =
                TestRules.files(
                        source,
                        "var marker = 1;",
                        "polkit.addRule(function() { return 'auth_self'; });");
        List<RuleDiagnostic> _ = RuleLint.check(files, Set.of("org.known"));
        RuleTrial trial = new RuleTrial(files, LIMITS, RuleLog.NOWHERE, Optional.empty());
        RuleAction action = TestRules.action("org.freedesktop.systemd1.manage-units", "unit", "a");
        for (int i = 0; i < 2; i++) {
            RuleVerdict verdict = trial.evaluate(action, TestRules.JANE);
            assertThat(verdict.failure().isPresent() || verdict.steps().size() > 0)
                    .as(source)
                    .isTrue();
            assertThat(trial.administrators(action, TestRules.JANE).steps()).isNotNull();
        }
    }
}
