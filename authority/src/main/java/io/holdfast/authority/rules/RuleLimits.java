package io.holdfast.authority.rules;

import com.google.errorprone.annotations.CheckReturnValue;
import io.holdfast.core.limit.Limit;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/**
 * The limits of rules. Immutable. The users of the subjects, root being one of them, share {@link
 * #evaluators}, {@link #waiting}, {@link #memory} and {@link #programs} as a {@link
 * io.holdfast.core.limit.FairShare}: one user gets at most half.
 */
@CheckReturnValue
public final class RuleLimits implements Cloneable {
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

    private static final RuleLimits STANDARD = new RuleLimits();

    // Changed only by with(), before anybody else sees the object.
    private Duration evaluation = Duration.ofSeconds(15);
    private Duration load = Duration.ofSeconds(15);
    private long allocated = Math.min(Runtime.getRuntime().maxMemory() / 8, 32 << 20);
    private int depth = 1_000;
    private int text = 1 << 16;
    private Duration busyLimit = Duration.ofMillis(20);
    private int evaluators = EVALUATORS.intValue();
    private int waiting = WAITING.intValue();
    private long memory = MEMORY.value();
    private int programs = PROGRAMS.intValue();
    private Duration program = Duration.ofSeconds(10);
    private int output = 1 << 16;
    private int logged = 100;

    private RuleLimits() {}

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

    /**
     * Returns the same limits with another {@link #evaluation}.
     *
     * @param duration positive; 15 s by default
     * @throws IllegalArgumentException if it is not positive
     */
    public RuleLimits withEvaluation(Duration duration) {
        require(duration.isPositive());
        return with(limits -> limits.evaluation = duration);
    }

    /**
     * Returns the same limits with another {@link #load}.
     *
     * @param duration positive; 15 s by default
     * @throws IllegalArgumentException if it is not positive
     */
    public RuleLimits withLoad(Duration duration) {
        require(duration.isPositive());
        return with(limits -> limits.load = duration);
    }

    /**
     * Returns the same limits with another {@link #allocated}.
     *
     * @param bytes positive; an eighth of the heap and at most 32 MiB by default
     * @throws IllegalArgumentException if it is not positive
     */
    public RuleLimits withAllocated(long bytes) {
        require(bytes > 0);
        return with(limits -> limits.allocated = bytes);
    }

    /**
     * Returns the same limits with another {@link #evaluators}, {@link #waiting} and {@link
     * #busyLimit}.
     *
     * @param count of evaluators, positive; 8 by default
     * @param queue how many checks may wait, positive; 4096 by default
     * @param busy until another evaluator is started, positive; 20 ms by default
     * @throws IllegalArgumentException if one of them is not positive
     */
    public RuleLimits withEvaluators(int count, int queue, Duration busy) {
        require(count > 0 && queue > 0 && busy.isPositive());
        return with(limits -> {
            limits.evaluators = count;
            limits.waiting = queue;
            limits.busyLimit = busy;
        });
    }

    /**
     * Returns the same limits with another {@link #memory}.
     *
     * @param bytes positive; a quarter of the heap by default
     * @throws IllegalArgumentException if it is not positive
     */
    public RuleLimits withMemory(long bytes) {
        require(bytes > 0);
        return with(limits -> limits.memory = bytes);
    }

    /**
     * Returns the same limits with another {@link #programs}, {@link #program} and {@link #output}.
     *
     * @param count of programs, 0 or more; 64 by default
     * @param duration of one program, positive; 10 s by default
     * @param bytes of each output, positive; 64 KiB by default
     * @throws IllegalArgumentException if one of them is out of its range
     */
    public RuleLimits withPrograms(int count, Duration duration, int bytes) {
        require(count >= 0 && duration.isPositive() && bytes > 0);
        return with(limits -> {
            limits.programs = count;
            limits.program = duration;
            limits.output = bytes;
        });
    }

    /**
     * {@return how long one evaluation may last, including the programs that it waits for; also how
     * long a check may wait for an evaluator}
     */
    public Duration evaluation() {
        return evaluation;
    }

    /** {@return how long one file may run when it is loaded} */
    public Duration load() {
        return load;
    }

    /** {@return the bytes that one evaluation, or the load of one file, may allocate} */
    public long allocated() {
        return allocated;
    }

    /** {@return the deepest nesting of calls} */
    public int depth() {
        return depth;
    }

    /** {@return the characters of a detail of an action} */
    public int text() {
        return text;
    }

    /**
     * {@return how long an evaluator may run one check while others wait, before another evaluator
     * is started}
     */
    public Duration busyLimit() {
        return busyLimit;
    }

    /**
     * {@return the threads that evaluate, shared by the users; as many again may be abandoned in a
     * built-in function}
     */
    public int evaluators() {
        return evaluators;
    }

    /** {@return the checks that wait for an evaluator, shared by the users} */
    public int waiting() {
        return waiting;
    }

    /**
     * {@return the bytes that all evaluations under way may have allocated together, shared by the
     * users}
     */
    public long memory() {
        return memory;
    }

    /** {@return the programs of polkit.spawn under way, shared by the users} */
    public int programs() {
        return programs;
    }

    /** {@return how long one program may run} */
    public Duration program() {
        return program;
    }

    /** {@return the bytes that one program may write to each of its outputs} */
    public int output() {
        return output;
    }

    /** {@return the lines that one evaluation may log by polkit.log} */
    public int logged() {
        return logged;
    }

    private static void require(boolean holds) {
        if (!holds) {
            throw new IllegalArgumentException("a limit of rules that leaves nothing");
        }
    }

    private RuleLimits with(Consumer<RuleLimits> change) {
        try {
            RuleLimits copy = (RuleLimits) clone();
            change.accept(copy);
            return copy;
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }
}
