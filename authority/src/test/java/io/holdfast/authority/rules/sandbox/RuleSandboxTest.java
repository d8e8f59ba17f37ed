package io.holdfast.authority.rules.sandbox;

import static org.assertj.core.api.Assertions.as;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import io.holdfast.authority.action.ImplicitAuthorization;
import io.holdfast.authority.rules.RuleDiagnostic;
import io.holdfast.authority.rules.RuleFiles;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.rules.RuleLog;
import io.holdfast.authority.rules.RuleVerdict;
import io.holdfast.authority.rules.engine.RuleTrial;
import io.holdfast.authority.rules.engine.TestRules;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests what scripts can use, and what they cannot take from others. */
@Timeout(120)
class RuleSandboxTest {
    private static final RuleLimits LIMITS =
            RuleLimits.standard().withEvaluation(Duration.ofSeconds(2)).withAllocated(64L << 20);

    private static RuleVerdict run(String body) {
        try (TestRules rules =
                TestRules.of(
                        LIMITS,
                        "polkit.addRule(function(action, subject) {"
                                + " if (action.id != 'attack') return 'auth_self';\n"
                                + body
                                + "\nreturn 'yes'; });")) {
            assertThat(rules.engine.diagnostics()).isEmpty();
            RuleVerdict verdict = rules.ask("attack");
            assertThat(rules.word("afterwards")).isEqualTo("auth_self");
            assertThat(rules.word("afterwards")).isEqualTo("auth_self");
            return verdict;
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "polkit.addRule = (function() {});",
                "polkit.log = polkit.spawn = null;",
                "polkit = null;",
                "polkit = {addRule: function() {}};",
                "var polkit;",
                "var polkit = 1;",
                "let polkit = 1;",
                "const polkit = 1;",
                "function polkit() {}",
                "function polkit() {} polkit = null;",
                "eval('function polkit() {}'); polkit = null;",
                "{ function polkit() {} } polkit = null;",
                "this.polkit = null; delete this.polkit;",
                "Object.defineProperty(this, 'polkit', {value: null});",
                "delete polkit; delete polkit.addRule;",
                "Object.defineProperty(polkit, 'addRule', {value: null});",
                "Object.freeze(polkit);",
                "polkit.Result = {YES: 'no'};",
                "polkit.Result.YES = 'no';",
                "delete polkit.Result.YES; polkit.Result = null;",
                "'use strict'; polkit.Result.YES = 'no';",
                "delete Subject; delete Action; Subject = Action = null;",
            })
    void noFileTakesWhatScriptsCallFromThoseBehindIt(String attack) {
        RuleFiles files =
                TestRules.files(
                        attack,
                        """
                        polkit.addRule(function() {
                            polkit.log("behind");
                            return polkit.Result.YES;
                        });
                        """);
        List<String> logged = new ArrayList<>();
        RuleTrial trial =
                new RuleTrial(
                        files,
                        RuleLimits.standard(),
                        (_, text) -> logged.add(text),
                        Optional.empty());
        RuleVerdict verdict = trial.evaluate(TestRules.action("a"), TestRules.JANE);
        assertThat(verdict.answer().map(ImplicitAuthorization::word)).contains("yes");
        assertThat(logged).contains("behind");
    }

    @Test
    void aFileThatSetsWhatIsToBeCalledIsNamed() {
        RuleTrial trial =
                new RuleTrial(
                        TestRules.files("\npolkit.addRule = (function() {});"),
                        RuleLimits.standard(),
                        RuleLog.NOWHERE,
                        Optional.empty());
        assertThat(trial.diagnostics().stream().map(RuleDiagnostic::toString))
                .singleElement(as(STRING))
                .contains(":2: ")
                .endsWith("polkit.addRule is to be called, not set");
    }

    @Test
    void languageOf2015IsUnderstood() {
        RuleVerdict verdict =
                run(
                        """
                        const limit = 3;
                        let {id} = action, [first, second] = [1, 2, 3];
                        const t = `${id}:${second}`;
                        const f = (x = 2) => x;
                        function g(...more) { return more.length; }
                        let sum = 0;
                        for (let x of new Set([1, 2, 2])) sum += x;
                        const o = {id, [`k${sum}`]: 1};
                        if (t !== 'attack:2' || f() !== 2 || g(1, 2) !== 2 || o.k3 !== 1
                            || !'abc'.includes('b') || !subject.groups.includes('wheel'))
                          return 'no';
                        """);
        assertThat(verdict).extracting(RuleVerdict::failure).isEqualTo(Optional.empty());
        assertThat(verdict.answer().orElseThrow().word()).isEqualTo("yes");
    }

    /**
     * The interpreter would keep the parts, an object of the first evaluation, for the next one.
     */
    @Test
    void taggedTemplatesAreRefusedWithTheirLine() {
        try (TestRules rules =
                TestRules.of(
                        "\npolkit.addRule(function() { return (s => s[0])`yes`; });",
                        "polkit.addRule(function() { return `no`; });")) {
            assertThat(rules.engine.diagnostics())
                    .map(RuleDiagnostic::toString)
                    .containsExactly("/r/1.rules:2: tagged templates are not supported");
            assertThat(rules.word("x")).isEqualTo("no");
        }
    }

