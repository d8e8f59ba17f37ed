package io.holdfast.authority.rules.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.rules.RuleVerdict;
import io.holdfast.authority.rules.engine.TestRules;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mozilla.javascript.ast.ExpressionStatement;
import org.mozilla.javascript.ast.FunctionNode;
import org.mozilla.javascript.ast.ParenthesizedExpression;

class RuleFunctionTest {
    private static Set<String> actions(String function) {
        ExpressionStatement statement =
                (ExpressionStatement) ScriptSource.parse("(" + function + ")", "x").getFirstChild();
        return RuleFunction.actions(
                (FunctionNode)
                        ((ParenthesizedExpression) statement.getExpression()).getExpression());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "function (action) { if (action.id == 'a.b') { return 'yes'; } }",
                "function (action, subject) { if (action.id === \"a.b\" && subject.active) return 1; }",
                "function (a, s) { if ((((a.id)) == 'a.b') && s.local && f()) { return a; } }",
                "(action, subject) => { if (action.id == 'a.b') return 1; }",
                "action => { if (action.id == 'a.b' && true) { var action = 3; } }"
            })
    void concernsTheActionThatItComparesFirst(String function) {
        assertThat(actions(function)).containsExactly("a.b");
    }

    @Test
    void concernsAllActionsThatItCompares() {
        assertThat(
                        actions(
                                "function (action, subject) {"
                                        + " if (action.id == 'a' || action.id == 'b') return 1;"
                                        + " if ((action.id == 'c' || action.id === 'd')"
                                        + " && subject.x) { return 2; } }"))
                .containsExactlyInAnyOrder("a", "b", "c", "d");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "function (action) { if (action.id == 'a.b') { return 1; } else { return 2; } }",
                "function (action) { if (action.id == 'a.b') return 1; return 2; }",
                "function (action) { log(); if (action.id == 'a.b') return 1; }",
                "function (action, subject) { if (subject.active && action.id == 'a.b') return 1; }",
                "function (action, subject) { if (action.id == 'a.b' || subject.active) return 1; }",
                "function (action) { if (action.id != 'a.b') return 1; }",
                "function (action) { if (action.id == b) return 1; }",
                "function (action) { if (action.id == 'a.' + 'b') return 1; }",
                "function (action) { if (action.lookup('id') == 'a.b') return 1; }",
                "function (action) { if (action['id'] == 'a.b') return 1; }",
                "function (action) { if (subject.id == 'a.b') return 1; }",
                "function (action) { if (action.id.x == 'a.b') return 1; }",
                "function (subject, action) { if (action.id == 'a.b') return 1; }",
                "function (action, action) { if (action.id == 'a.b') return 1; }",
                "function (action = 1) { if (action.id == 'a.b') return 1; }",
                "function (action, subject = f()) { if (action.id == 'a.b') return 1; }",
                "function (action, {user}) { if (action.id == 'a.b') return 1; }",
                "function ({id}) { if (action.id == 'a.b') return 1; }",
                "function (...action) { if (action.id == 'a.b') return 1; }",
                "function* (action) { if (action.id == 'a.b') return 1; }",
                "function (action) { function action() {} if (action.id == 'a.b') return 1; }",
                "function (action) { var action; if (action.id == 'a.b') return 1; }",
                "function () { if (action.id == 'a.b') return 1; }",
                "action => action.id == 'a.b' ? 1 : 0"
            })
    void mayConcernAnyActionOtherwise(String function) {
        assertThat(actions(function)).isEmpty();
    }

    @Test
    void rulesAboutOtherActionsAreCountedAndDoNotRun() {
        try (TestRules rules =
                TestRules.of(
                        """
                        polkit.addRule(function(a) { if (a.id == 'x') { return 'no'; } });
                        polkit.addRule(function(a) { polkit.log(a.id); });
                        """)) {
            RuleVerdict verdict = rules.ask("y");
            assertThat(verdict.skipped()).isEqualTo(1);
            assertThat(verdict.steps()).hasSize(1);
            assertThat(rules.logged).containsExactly("/r/1.rules:2: y");
        }
    }

    @Test
    void aFileKeepsNoPartsOfATemplateInADefaultValue() {
        try (TestRules rules = TestRules.of("function parts(a, b = String.raw`x`) { return b; }")) {
            assertThat(rules.engine.diagnostics())
                    .singleElement()
                    .asString()
                    .contains("tagged templates are not supported");
        }
    }
}
