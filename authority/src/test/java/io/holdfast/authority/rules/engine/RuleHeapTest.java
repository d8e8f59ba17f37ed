package io.holdfast.authority.rules.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.rules.DescribedSubject;
import io.holdfast.authority.rules.RuleAction;
import io.holdfast.authority.rules.RuleFiles;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.rules.RuleLog;
import io.holdfast.authority.rules.RuleVerdict;
import io.holdfast.core.testkit.ChildJvm;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tests rules that use up all memory, in the heap size that the authority is shipped with. */
@Timeout(120)
class RuleHeapTest {
    /** The JVM options of {@code holdfast authority}. */
    private static final List<String> SHIPPED =
            List.of("-Xms10m", "-Xmx64m", "-Xmn4m", "-XX:SurvivorRatio=1", "-Xss256k");

    /** Simultaneous users, each with a rule that uses much memory. */
    private static final int USERS = 6;

    private static final int ROUNDS = 12;

    /** Runs with its own heap. */
    static final class Program {
        private static final String RULES =
                """
                polkit.addRule(function(action, subject) {
                    var kept = [], n = 'length', i;
                    switch (action.id) {
                        case 'hungry.0': for (;;) kept.push(new Array(1000));
                        case 'hungry.1': for (i = 0; ; i++) kept.push('x'.repeat(60000) + i);
                        case 'hungry.2': kept[0] = 1; for (;;) kept[n] = kept[n] * 1.4 + 9 | 0;
                        case 'hungry.3': for (i = 0; ; i++) kept[kept.length] = {i: i, a: [i]};
                        case 'hungry.4': for (;;) kept.push('ab'.repeat(30000).split(''));
                        case 'hungry.5': (function f(...r) { kept.push(r); f.apply(null, r.concat(r)); })(1);
                    }
                    return 'yes';
                });
                """;

        static void main() throws Exception {
            RuleFiles files = TestRules.files(RULES);
            List<Throwable> thrown = new ArrayList<>();
            try (RuleEngine engine =
                    RuleEngine.start(
                            () -> files,
                            RuleLimits.standard(),
                            RuleLog.NOWHERE,
                            Optional.empty())) {
                List<Thread> users = new ArrayList<>();
                for (int user = 0; user < USERS; user++) {
                    RuleAction action = new RuleAction("hungry." + user, Map.of());
                    DescribedSubject subject = TestRules.user(1000 + user);
                    users.add(
                            Thread.ofPlatform()
                                    .start(() -> {
                                        for (int i = 0; i < ROUNDS; i++) {
                                            RuleVerdict verdict =
                                                    engine.evaluate(action, subject).join();
                                            if (verdict.failure().isEmpty()) {
                                                throw new IllegalStateException(verdict.toString());
                                            }
                                        }
                                    }));
                }
                Thread.setDefaultUncaughtExceptionHandler((_, e) -> thrown.add(e));
                int served = 0;
                while (users.stream().anyMatch(Thread::isAlive)) {
                    byte[] message = new byte[1 << 20]; // as other parts of the daemon allocate
                    RuleVerdict verdict =
                            engine.evaluate(new RuleAction("plain", Map.of()), TestRules.JANE)
                                    .join();
                    if (verdict.failure().isPresent() || message.length == 0) {
                        throw new IllegalStateException(verdict.toString());
                    }
                    served++;
                }
                System.out.println(thrown.isEmpty() ? "served " + served : "thrown " + thrown);
            }
        }
    }

    @Test
    void hungryRulesOfManyUsersTakeNothingFromAnybodyElse() {
        ChildJvm.Result result = ChildJvm.run(SHIPPED, Program.class);
        assertThat(result.output()).startsWith("served ");
        assertThat(result.status()).isZero();
    }
}
