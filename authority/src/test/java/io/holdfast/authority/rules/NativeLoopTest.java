package io.holdfast.authority.rules;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Built-in functions, between whose steps nobody asks for limits. */
@Timeout(180)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class NativeLoopTest {
    private static final RuleLimits LIMITS =
            RuleLimits.STANDARD.withEvaluation(Duration.ofSeconds(5));

    private TestRules rules;

    @BeforeAll
    void open() {
        rules =
                TestRules.of(
                        LIMITS,
                        "polkit.addRule(function(action) { return eval('(function () {'"
                                + " + action.lookup('code') + '; return \"yes\"; })()'); });");
    }

    @AfterAll
    void close() {
        rules.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'a'.repeat(6e4).indexOf('a'.repeat(3e4) + 'b')",
                "'a'.repeat(6e4).lastIndexOf('b' + 'a'.repeat(3e4))",
                "'a'.repeat(6e4).split('a'.repeat(3e4) + 'b')",
                "'a'.repeat(6e4).replaceAll('a'.repeat(3e4) + 'b', 'x')",
                "'a'.repeat(1e6).indexOf('a'.repeat(5e5) + 'b')",
                "('a' + '\\u0301\\u0323'.repeat(3e4)).normalize('NFD')",
                "('a' + '\\u0301\\u0323'.repeat(3e4)).localeCompare('a')",
                "'\\u0130'.repeat(6e4).toLocaleLowerCase().toUpperCase()",
                "var s = 'a'.repeat(6e4), l = [];"
                        + " for (var i = 0; i < 300; i++) l.push(s + i);"
                        + " while (l.length < 5e4) l = l.concat(l); l.sort()",
                "var s = 'a'.repeat(6e4), l = [s + 'b'];"
                        + " while (l.length < 5e4) l = l.concat(l); l.indexOf(s + 'c')",
                "var a = new Array(1e5).fill(1), l = new Array(1e5).fill(a); l.sort()",
                "var a = []; var it = a.values(); a.length = 4e9; new Set(it)",
                "var a = []; var it = a[Symbol.iterator](); a.length = 4e9; [...it]",
                "var a = []; var it = a.entries(); a.length = 4e9; new Map(it)",
                "var a = []; var it = a.keys(); a.length = 4e9; Math.max(...it)",
                "var a = []; var it = a.values(); a.length = 4e9; Array.from(it)",
                "var a = []; var it = a.values(); a.length = 4e9; for (var x of it);",
                "(function () { arguments.length = 4e9; return new Set(arguments); })(1)",
                "new Set({[Symbol.iterator]: Array.prototype.values, length: 9e15})",
                "new Set('a'.repeat(1e6))",
                "new RegExp('[\\\\0-\\\\uffff]'.repeat(2e4), 'i').test('a'.repeat(1e4))",
                "RegExp({toString() { return '[\\\\0-\\\\uffff]'.repeat(2e4); }}, 'i').test('a')",
                "/x/.compile('[\\\\0-\\\\uffff]'.repeat(2e4), 'i')",
                "'a'.match('[\\\\0-\\\\uffff]'.repeat(5e3))",
                "new RegExp('[\\\\0-\\\\uffff]'.repeat(400), 'i').test('a'.repeat(6e4))",
                "/(?=(a+))*b/.test('a'.repeat(1e6))",
                "/(?=(a+))*b/.test('a'.repeat(6e4))",
                "/(?=(a+))*b/[Symbol.search]({toString() { return 'a'.repeat(1e6); }})",
                "/(.*)\\\\1b/.test('a'.repeat(6e4))",
                "/^(a*)*\\\\1$/.test('a'.repeat(6e4) + 'b')",
                "/(?<=a*a*a*a*)b/.test('a'.repeat(6e4) + 'c')",
                "'a'.repeat(6e4).search(/a*a*b/)",
                "var s = '1'.repeat(1e5); for (;;) parseInt(s) + Number(s);",
                "JSON.parse('['.repeat(6e4))",
            })
    void noneKeepsItsThread(String code) {
        RuleVerdict verdict = rules.ask("x", "code", code);
        assertThat(verdict.answer()).isPresent();
        assertThat(rules.engine.metrics().stuckEver()).as(verdict.toString()).isZero();
        assertThat(rules.word("x", "code", "return 'auth_self'")).isEqualTo("auth_self");
    }

    @Test
    void regularExpressionsAreAsTheyWere() {
        String code =
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
                """
                        .replace("\n", " ");
        RuleVerdict verdict = rules.ask("x", "code", code);
        assertThat(verdict.failure()).isEmpty();
        assertThat(verdict.answer().orElseThrow().word()).isEqualTo("yes");
    }
}
