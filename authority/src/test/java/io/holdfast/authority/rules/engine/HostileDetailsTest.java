package io.holdfast.authority.rules.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.rules.RuleVerdict;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Rules that an administrator may write, and callers who choose the details of the action so that
 * these rules take as much time and memory as they can.
 */
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HostileDetailsTest {
    private static final int LONGEST = RuleLimits.TEXT;

    /** Expressions of two details, {@code text} and {@code other}. */
    private static final List<String> HONEST =
            List.of(
                    "/^([a-z]+)+$/.test(text)",
                    "text.match(/(.*)\\.(.*)\\.(.*)service$/)",
                    "text.match(/[a-z]/g) && text.match(/[a-z]/g).length",
                    "text.indexOf(other) >= 0 || text.lastIndexOf(other) >= 0 || text.includes(other)",
                    "text.toLowerCase() == other.toUpperCase()",
                    "text.localeCompare(other) == 0",
                    "text.split('').reverse().join('') == other",
                    "text.split(other).join(text)",
                    "text.replace(/a/g, other).replace(other, text)",
                    "text.replaceAll('a', other)",
                    "text.replace(/a/g, function(x) { return x + other; })",
                    "text.split('/').map(function(x) { return x.trim(); }).filter(Boolean).sort().join()",
                    "(function() { try { return JSON.parse(text); } catch (e) { return null; } })()",
                    "(function() { try { return eval('(' + JSON.stringify(text) + ')'); } catch (e) {} })()",
                    "new RegExp(text).test(other)",
                    "'x'.repeat(parseInt(text, 10) || 0) + 'x'.padEnd(Number(other) || 0)",
                    "(function() { var n = 0; for (var c of text) { n += c.charCodeAt(0); } return n; })()",
                    "(function() { var all = ''; for (var i = 0; i < text.length; i++) { all += text; } return all; })()",
                    "String(action) + String(subject) + action.lookup(text)",
                    "[text, other].indexOf(text) == 0 && text.substring(0, 3) + text.slice(-3)",
                    "encodeURIComponent(text.replace(/[^ -~]/g, ''))",
                    "polkit.log(text)",
                    "new Array(parseInt(text, 10) % 4294967295 || 0).fill('x').join('')",
                    "Array.from({length: text}).length",
                    "'x'.padEnd(Number(text) || 0)",
                    "(function() { var seen = []; seen[text] = 1; seen.forEach(String); return seen.indexOf(2); })()",
                    "(function() { var seen = []; seen[text] = 1; return String(seen) + JSON.stringify(seen); })()",
                    "(function() { var seen = []; seen[text] = 1; return new Set(seen).size; })()",
                    "subject.isInGroup(text)");

    private static final List<String> HOSTILE =
            List.of(
                    "a".repeat(LONGEST - 1) + "!",
                    "\u03a3".repeat(LONGEST),
                    "a" + "\u0301\u0323".repeat(LONGEST / 2 - 1),
                    "$'$`$&".repeat(LONGEST / 6),
                    "[".repeat(LONGEST),
                    "[\\0-\\uffff]".repeat(LONGEST / 11),
                    "a/../".repeat(LONGEST / 5),
                    "9".repeat(LONGEST),
                    "2147483647",
                    "4294967294",
                    "\ud800\u0000\n'\"\\`${}",
                    "");

    private TestRules rules;

    @BeforeAll
    void open() {
        rules =
                TestRules.of(
                        Stream.iterate(0, i -> i + 1)
                                .limit(HONEST.size())
                                .map(i ->
                                        "polkit.addRule(function(action, subject) { if (action.id == 'honest."
                                                + i
                                                + "') { var text = action.lookup('text'), other = action.lookup('other'); return ("
                                                + HONEST.get(i)
                                                + ") ? 'yes' : 'auth_self'; } });")
                                .toArray(String[]::new));
        assertThat(rules.engine.diagnostics()).isEmpty();
    }

    @AfterAll
    void close() {
        rules.close();
    }

    static Stream<Arguments> pairs() {
        return Stream.iterate(0, i -> i + 1)
                .limit(HONEST.size())
                .flatMap(i -> HOSTILE.stream().map(text -> Arguments.of(i, text)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("pairs")
    void anHonestRuleEndsWithinItsLimitsWhateverTheDetails(int rule, String text) {
        for (String other : List.of(text, "a", "a".repeat(LONGEST / 2) + "b")) {
            RuleVerdict verdict = rules.ask("honest." + rule, "text", text, "other", other);
            assertThat(verdict.answer()).as(verdict.toString()).isPresent();
        }
        assertThat(rules.engine.metrics().stuckEver()).isZero();
        assertThat(rules.word("other")).isEqualTo("nothing");
    }

    @Test
    void aDetailBeyondTheLimitOfTextIsRefused() {
        RuleVerdict verdict = rules.ask("honest.0", "text", "a".repeat(LONGEST + 1), "other", "");
        assertThat(verdict.failure().orElseThrow())
                .contains("the detail text has 65537 characters, and the limit is 65536");
    }

    @Test
    void namesOfDetailsHideNothingOfTheAction() {
        try (TestRules named =
                TestRules.of(
                        "polkit.addRule(function(action) { return action.id == 'x'"
                                + " && action.lookup('id') == 'y' && action.lookup('toString') == 'z'"
                                + " && action.lookup('__proto__') === 'p'"
                                + " && action.lookup('constructor') === undefined"
                                + " && String(action).indexOf('[Action') == 0 ? 'yes' : 'no'; });")) {
            assertThat(named.word("x", "id", "y", "toString", "z", "__proto__", "p"))
                    .isEqualTo("yes");
        }
    }
}
