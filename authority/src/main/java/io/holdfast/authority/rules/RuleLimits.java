package io.holdfast.authority.rules;

import io.holdfast.core.limit.Limit;
import java.time.Duration;
import java.util.List;

/**
 * The limits of rules. {@code evaluators}, {@code waiting}, {@code memory} and {@code programs} are
 * shared by the users of the subjects, root being one of them, as a {@link
 * io.holdfast.core.limit.FairShare}: one user gets at most half.
 *
 * @param evaluation how long one evaluation may last, including the programs that it waits for;
 *     also how long a check may wait for an evaluator
 * @param load how long one file may run when it is loaded
 * @param allocated bytes that one evaluation, or the load of one file, may allocate
 * @param depth the deepest nesting of calls
 * @param text characters of a detail of an action
 * @param busyLimit how long an evaluator may run one check while others wait, before another
 *     evaluator is started
 * @param evaluators threads that evaluate, shared by the users; as many again may be abandoned in a
 *     built-in function
 * @param waiting checks that wait for an evaluator, shared by the users
 * @param memory bytes that all evaluations under way may have allocated together, shared by the
 *     users
 * @param programs programs of {@code polkit.spawn} under way, shared by the users
 * @param program how long one program may run
 * @param output bytes that one program may write to each of its outputs
 * @param logged lines that one evaluation may log by {@code polkit.log}
 */
public record RuleLimits(
        Duration evaluation,
        Duration load,
        long allocated,
        int depth,
        int text,
        Duration busyLimit,
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
     * The standard limits, which are those of polkit(8) where it has any. System properties set the
     * shared ones: {@code io.holdfast.authority.evaluators} (8), {@code .waitingChecks} (4096),
     * {@code .programs} (64) and {@code .rulesMemory} (bytes; a quarter of the heap).
     */
    public static final RuleLimits STANDARD =
            new RuleLimits(
                    Duration.ofSeconds(15),
                    Duration.ofSeconds(15),
                    Math.min(Runtime.getRuntime().maxMemory() / 8, 32 << 20),
                    1_000,
                    1 << 16,
                    Duration.ofMillis(20),
                    EVALUATORS.intValue(),
                    WAITING.intValue(),
                    MEMORY.value(),
                    PROGRAMS.intValue(),
                    Duration.ofSeconds(10),
                    1 << 16,
                    100);

    /** Returns the limits of rules that are set by system properties. */
    public static List<Limit> properties() {
        return List.of(EVALUATORS, WAITING, MEMORY, PROGRAMS);
    }

    /**
     * Checks the limits.
     *
     * @throws IllegalArgumentException if a limit is not positive; {@code programs} and {@code
     *     logged} may be 0
     */
    public RuleLimits {
        if (allocated <= 0
                || depth <= 0
                || text <= 0
                || evaluators <= 0
                || waiting <= 0
                || memory <= 0
                || programs < 0
                || output <= 0
                || logged < 0
                || !evaluation.isPositive()
                || !load.isPositive()
                || !busyLimit.isPositive()
                || !program.isPositive()) {
            throw new IllegalArgumentException("a limit of rules that leaves nothing");
        }
    }

    /**
     * Returns a copy with another {@link #evaluation}.
     *
     * @param duration positive; 15 s by default
     * @throws IllegalArgumentException if it is not positive
     */
    public RuleLimits withEvaluation(Duration duration) {
        return new RuleLimits(
                duration,
                load,
                allocated,
                depth,
                text,
                busyLimit,
                evaluators,
                waiting,
                memory,
                programs,
                program,
                output,
                logged);
    }

    /**
     * Returns a copy with another {@link #load}.
     *
     * @param duration positive; 15 s by default
     * @throws IllegalArgumentException if it is not positive
     */
    public RuleLimits withLoad(Duration duration) {
        return new RuleLimits(
                evaluation,
                duration,
                allocated,
                depth,
                text,
                busyLimit,
                evaluators,
                waiting,
                memory,
                programs,
                program,
                output,
                logged);
    }

    /**
     * Returns a copy with another {@link #allocated}.
     *
     * @param bytes positive; an eighth of the heap and at most 32 MiB by default
     * @throws IllegalArgumentException if it is not positive
     */
    public RuleLimits withAllocated(long bytes) {
        return new RuleLimits(
                evaluation,
                load,
                bytes,
                depth,
                text,
                busyLimit,
                evaluators,
                waiting,
                memory,
                programs,
                program,
                output,
                logged);
    }

    /**
     * Returns a copy with another {@link #evaluators}, {@link #waiting} and {@link #busyLimit}.
     *
     * @param count of evaluators, positive; 8 by default
     * @param queue how many checks may wait, positive; 4096 by default
     * @param busyLimit until another evaluator is started, positive; 20 ms by default
     * @throws IllegalArgumentException if one of them is not positive
     */
    public RuleLimits withEvaluators(int count, int queue, Duration busyLimit) {
        return new RuleLimits(
                evaluation,
                load,
                allocated,
                depth,
                text,
                busyLimit,
                count,
                queue,
                memory,
                programs,
                program,
                output,
                logged);
    }

    /**
     * Returns a copy with another {@link #memory}.
     *
     * @param bytes positive; a quarter of the heap by default
     * @throws IllegalArgumentException if it is not positive
     */
    public RuleLimits withMemory(long bytes) {
        return new RuleLimits(
                evaluation,
                load,
                allocated,
                depth,
                text,
                busyLimit,
                evaluators,
                waiting,
                bytes,
                programs,
                program,
                output,
                logged);
    }

    /**
     * Returns a copy with another {@link #programs}, {@link #program} and {@link #output}.
     *
     * @param count of programs, 0 or more; 64 by default
     * @param duration of one program, positive; 10 s by default
     * @param bytes of each output, positive; 64 KiB by default
     * @throws IllegalArgumentException if one of them is out of its range
     */
    public RuleLimits withPrograms(int count, Duration duration, int bytes) {
        return new RuleLimits(
                evaluation,
                load,
                allocated,
                depth,
                text,
                busyLimit,
                evaluators,
                waiting,
                memory,
                count,
                duration,
                bytes,
                logged);
    }
}
