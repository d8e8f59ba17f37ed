package io.holdfast.authority.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.action.ImplicitAuthorization;
import io.holdfast.core.testkit.Gen;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 60, unit = TimeUnit.SECONDS)
class ActionGuardTest {
    private static final List<String> IDS = List.of("a.b", "a.c", "a.d", "a.e");

    @ParameterizedTest
    @ValueSource(
            strings = {
                "function (action) { if (action.id == 'a.b') { return 'yes'; } }",
                "function (action, subject) { if (action.id === \"a.b\" && subject.active) return 1; }",
                "function (a, s) { if (('a.b' == (a.id)) && s.local) { return a; } }",
                "function named(action) { 'use strict'; if (action.id == 'a.b') { return 1; }; }",
                "function (action) { if (action.id == 'a.b') { if (x) { y(); } else { z(); } } }",
                "(action, subject) => { if (action.id == 'a.b') return 1; }",
                "action => { if (action.id == 'a.b' && true) { var action = 3; } }"
            })
    void isOfTheActionThatItComparesFirst(String function) {
        assertThat(ActionGuard.of(function)).contains(Set.of("a.b"));
    }

    @Test
    void isOfAllActionsThatItCompares() {
        assertThat(
                        ActionGuard.of(
                                "function (action, subject) {"
                                        + " if (action.id == 'a' || action.id == 'b') return 1;"
                                        + " if ((action.id == 'c' || 'd' === action.id) && subject.x) {"
                                        + " return 2; } }"))
                .contains(Set.of("a", "b", "c", "d"));
    }

    @Test
    void aFunctionThatDoesNothingIsOfNoAction() {
        assertThat(ActionGuard.of("function (id) { }")).contains(Set.of());
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
                "function ({id}) { if (action.id == 'a.b') return 1; }",
                "function (...action) { if (action.id == 'a.b') return 1; }",
                "function* (action) { if (action.id == 'a.b') return 1; }",
                "function (action) { function action() {} if (action.id == 'a.b') return 1; }",
                "function (action) { var action; if (action.id == 'a.b') return 1; }",
                "function () { if (action.id == 'a.b') return 1; }",
                "action => action.id == 'a.b' ? 1 : 0",
                "method(action) { if (action.id == 'a.b') return 1; }",
                "function (action) { [native code, id] }",
                ""
            })
    void mayBeOfAnyActionElse(String function) {
        assertThat(ActionGuard.of(function)).isEmpty();
    }

    @Test
    void aLongFunctionIsNotLookedInto() {
        String function = "function (action) { if (action.id == 'a.b') { return 1; }%s }";
        int rest = ActionGuard.MAX_SOURCE - function.length() + 2;
        assertThat(ActionGuard.of(function.formatted(" ".repeat(rest)))).isPresent();
        assertThat(ActionGuard.of(function.formatted(" ".repeat(rest + 1)))).isEmpty();
    }

    @Test
    void rulesAboutOtherActionsAreCountedAndDoNotRun() {
        try (TestRules rules =
                TestRules.of(
                        """
                        polkit.addRule(function(a) { if (a.id == 'x') { return 'no'; } });
                        polkit.addRule(function(a) { polkit.log(a.id); });
                        polkit.addRule(function(a) { if (a.id == 'y') return 'yes'; });
                        """)) {
            RuleVerdict verdict = rules.ask("y");
            assertThat(verdict.answer()).contains(ImplicitAuthorization.YES);
            assertThat(verdict.passedOver()).isEqualTo(1);
            assertThat(verdict.steps())
                    .map(step -> step.place() + " " + step.result())
                    .containsExactly("/r/1.rules:2 nothing", "/r/1.rules:3 yes");
            assertThat(rules.ask("z").passedOver()).isEqualTo(2);
            assertThat(rules.word("z")).isEqualTo("nothing");
        }
    }

    /** Else a rule could be about an action that a rule before it has made of another. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "a.id = 'y';",
                "delete a.id; a.id = 'y';",
                "try { Object.defineProperty(a, 'id', {value: 'y'}); } catch (e) { }",
                "try { Object.defineProperty(a, 'id', {get: () => 'y'}); } catch (e) { }",
                "a.__proto__ = {id: 'y'};",
                "Object.setPrototypeOf(a, {id: 'y'});",
                "Action.prototype.id = 'y';"
            })
    void noScriptChangesTheActionOfACheck(String attempt) {
        try (TestRules rules =
                TestRules.of(
                        "polkit.addRule(function(a) { " + attempt + " });",
                        "polkit.addRule(function(a) { return a.id == 'x' ? 'yes' : 'no'; });")) {
            assertThat(rules.word("x")).isEqualTo("yes");
        }
    }

    static Stream<Gen> rules() {
        return Gen.cases(60);
    }

    /** What is passed over would have said nothing: with all of them run, all answers are equal. */
    @ParameterizedTest
    @MethodSource("rules")
    void passingOverChangesNoAnswer(Gen gen) {
        StringBuilder passing = new StringBuilder();
        StringBuilder running = new StringBuilder();
        for (int i = gen.between(1, 12); i > 0; i--) {
            String body = statements(gen);
            passing.append("polkit.addRule(function(action, subject) {" + body + "});\n");
            running.append("polkit.addRule(function(action, subject) {" + body + " 0;});\n");
        }
        try (TestRules passed = TestRules.of(passing.toString());
                TestRules run = TestRules.of(running.toString())) {
            for (String id : IDS) {
                RuleVerdict expected = run.ask(id);
                RuleVerdict verdict = passed.ask(id);
                assertThat(verdict.answer()).as(passing + id).isEqualTo(expected.answer());
                assertThat(verdict.failure()).as(passing + id).isEqualTo(expected.failure());
                assertThat(expected.passedOver()).isZero();
                assertThat(passed.logged).as(passing + id).containsExactlyElementsOf(run.logged);
            }
        }
    }

    private static String statements(Gen gen) {
        StringBuilder text = new StringBuilder();
        for (int i = gen.between(0, 3); i > 0; i--) {
            text.append(
                    gen.oneOf(
                            "if (" + condition(gen, 2) + ") { " + effect(gen) + " }",
                            "if (" + condition(gen, 2) + ") " + effect(gen),
                            "if ("
                                    + condition(gen, 2)
                                    + ") "
                                    + effect(gen)
                                    + " else "
                                    + effect(gen),
                            "'use strict';",
                            ";",
                            effect(gen)));
        }
        return text.toString();
    }

    private static String condition(Gen gen, int depth) {
        if (depth > 0 && gen.chance(0.4)) {
            String inner =
                    condition(gen, depth - 1)
                            + gen.oneOf(" && ", " || ")
                            + condition(gen, depth - 1);
            return gen.chance(0.5) ? "(" + inner + ")" : inner;
        }
        return gen.oneOf(
                "action.id == '" + gen.oneOf(IDS) + "'",
                "'" + gen.oneOf(IDS) + "' === action.id",
                "action.id != '" + gen.oneOf(IDS) + "'",
                "subject.active",
                "nowhere.to.be.found");
    }

    private static String effect(Gen gen) {
        return gen.oneOf(
                "return 'yes';",
                "return polkit.Result.NO;",
                "return;",
                "return 7;",
                "polkit.log(action.id);",
                "action.id = 'a.b';");
    }
}