    @Test
    void regularExpressionsAreAsTheyWere() {
        RuleVerdict verdict =
                run(
                        """
                        var made = new RegExp('(a)(b)?', 'g'), called = RegExp('c');
                        if (!(made instanceof RegExp) || !(/x/ instanceof RegExp)
                            || /x/.constructor !== RegExp || RegExp.prototype.constructor !== RegExp
                            || RegExp(called) !== called || new RegExp(/y/i).flags !== 'i'
                            || 'xaby'.replace(made, '$2$1') !== 'xbay'
                            || 'a-b'.split(/-/).join() !== 'a,b' || 'abc'.search('c') !== 2
                            || 'aXa'.match(/a/g).length !== 2 || !/undefined/.test()
                            || [...'a1b2'.matchAll(/[0-9]/g)].join() !== '1,2'
                            || /b/.exec('abc').index !== 1 || !called.test('c')
                            || Object.prototype.toString.call(made) !== '[object RegExp]')
                          return 'no';
                        """);
        assertThat(verdict.failure()).isEmpty();
        assertThat(verdict.answer().orElseThrow().word()).isEqualTo("yes");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[3, 1, 10, 2].sort().join() == '1,10,2,3'",
                "[3, 1, 10, 2].sort(function(a, b) { return b - a; }).join() == '10,3,2,1'",
                "[{k: 1, v: 1}, {k: 0, v: 2}, {k: 1, v: 3}, {k: 0, v: 4}]"
                        + ".sort((a, b) => a.k - b.k).map(x => x.v).join() == '2,4,1,3'",
                "var a = ['b', undefined, , 'a']; a.sort(); a.length == 4 && a[0] == 'a'"
                        + " && a[1] == 'b' && 2 in a && a[2] === undefined && !(3 in a)",
                "var a = [2, 1]; a.toSorted().join() == '1,2' && a.join() == '2,1'",
                "[1, 2, 1].indexOf(1, 1) == 2 && [1, 2].indexOf(2, -1) == 1 && [NaN].indexOf(NaN) < 0",
                "[1, 2, 1].lastIndexOf(1) == 2 && [1, 2, 1].lastIndexOf(1, -2) == 0"
                        + " && [1].lastIndexOf(2) == -1",
                "[1, NaN].includes(NaN) && ![1, 2].includes(1, 1) && [1, 2].includes(2, -1)",
                "Array.prototype.indexOf.call('abc', 'b') == 1",
                "Array.from('abc').join() == 'a,b,c' && Array.from({length: 2}, (x, i) => i) == '0,1'",
                "Array.from(new Set([1, 2, 2])).length == 2 && Array.from([1, 2], x => x * 2) == '2,4'",
                "(function() { return Array.prototype.slice.call(arguments, 1).length; })(1, 2) == 1",
                "Array.prototype.map.call('ab', x => x + x).join() == 'aa,bb'",
                "[1, [2]].concat([3], 4).length == 4 && [1, 2, 3].splice(1, 1).join() == '2'",
                "'\u00c4bC'.toLowerCase() == '\u00e4bc' && '\u00e4bc'.toUpperCase() == '\u00c4BC'",
                "'a'.localeCompare('b') == -1 && 'b'.localeCompare('a') == 1 && !'a'.localeCompare('a')",
                "var f = function(a, b) { return this + a + b; }.bind('x', 'y'); f('z') == 'xyz'",
                "function P(a) { this.a = a; } var Q = P.bind(null, 7); new Q().a == 7"
                        + " && new Q() instanceof P && new Q() instanceof Q",
                "JSON.stringify({a: [1, 'b', null], c: {}}) == '{\"a\":[1,\"b\",null],\"c\":{}}'",
                "var t = ''; for (let i = 0; i < 3; i++) { t += `${i}`; } t == '012'",
                "var o = {a: 'x'}; o.a += 'y'; o['a'] += 'z'; o.a == 'xyz'",
                "var a = [1]; a[1] = 2; a.length = 1; a[0]++; a.length++; a.length == 2 && a[0] == 2",
                "var n = 0; n += 1; n++; n + '' == '2'",
                "(function() { try { throw new Error('x' + 'y'); } catch (e) { return e.message; } })() == 'xy'",
                "Object.entries({a: 1}).join() == 'a,1' && Object.assign({}, {b: 2}).b == 2",
                "new Map([[1, 2]]).get(1) == 2 && [...new Map([[1, 2]]).keys()].join() == '1'",
                "Array.isArray([]) && Number('7') == 7 && parseInt('8x') == 8 && isNaN(NaN)",
                "String(new Date(0).getTime()) == '0' && Math.max(1, 2) == 2",
                "(function(a) { for (var i in a) return i; })({k: 1}) == 'k'",
                "'a,b'.split(',').join('-').replace('a', 'c').substring(0, 2) == 'c-'"
            })
    void builtInFunctionsDoWhatTheyAreFor(String condition) {
        RuleVerdict verdict =
                run(
                        "if (!eval(\""
                                + condition.replace("\\", "\\\\").replace("\"", "\\\"")
                                + "\")) return 'no';");
        assertThat(verdict.failure()).isEmpty();
        assertThat(verdict.answer().orElseThrow().word()).isEqualTo("yes");
    }
}
