package io.holdfast.authority.rules.sandbox;

import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.core.limit.FairShare;

/**
 * The memory that all evaluations under way have together, shared by the users who are asked about.
 * It is a part of the heap, so that scripts come to the end of it while the rest of the daemon
 * still has room. Safe for use by any thread.
 */
final class EvaluationMemory {
    /** What is taken at once. An ordinary evaluation makes do with one. In bytes. */
    static final long UNIT = 512 << 10;

    private final FairShare<Long> bytes;

    EvaluationMemory(RuleLimits limits) {
        bytes =
                FairShare.<Long>of(
                                RuleLimits.MEMORY.what(),
                                Math.max(limits.memory(), UNIT),
                                RuleLimits.MEMORY.remedy())
                        .withLeast(UNIT);
    }

    boolean tryTake(long user) {
        return bytes.tryTake(user, UNIT);
    }

    void release(long user, int units) {
        bytes.release(user, units * UNIT);
    }

    /** Why a user gets no more, for people. */
    String refusal(long user) {
        return bytes.refusal(user);
    }
}
