package io.holdfast.authority.rules;

import io.holdfast.core.limit.Limit;
import java.time.Duration;
import java.util.List;

/**
 * The limits of rules. The users of the subjects, root being one of them, share the evaluators, the
 * waiting checks, the memory and the programs as a {@link io.holdfast.core.limit.FairShare}: one
 * user gets at most half.
 *
 * @param evaluation how long one evaluation may last, including the programs that it waits for;
 *     also how long a check may wait for an evaluator
 * @param load how long one file may run when it is loaded
 * @param allocated the bytes that one evaluation, or the load of one file, may allocate
 * @param memory the bytes that all evaluations under way may have allocated together
 */
public record RuleLimits(
        Duration evaluation,
        Duration load,
        long allocated,
        long memory,
        Evaluators evaluators,
        Programs programs) {
    public static final Limit EVALUATORS =
            Limit.count("io.holdfast.authority.evaluators", 8, "threads that evaluate rules");

    public static final Limit WAITING =
            Limit.count(
                    "io.holdfast.authority.waitingChecks", 4_096, "checks that wait for the rules");

    public static final Limit MEMORY =
            Limit.bytes(
                    "io.holdfast.authority.rulesMemory",
                    Runtime.getRuntime().maxMemory() / 4,
                    "bytes that all evaluations of rules have together");

    public static final Limit PROGRAMS =
            Limit.count("io.holdfast.authority.programs", 64, "programs of polkit.spawn under way");

    /** The deepest nesting of calls. */
    public static final int DEPTH = 1_000;

    /** The characters of a detail of an action. */
    public static final int TEXT = 1 << 16;

    /** The lines that one evaluation may log by polkit.log. */
    public static final int LOGGED = 100;

    private static final RuleLimits STANDARD =
            new RuleLimits(
                    Duration.ofSeconds(15),
                    Duration.ofSeconds(15),
                    Math.min(Runtime.getRuntime().maxMemory() / 8, 32 << 20),
                    MEMORY.value(),
                    new Evaluators(
                            EVALUATORS.intValue(), WAITING.intValue(), Duration.ofMillis(20)),
                    new Programs(PROGRAMS.intValue(), Duration.ofSeconds(10), 1 << 16));

    /**
     * The threads that evaluate.
     *
     * @param count of threads; as many again may be abandoned in a built-in function
     * @param waiting the checks that wait for a thread
     * @param busy how long a thread may run one check while others wait, before another is started
     */
    public record Evaluators(int count, int waiting, Duration busy) {
        public Evaluators {
            require(count > 0 && waiting > 0 && busy.isPositive());
        }
    }

    /**
     * The programs of polkit.spawn.
     *
     * @param count of programs under way; 0 if none may run
     * @param duration of one program
     * @param output the bytes that one program may write to each of its outputs
     */
    public record Programs(int count, Duration duration, int output) {
        public Programs {
            require(count >= 0 && duration.isPositive() && output > 0);
        }
    }

    /**
     * @throws IllegalArgumentException if one is not positive
     */
    public RuleLimits {
        require(evaluation.isPositive() && load.isPositive() && allocated > 0 && memory > 0);
    }

    /**
     * Returns the standard limits, which are those of polkit(8) where it has any. System properties
     * set the shared ones: {@code io.holdfast.authority.evaluators} (8), {@code .waitingChecks}
     * (4096), {@code .programs} (64) and {@code .rulesMemory} (bytes; a quarter of the heap).
     */
    public static RuleLimits standard() {
        return STANDARD;
    }

    /** Returns the limits of rules that are set by system properties. */
    public static List<Limit> properties() {
        return List.of(EVALUATORS, WAITING, MEMORY, PROGRAMS);
    }

    public RuleLimits withEvaluation(Duration other) {
        return new RuleLimits(other, load, allocated, memory, evaluators, programs);
    }

    public RuleLimits withLoad(Duration other) {
        return new RuleLimits(evaluation, other, allocated, memory, evaluators, programs);
    }

    public RuleLimits withAllocated(long bytes) {
        return new RuleLimits(evaluation, load, bytes, memory, evaluators, programs);
    }

    public RuleLimits withEvaluators(int count, int waiting, Duration busy) {
        Evaluators other = new Evaluators(count, waiting, busy);
        return new RuleLimits(evaluation, load, allocated, memory, other, programs);
    }

    public RuleLimits withPrograms(int count, Duration duration, int output) {
        Programs other = new Programs(count, duration, output);
        return new RuleLimits(evaluation, load, allocated, memory, evaluators, other);
    }

    private static void require(boolean holds) {
        if (!holds) {
            throw new IllegalArgumentException("a limit of rules that leaves nothing");
        }
    }
}
