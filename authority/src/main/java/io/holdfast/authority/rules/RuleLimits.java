package io.holdfast.authority.rules;

import io.holdfast.core.limit.Limit;
import java.time.Duration;
import java.util.List;

/**
 * What rules may take. {@code evaluators}, {@code waiting}, {@code memory} and {@code programs} are
 * shared by the users who are asked about, root being one of them, as a {@link
 * io.holdfast.core.limit.FairShare}: one user takes half of it at most.
 *
 * @param evaluation how long one evaluation may last, the programs it waits for included; also the
 *     longest that a check waits for an evaluator
 * @param load how long one file may run when it is loaded
 * @param allocated bytes that one evaluation, or the load of one file, may allocate
 * @param depth calls within calls
 * @param text characters of a string that a built-in function takes or makes
 * @param elements of an array that a built-in function goes through
 * @param patience how long an evaluator may be at one check while others wait, before another is
 *     started
 * @param evaluators threads that evaluate, shared by the users; as many again may be abandoned in a
 *     built-in function
 * @param waiting checks that wait for an evaluator, shared by the users
 * @param memory bytes that all evaluations under way may have allocated together, shared by the
 *     users
 * @param programs of {@code polkit.spawn} under way, shared by the users
 * @param program how long one of them may run
 * @param output bytes that one of them may write to each of its outputs
 * @param logged lines of {@code polkit.log} an evaluation
 */
public record RuleLimits(
        Duration evaluation,
        Duration load,
        long allocated,
        int depth,
        int text,
        int elements,
        Duration patience,
        int evaluators,
        int waiting,
        long memory,
        int programs,
        Duration program,
        int output,
        int logged) {

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

    /**
     * Those of polkit(8) where it has any. System properties set what users share: {@code
     * io.holdfast.authority.evaluators} (8), {@code .waitingChecks} (4096), {@code .programs} (64)
     * and {@code .rulesMemory} (bytes; a quarter of the heap).
     */
    public static final RuleLimits STANDARD =
            new RuleLimits(
                    Duration.ofSeconds(15),
                    Duration.ofSeconds(15),
                    Math.min(Runtime.getRuntime().maxMemory() / 8, 32 << 20),
                    1_000,
                    1 << 16,
                    100_000,
                    Duration.ofMillis(20),
                    EVALUATORS.intValue(),
                    WAITING.intValue(),
                    MEMORY.value(),
                    PROGRAMS.intValue(),
                    Duration.ofSeconds(10),
                    1 << 16,
                    100);

    /** The limits of rules that are system properties. */
    public static List<Limit> properties() {
        return List.of(EVALUATORS, WAITING, MEMORY, PROGRAMS);
    }

    /**
     * @throws IllegalArgumentException if a limit is not positive; {@code programs} and {@code
     *     logged} may be 0
     */
    public RuleLimits {
        if (allocated <= 0
                || depth <= 0
                || text <= 0
                || elements <= 0
                || evaluators <= 0
                || waiting <= 0
                || memory <= 0
                || programs < 0
                || output <= 0
                || logged < 0
                || !evaluation.isPositive()
                || !load.isPositive()
                || !patience.isPositive()
                || !program.isPositive()) {
            throw new IllegalArgumentException("a limit of rules that leaves nothing");
        }
    }

    /**
     * @param duration of {@link #evaluation}, positive; 15 s by default
     * @throws IllegalArgumentException if it is not positive
     */
    public RuleLimits withEvaluation(Duration duration) {
        return new RuleLimits(
                duration,
                load,
                allocated,
                depth,
                text,
                elements,
                patience,
                evaluators,
                waiting,
                memory,
                programs,
                program,
                output,
                logged);
    }

    /**
     * @param duration of {@link #load}, positive; 15 s by default
     * @throws IllegalArgumentException if it is not positive
     */
    public RuleLimits withLoad(Duration duration) {
        return new RuleLimits(
                evaluation,
                duration,
                allocated,
                depth,
                text,
                elements,
                patience,
                evaluators,
                waiting,
                memory,
                programs,
                program,
                output,
                logged);
    }

    /**
     * @param bytes of {@link #allocated}, positive; an eighth of the heap and at most 32 MiB by
     *     default
     * @throws IllegalArgumentException if it is not positive
     */
    public RuleLimits withAllocated(long bytes) {
        return new RuleLimits(
                evaluation,
                load,
                bytes,
                depth,
                text,
                elements,
                patience,
                evaluators,
                waiting,
                memory,
                programs,
                program,
                output,
                logged);
    }

    /**
     * @param count of {@link #evaluators}, positive; 8 by default
     * @param queue of {@link #waiting}, positive; 4096 by default
     * @param patience until another is started, positive; 20 ms by default
     * @throws IllegalArgumentException if one of them is not positive
     */
    public RuleLimits withEvaluators(int count, int queue, Duration patience) {
        return new RuleLimits(
                evaluation,
                load,
                allocated,
                depth,
                text,
                elements,
                patience,
                count,
                queue,
                memory,
                programs,
                program,
                output,
                logged);
    }

    /**
     * @param bytes of {@link #memory}, positive; a quarter of the heap by default
     * @throws IllegalArgumentException if it is not positive
     */
    public RuleLimits withMemory(long bytes) {
        return new RuleLimits(
                evaluation,
                load,
                allocated,
                depth,
                text,
                elements,
                patience,
                evaluators,
                waiting,
                bytes,
                programs,
                program,
                output,
                logged);
    }

    /**
     * @param count of {@link #programs}, 0 or more; 64 by default
     * @param duration of {@link #program}, positive; 10 s by default
     * @param bytes of {@link #output}, positive; 64 KiB by default
     * @throws IllegalArgumentException if one of them is out of its range
     */
    public RuleLimits withPrograms(int count, Duration duration, int bytes) {
        return new RuleLimits(
                evaluation,
                load,
                allocated,
                depth,
                text,
                elements,
                patience,
                evaluators,
                waiting,
                memory,
                count,
                duration,
                bytes,
                logged);
    }
}
