package io.holdfast.authority.rules.sandbox;

import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.core.limit.FairShare;

/**
 * The memory of all evaluations under way, shared by the users of their subjects. It is a part of
 * the heap, so that scripts run out of it while the rest of the daemon still has memory.
 * Thread-safe.
 */
final class EvaluationMemory {
    /** The bytes that are taken at once. An ordinary evaluation needs one unit. */
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

    /** Returns why a user gets no more, for people. */
    String refusal(long user) {
        return bytes.refusal(user);
    }
}
