package io.holdfast.authority.rules.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.action.ImplicitAuthorization;
import io.holdfast.authority.rules.DescribedSubject;
import io.holdfast.authority.rules.RuleSubject;
import io.holdfast.authority.rules.RuleVerdict;
import io.holdfast.authority.rules.engine.GoneSubject;
import io.holdfast.authority.rules.engine.TestRules;
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
class RuleGuardTest {
    private static final List<String> IDS = List.of("a.b", "a.c", "a.d", "a.e");
    private static final List<String> USERS = List.of("jane", "joe", "ann");

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
        assertThat(RuleGuard.of(function).actions()).contains(Set.of("a.b"));
    }

    @Test
    void isOfAllActionsThatItCompares() {
        RuleGuard guard =
                RuleGuard.of(
                        "function (action, subject) {"
                                + " if (action.id == 'a' || action.id == 'b') return 1;"
                                + " if ((action.id == 'c' || 'd' === action.id) && subject.x) {"
                                + " return 2; } }");
        assertThat(guard.actions()).contains(Set.of("a", "b", "c", "d"));
        assertThat(guard.users()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "function (action, subject) { if (subject.user == 'jane') return 1; }",
                "function (a, s) { if (a.id == 'a' && s.user === 'jane') return 1; }",
                "function (a, s) { if (a.id == 'a' && 'jane' == (s.user) && s.local) return 1; }",
                "function (a, s) { if ((a.id == 'a' || a.id == 'b') && (s.user == 'jane')) f(); }",
                "function (a, s) { if (s.user == 'jane' && f() && a.id == 'a') return 1; }",
                "(a, s) => { if (s.user == 'jane' && s.user == 'joe') return 1; }"
            })
    void isOfTheUserThatItComparesAfterNothingButTheAction(String function) {
        assertThat(RuleGuard.of(function).users()).contains(Set.of("jane"));
    }

    @Test
    void isOfAllUsersThatItCompares() {
        RuleGuard guard =
                RuleGuard.of(
                        "function (action, subject) {"
                                + " if (action.id == 'a' && subject.user == 'ann') return 1;"
                                + " if (subject.user == 'bob' || action.id == 'b' &&"
                                + " (subject.user == 'eve' && f() || 'joe' == subject.user))"
                                + " return 2; }");
        assertThat(guard.users()).contains(Set.of("ann", "bob", "eve", "joe"));
        assertThat(guard.actions()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "function (a, s) { if (a.id == 'a' && f() && s.user == 'jane') return 1; }",
                "function (a, s) { if (s.local && s.user == 'jane') return 1; }",
                "function (a, s) { if (a.id == 'a' && a.id == 'b' && s.user == 'jane') return 1; }",
                "function (a, s) { if ((a.id == 'a' && a.id == 'b' || a.id == 'c') && s.user == 'x') 1; }",
                "function (a, s) { if (a.id == 'a' && (a.id == 'b' && s.user == 'x')) return 1; }",
                "function (a, s) { if (s.user == 'jane' || s.local) return 1; }",
                "function (a, s) { if (s.user == 'jane') return 1; if (a.id == 'a') return 2; }",
                "function (a, s) { if (s.user == 'jane') return 1; else return 2; }",
                "function (a, s) { if (s.user != 'jane') return 1; }",
                "function (a, s) { if (a.user == 'jane') return 1; }",
                "function (s) { if (s.user == 'jane') return 1; }",
                "function (a) { if (subject.user == 'jane') return 1; }",
                "function (a, s) { if (s.user == 501) return 1; }",
                "function (a, s) { if (s.user.x == 'jane') return 1; }",
                "function (a, s) { if (a.id != 'a' && s.user == 'jane') return 1; }",
                "function (a, {user}) { if (user == 'jane') return 1; }",
                "function (a, s) { f(); if (s.user == 'jane') return 1; }"
            })
    void mayBeOfAnyUserElse(String function) {
        assertThat(RuleGuard.of(function).users()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"function (id) { }", "function () { ; }", "() => { 'use strict'; }"})
    void aFunctionThatDoesNothingIsOfNothing(String function) {
        RuleGuard guard = RuleGuard.of(function);
        assertThat(guard.actions()).contains(Set.of());
        assertThat(guard.users()).contains(Set.of());
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
        assertThat(RuleGuard.of(function).actions()).isEmpty();
    }

    @Test
    void aLoopMayAddAsManyAsTheLimitAllows() {
        try (TestRules rules =
                TestRules.of(
                        "for (var i = 0; i < 10000; i++) polkit.addRule(function(action, subject) {"
                                + " if (action.id == 'x' && subject.user == 'joe') return 'no'; });"
                                + "polkit.addRule(function() { return 'yes'; });")) {
            RuleVerdict verdict = rules.ask("x");
            assertThat(verdict.answer()).contains(ImplicitAuthorization.YES);
            assertThat(verdict.skipped()).isEqualTo(10_000);
        }
    }

    @Test
    void aLongFunctionIsNotLookedInto() {
        String function = "function (action) { if (action.id == 'a.b') { return 1; }%s }";
        int rest = RuleGuard.MAX_SOURCE - function.length() + 2;
        assertThat(RuleGuard.of(function.formatted(" ".repeat(rest))).actions()).isPresent();
        assertThat(RuleGuard.of(function.formatted(" ".repeat(rest + 1))))
                .isEqualTo(RuleGuard.NONE);
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
            assertThat(verdict.skipped()).isEqualTo(1);
            assertThat(verdict.steps())
                    .map(step -> step.place() + " " + step.result())
                    .containsExactly("/r/1.rules:2 nothing", "/r/1.rules:3 yes");
            assertThat(rules.ask("z").skipped()).isEqualTo(2);
            assertThat(rules.word("z")).isEqualTo("nothing");
        }
    }

    @Test
    void rulesAboutOtherUsersAreCountedAndDoNotRun() {
        try (TestRules rules =
                TestRules.of(
                        """
                        polkit.addRule(function(a, s) { if (s.user == 'joe') return 'no'; });
                        polkit.addRule(function(a, s) {
                            if (a.id == 'x' && s.user == 'joe') return 'no';
                        });
                        polkit.addRule(function(a, s) { polkit.log(s.user); });
                        polkit.addRule(function(a, s) { if (s.user == 'jane') return 'yes'; });
                        polkit.addRule(function(a, s) { if (s.user == 'joe') return 'no'; });
                        """)) {
            RuleVerdict verdict = rules.ask("x");
            assertThat(verdict.answer()).contains(ImplicitAuthorization.YES);
            assertThat(verdict.skipped()).isEqualTo(2);
            assertThat(verdict.steps())
                    .map(step -> step.place() + " " + step.result())
                    .containsExactly("/r/1.rules:5 nothing", "/r/1.rules:6 yes");
            assertThat(rules.ask("z").skipped()).isEqualTo(2);
            assertThat(rules.word(DescribedSubject.remote(502, "joe"), "z")).isEqualTo("no");
            assertThat(rules.ask(DescribedSubject.remote(503, "ann"), "z").skipped()).isEqualTo(4);
        }
    }

    /** A subject is an ordinary object, and a rule may change it for later rules. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "s.user = 'joe';",
                "s.user = 'j' + 'oe';",
                "s['us' + 'er'] = 'joe';",
                "delete s.user; s.user = 'joe';",
                "delete s.user; s.__proto__ = {user: 'joe'};",
                "Object.defineProperty(s, 'user', {value: 'joe'});",
                "Object.defineProperty(s, 'user', {get: () => 'joe'});",
                "Object.assign(s, {user: 'joe'});",
                "s.__defineGetter__('user', () => 'joe');",
                "s.user = {toString: () => 'joe'};",
                "s.user = ['joe'];",
                "s.user = new String('joe');",
                "s.user = 'joe'; Object.freeze(s);"
            })
    void whomARuleMakesOfTheSubjectIsSeenByThoseBehindIt(String change) {
        try (TestRules rules =
                TestRules.of(
                        "polkit.addRule(function(a, s) { if (a.id == 'y') { " + change + " } });",
                        "polkit.addRule(function(a, s) { if (s.user == 'joe') return 'no'; });",
                        "polkit.addRule(function(a, s) { if (s.user == 'jane') return 'yes'; });")) {
            assertThat(rules.word("x")).isEqualTo("yes");
            assertThat(rules.word("y")).isEqualTo("no");
        }
    }

    /** Properties that were not read before the freeze exist all the same. */
    @ParameterizedTest
    @ValueSource(strings = {"freeze", "seal", "preventExtensions"})
    void aRuleThatFreezesTheSubjectHidesNothingFromThoseBehindIt(String freeze) {
        try (TestRules rules =
                TestRules.of(
                        "polkit.addRule(function(a, s) { Object." + freeze + "(s); });",
                        "polkit.addRule(function(a, s) { if (s.user == 'jane' && s.groups[0])"
                                + " { 'use strict'; return s.user + s.uid == 'jane501' ? 'no' : 1; } });")) {
            assertThat(rules.word("x")).isEqualTo("no");
        }
    }

    @Test
    void aUserWhoCannotBeFoundFailsTheRuleThatAsks() {
        try (TestRules rules =
                TestRules.of(
                        "polkit.addRule(function(a, s) { if (a.id == 'x') return 'yes'; });"
                                + "\npolkit.addRule(function(a, s) {"
                                + " if (a.id == 'y' && s.user == 'joe') return 'no'; });"
                                + "\npolkit.addRule(function(a, s) { return 'yes'; });")) {
            assertThat(rules.word(new GoneSubject(), "x")).isEqualTo("yes");
            RuleVerdict verdict = rules.ask(new GoneSubject(), "y");
            assertThat(verdict.answer()).contains(ImplicitAuthorization.NO);
            assertThat(verdict.failure()).contains("/r/1.rules:2: the process has gone");
        }
    }

    /**
     * Otherwise a rule could concern an action that an earlier rule has put in place of another.
     */
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

    /** A skipped rule has no effect: if all rules run, all answers are the same. */
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
                for (String user : USERS) {
                    RuleSubject subject = DescribedSubject.remote(501, user);
                    RuleVerdict expected = run.ask(subject, id);
                    RuleVerdict verdict = passed.ask(subject, id);
                    String which = passing + id + " " + user;
                    assertThat(verdict.answer()).as(which).isEqualTo(expected.answer());
                    assertThat(verdict.failure()).as(which).isEqualTo(expected.failure());
                    assertThat(expected.skipped()).isZero();
                    assertThat(passed.logged).as(which).containsExactlyElementsOf(run.logged);
                }
            }
        }
    }

    private static String statements(Gen gen) {
        StringBuilder text = new StringBuilder(gen.chance(0.2) ? "'use strict';" : "");
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
                "subject.user == '" + gen.oneOf(USERS) + "'",
                "'" + gen.oneOf(USERS) + "' === subject.user",
                "subject.user != '" + gen.oneOf(USERS) + "'",
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
                "polkit.log(subject.user);",
                "action.id = 'a.b';",
                "subject.user = '" + gen.oneOf(USERS) + "';",
                "delete subject.user;",
                "Object.freeze(subject);",
                "polkit.log(Object.keys(subject).join());",
                "Object.defineProperty(subject, 'user',"
                        + " {get: () => { polkit.log('asked'); return 'joe'; }});");
    }
}
