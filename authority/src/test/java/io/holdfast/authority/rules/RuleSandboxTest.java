package io.holdfast.authority.rules;

import static org.assertj.core.api.Assertions.as;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import io.holdfast.authority.action.ImplicitAuthorization;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a script does to break out, or to take more than its share. */
@Timeout(120)
class RuleSandboxTest {
    private static final RuleLimits LIMITS =
            RuleLimits.STANDARD.withEvaluation(Duration.ofSeconds(2)).withAllocated(64L << 20);

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
                "while (true);",
                "for (;;) { try { for (;;); } catch (e) { } finally { continue; } }",
                "(function f() { return f() + 1; })();",
                "(function f() { [1].forEach(f); })();",
                "var a = []; while (true) a.push('x'.repeat(1000));",
                "var a = []; while (true) a.push([1, 2, 3, {}]);",
                "var m = new Map(); for (var i = 0; ; i++) m.set(i, {});",
                "var s = 'x'; while (true) { s += s; if (s.length > 1e9) s.charCodeAt(5); }",
                "var a = []; for (var i = 0; i < 40; i++) a = [a, a]; uneval(a);",
                "var a = {}; for (var i = 0; i < 40; i++) a = {a, b: a}; a.toSource();",
                "polkit.spawn.__parent__.start(['true']);",
                "({}).__parent__.x;",
                "JSON.stringify({toJSON: function() { while (true); }});",
                "throw [1].map(function() { throw {message: {toString() { for (;;); }}}; });",
                "Object.defineProperty(action, 'id', {get() { for (;;); }}); return action.id;",
                "'x'.repeat(1e9);",
                "'x'.padStart(1e9);",
                "'x'.padEnd(2e9, 'ab');",
                "new Array(1e8).join('xx');",
                "Array(1e9).fill(1);",
                "Array.from({length: 1e9});",
                "Array.prototype.indexOf.call({length: 9007199254740991}, 1);",
                "Array.prototype.every.call({length: 9e15}, Boolean);",
                "[].concat(new Array(1e6), new Array(1e6)).indexOf(1);",
                "var a = ['x'.repeat(1e5)]; for (var i = 0; i < 30; i++) a = [a, a]; String(a);",
                "var a = [1]; for (var i = 0; i < 40; i++) a = [a, a]; JSON.stringify(a);",
                "var a = [1]; for (var i = 0; i < 40; i++) a = [a, a]; a.flat(1 / 0);",
                "JSON.stringify({a: 'x'.repeat(1e6), b: 'x'.repeat(1e6)}, null, 10);",
                "'a'.repeat(1e5).replace(/a/g, 'b'.repeat(1e5));",
                "'a'.repeat(9e4).replace(/a/g, () => 'b'.repeat(1e5));",
                "'a'.repeat(9e4).replace(/a/g, \"$'\");",
                "String.raw({raw: {length: 9e15}});",
                "[...new Array(1e9)];",
                "Math.max.apply(null, {length: 1e9});",
                "/(a+)+$/.test('a'.repeat(5000) + 'b');",
                "/(x+x+)+y/.exec('x'.repeat(5000));",
                "RegExp.prototype[Symbol.replace].call(/a/g, 'a'.repeat(1e6), 'b'.repeat(1e6));",
                "eval('2n ** 99999999999n');",
                "new Function('return 2n ** 99999999999n')();",
                "BigInt(2);",
                "new Uint8Array(2e9);",
                "new ArrayBuffer(2e9);",
                "java.lang.System.exit(1);",
                "Packages.java.lang.System.exit(1);",
                "load('/etc/passwd');",
                "quit();",
                "print(1);",
                "new XMLHttpRequest();",
                "action.getClass().getClassLoader();",
                "subject.class.forName('x').exit();",
                "polkit.log.getClass();",
                "(function(){}).constructor('return this')().nothing();",
                "importClass(java.io.File);",
                "new Continuation()(1);",
                "polkit.log = null;",
                "subject.groups.contains('wheel');",
                "throw null;",
                "throw undefined;",
                "throw {toString: function() { throw 1; }};",
                "throw {toString: function() { while (true); }};",
                "null.x;",
                "return 1;",
                "return true;",
                "return {};",
                "return [];",
                "return function() {};",
                "return Symbol('yes');",
                "return new String('yes');",
                "return {toString: function() { return 'yes'; }};",
                "return 'YES';",
                "return 'yes ';",
                "return 'x'.repeat(100000);",
                "return polkit;",
                "return (function*() { yield 'yes'; })();",
                "polkit.addRule(function() { return 'yes'; });",
                "polkit.spawn('true');",
                "polkit.spawn([]);",
                "polkit.spawn();",
                "polkit.spawn({length: 1e9});",
                "new polkit.spawn(['false']);",
                "polkit.spawn(['true', '\\0']);",
                "polkit.spawn(new Array(1e6));",
                "var eval = polkit.spawn; eval(['true']); throw 1;",
            })
    void anAttackIsAnsweredWithNo(String attack) {
        RuleVerdict verdict = run(attack);
        assertThat(verdict.answer().orElseThrow().word()).isEqualTo("no");
        assertThat(verdict.failure()).isPresent();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Object.prototype.toString = null; Array.prototype.push = null;",
                "Function.prototype.call = Function.prototype.apply = null;",
                "Object.freeze(subject); Object.freeze(action); subject.user;",
                "Object.defineProperty(Object.prototype, 'id', {get: function() { throw 1; }});",
                "Subject.prototype = null; Action.prototype = 1; subject.isInGroup('x');",
                "Action = Subject = undefined; String(action); String(subject);",
                "delete Subject; delete Action; delete polkit; polkit.log(1);",
                "subject.user = 'root'; subject.pid = {}; delete subject.groups;",
                "for (var k in subject) delete subject[k];",
                "Object.setPrototypeOf(subject, null); Object.setPrototypeOf(action, subject);",
                "action.__proto__ = subject; subject.groups = subject;",
                "String = Array = Error = Object = undefined;",
                "eval('var x = 1; x + 1');",
                "polkit.log('\\u001b[31m\\n\\0');",
                "for (var i = 0; i < 1000; i++) polkit.log('again');",
                "if ('abc'.replace(/b/g, x => x + x) + 'b'.match(/b/g) + /b/.exec('ab') !== 'abbcbb')"
                        + " return 'no';",
                "[3, 1, 2].sort().map(x => x * 2).join('-');",
                "JSON.stringify({a: [1, {b: 2}]}); JSON.parse('[1]');",
                "[1].map(function() { return polkit.spawn(['echo', 'x']); });",
                "'x'.replace(/x/, function() { return polkit.spawn(['echo', 'x']); });",
                "polkit.spawn.apply(null, [['true']]);",
                "if (Math.max.apply(null, null) !== -Infinity) return 'no';",
                "(function*() { yield polkit.spawn(['true']); })().next();",
                "eval('polkit.spawn([\"true\"])');",
                "({get x() { return polkit.spawn(['true']); }}).x;",
            })
    void whatIsOddButHarmlessGoesOn(String oddity) {
        RuleVerdict verdict = run(oddity);
        assertThat(verdict.answer().orElseThrow().word()).isEqualTo("yes");
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
        RuleTrial trial = new RuleTrial(files, RuleLimits.STANDARD, (_, text) -> logged.add(text));
        RuleVerdict verdict = trial.evaluate(TestRules.action("a"), TestRules.JANE);
        assertThat(verdict.answer().map(ImplicitAuthorization::word)).contains("yes");
        assertThat(logged).contains("behind");
    }

    @Test
    void aFileThatSetsWhatIsToBeCalledIsNamed() {
        RuleTrial trial =
                new RuleTrial(
                        TestRules.files("\npolkit.addRule = (function() {});"),
                        RuleLimits.STANDARD,
                        RuleLog.NOWHERE);
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

    @Test
    void aCatchWithoutANameHidesNoBigInteger() {
        try (TestRules rules =
                TestRules.of(
                        "polkit.addRule(function() { try { f('1n'); } catch { return 'yes'; } });",
                        "try { } catch { 1n; }")) {
            assertThat(rules.word("x")).isEqualTo("yes");
            assertThat(rules.engine.diagnostics())
                    .map(RuleDiagnostic::toString)
                    .containsExactly("/r/2.rules:1: big integers are not supported");
        }
    }
}
