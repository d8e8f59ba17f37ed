package io.holdfast.authority.rules.engine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.rules.RuleVerdict;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What rules may do by mistake or on purpose: each ends within its limits, on its own thread, with
 * a refusal or an answer, and leaves no trace for the next evaluation.
 */
@Timeout(60)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RuleAttackTest {
    private static final RuleLimits LIMITS =
            RuleLimits.standard().withEvaluation(Duration.ofMillis(250)).withAllocated(16 << 20);

    /** Limits for evaluations that need an answer even on a slow machine. */
    private static final RuleLimits PATIENT = RuleLimits.standard();

    /** State that rules share, and a number that changes with everything that they can reach. */
    private static final String WITNESS =
            """
            var shared = {
                n: 0, list: [1], map: new Map(), set: new Set(), weak: new WeakMap(),
                pattern: /a/g, date: new Date(1), iterator: [1, 2][Symbol.iterator](),
                generator: (function*() { for (var i = 0; ; i++) yield i; })()
            };
            var hidden = 1;
            var count = (function() { var n = 0; return function() { return ++n; }; })();

            function fingerprint(depth) {
                var seen = new Set(), sum = 7;
                function note(text) {
                    var n = text.length;
                    sum = (sum * 31 + n * 7 + text.charCodeAt(n >> 1) * 3 + text.charCodeAt(n - 1)) | 0;
                }
                function look(name, value, depth) {
                    note(name + typeof value);
                    if (value === null || typeof value != "object" && typeof value != "function") {
                        note(String(value));
                        return;
                    }
                    if (depth == 0 || seen.has(value)) {
                        return;
                    }
                    seen.add(value);
                    note(Object.isExtensible(value) + "");
                    var keys = Object.getOwnPropertyNames(value)
                        .concat(Object.getOwnPropertySymbols(value));
                    for (var i = 0; i < keys.length; i++) {
                        var told = Object.getOwnPropertyDescriptor(value, keys[i]);
                        if (told && !told.get && !told.set && keys[i] != "stack") {
                            look(String(keys[i]), told.value, depth - 1);
                        }
                    }
                    look("its prototype", Object.getPrototypeOf(value), depth - 1);
                }
                look("global", this, depth);
                look("iterator", [][Symbol.iterator](), depth);
                look("generator", (function*() {})(), depth);
                look("map", new Map().entries(), depth);
                look("text", ""[Symbol.iterator](), depth);
                note([shared.n, shared.list, shared.map.size, shared.set.size,
                    shared.weak.has(shared), shared.pattern.lastIndex, shared.date.getTime(),
                    shared.iterator.next().value, shared.generator.next().value, count(), hidden,
                    typeof undeclared].join());
                return sum;
            }
            polkit.addRule(function(action, subject) {
                if (action.id == "witness") {
                    polkit.log("witness " + fingerprint(+action.lookup("depth")));
                    return subject.isInGroup("wheel") && !subject.isInGroup("x")
                        ? "auth_self" : "no";
                }
            });
            """;

    /**
     * An attack of the table.
     *
     * @param number the number of its rule
     * @param answer "no", "yes" or "any"
     * @param body the body of the rule
     */
    record Attack(int number, String answer, String body) {
        String action() {
            return "attack." + number;
        }

        String rule() {
            return "polkit.addRule(function(action, subject) { if (action.id == '"
                    + action()
                    + "') {"
                    + body
                    + "\nreturn 'yes'; } });";
        }

        @Override
        public String toString() {
            return body.length() > 100 ? body.substring(0, 100) + "…" : body;
        }
    }

    private TestRules limited;
    private TestRules patient;
    private String shallow;

    static List<Attack> attacks() throws IOException {
        AtomicInteger number = new AtomicInteger();
        try (BufferedReader lines =
                new BufferedReader(
                        new InputStreamReader(
                                Objects.requireNonNull(
                                        RuleAttackTest.class.getResourceAsStream("attacks.txt")),
                                UTF_8))) {
            return lines.lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .map(line ->
                            new Attack(
                                    number.incrementAndGet(),
                                    line.substring(0, 4).strip(),
                                    line.substring(4)))
                    .toList();
        }
    }

    private static TestRules rules(RuleLimits limits, Predicate<Attack> which) throws IOException {
        return TestRules.of(
                limits,
                Stream.concat(
                                Stream.of(WITNESS),
                                attacks().stream().filter(which).map(Attack::rule))
                        .toArray(String[]::new));
    }

    @BeforeAll
    void open() throws IOException {
        patient = rules(PATIENT, attack -> attack.answer().equals("yes"));
        limited = rules(LIMITS, attack -> !attack.answer().equals("yes"));
        shallow = witness(limited, 3);
    }

    @AfterAll
    void close() {
        limited.close();
        patient.close();
    }

    @ParameterizedTest
    @MethodSource("attacks")
    void endsWithinItsLimitsAndLeavesNothing(Attack attack) {
        TestRules rules = attack.answer().equals("yes") ? patient : limited;
        long stuck = rules.engine.metrics().stuckEver();
        RuleVerdict verdict = rules.ask(attack.action());
        String answer = verdict.answer().map(Object::toString).orElse("not compiled");
        switch (attack.answer()) {
            case "no" -> assertThat(answer).as(verdict.toString()).isIn("no", "not compiled");
            case "yes" -> assertThat(answer).as(verdict.toString()).isEqualTo("yes");
            case "any" ->
                    assertThat(answer).as(verdict.toString()).isIn("no", "yes", "not compiled");
            case String other -> throw new AssertionError("no such answer: " + other);
        }
        assertThat(answer.equals("no")).isEqualTo(verdict.failure().isPresent());
        assertThat(witness(rules, 3)).isEqualTo(shallow);
        assertThat(rules.engine.metrics().stuckEver()).as(verdict.toString()).isEqualTo(stuck);
    }

    /** Compares deeply after all attacks. */
    @Test
    void nothingIsLeftOfAllOfThem() throws IOException {
        try (TestRules fresh = rules(PATIENT, _ -> false)) {
            assertThat(witness(limited, 20)).isEqualTo(witness(fresh, 20));
        }
    }

    /** Returns the witness's fingerprint; repeats the check if it has exceeded its time. */
    private static String witness(TestRules rules, int depth) {
        for (; ; ) {
            rules.logged.clear();
            RuleVerdict verdict = rules.ask("witness", "depth", Integer.toString(depth));
            if (verdict.failure().orElse("").contains("took longer")) {
                continue;
            }
            assertThat(verdict.answer().map(Object::toString))
                    .as(verdict.toString())
                    .contains("auth_self");
            return rules.logged.stream()
                    .filter(line -> line.contains("witness"))
                    .findFirst()
                    .orElseThrow();
        }
    }
}
