package io.holdfast.authority.rules.engine;

import static io.holdfast.fuzz.Inputs.require;
import static io.holdfast.fuzz.Inputs.same;

import io.holdfast.authority.action.ImplicitAuthorization;
import io.holdfast.authority.rules.AdministratorVerdict;
import io.holdfast.authority.rules.DescribedSubject;
import io.holdfast.authority.rules.RuleAction;
import io.holdfast.authority.rules.RuleDiagnostic;
import io.holdfast.authority.rules.RuleFiles;
import io.holdfast.authority.rules.RuleFiles.RuleFile;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.rules.RuleLog;
import io.holdfast.authority.rules.RuleVerdict;
import io.holdfast.fuzz.Inputs;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Rules files, run by the engine of the daemon. Whatever a file contains, its evaluation ends
 * within the limits with an answer, no thread of the engine ends by an exception, and the next
 * generation of rules works as if the file had never existed.
 *
 * <p>{@link io.holdfast.fuzz.Bounds} does not apply: evaluations run on the engine's threads, with
 * their own limits.
 */
public final class RulesTarget {
    private static final RuleLimits LIMITS =
            RuleLimits.standard()
                    .withEvaluation(Duration.ofMillis(200))
                    .withLoad(Duration.ofMillis(200))
                    .withPrograms(0, Duration.ofMillis(100), 100);
    private static final long TIMEOUT_SECONDS = 30; // the machine may be busy
    private static final String MARKER =
            "polkit.addRule(function(action, subject) { return polkit.Result.AUTH_SELF; });";
    private static final RuleFiles INNOCENT = files(MARKER);
    private static final DescribedSubject JANE =
            DescribedSubject.atSeat(501, "jane", "users", "wheel");
    private static final RuleAction ACTION =
            new RuleAction("org.freedesktop.systemd1.manage-units", Map.of("unit", "a.service"));

    private static volatile RuleFiles current = INNOCENT;
    private static volatile Optional<Throwable> uncaught = Optional.empty();
    private static final RuleEngine ENGINE;

    static {
        Thread.setDefaultUncaughtExceptionHandler((_, e) -> uncaught = Optional.of(e));
        ENGINE = RuleEngine.start(() -> current, LIMITS, RuleLog.NOWHERE, Optional.empty());
        try { // a fuzzer that instruments a class uses the memory of the evaluation that loads it
            RuleVerdict _ = evaluate();
        } catch (ExecutionException | InterruptedException | TimeoutException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private RulesTarget() {}

    private static RuleFiles files(String... sources) {
        RuleFile[] files = new RuleFile[sources.length];
        for (int i = 0; i < sources.length; i++) {
            files[i] = new RuleFile(Path.of("/r/" + (i + 1) + ".rules"), sources[i]);
        }
        return new RuleFiles(List.of(files), List.of());
    }

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        RuleFiles hostile = files(Inputs.text(input), MARKER);
        List<RuleDiagnostic> _ = RuleLint.check(hostile, Set.of(ACTION.id()));
        current = hostile;
        ENGINE.reload();
        RuleVerdict verdict = evaluate();
        require(
                verdict.answer().isPresent() || verdict.failure().isPresent(),
                "a rule or a failure answers");
        AdministratorVerdict _ =
                ENGINE.administrators(ACTION, JANE).get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        same(ENGINE.metrics().stuckEver(), 0L);
        if (verdict.failure().isPresent()) { // a limit was reached
            theNextGenerationIsUnharmed();
        }
        if (uncaught.isPresent()) {
            throw new AssertionError("a thread of the engine ended", uncaught.get());
        }
    }

    private static void theNextGenerationIsUnharmed() throws Exception {
        current = INNOCENT;
        ENGINE.reload();
        RuleVerdict innocent = evaluate();
        same(innocent.failure(), Optional.empty());
        same(innocent.answer(), Optional.of(ImplicitAuthorization.AUTH_SELF));
    }

    private static RuleVerdict evaluate()
            throws ExecutionException, InterruptedException, TimeoutException {
        return ENGINE.evaluate(ACTION, JANE).get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    }
}
