package io.holdfast.authority.rules;

/**
 * The memory that all evaluations under way have together, shared by the users who are asked about.
 * It is a part of the heap, so that scripts come to the end of it while the rest of the daemon
 * still has room. Safe for use by any thread.
 */
final class EvaluationMemory {
    /** What is taken at once. An ordinary evaluation makes do with one. In bytes. */
    static final long UNIT = 512 << 10;

    private final UserShares units;

    EvaluationMemory(RuleLimits limits) {
        units = new UserShares(Math.clamp(limits.memory() / UNIT, 1, Integer.MAX_VALUE));
    }

    boolean tryTake(long user) {
        return units.tryTake(user);
    }

    void release(long user, int number) {
        for (int i = 0; i < number; i++) {
            units.release(user);
        }
    }

    /** Why a user gets no more, for people. */
    String refusal(long user) {
        return units.refusal(
                user,
                "units of " + UNIT / 1024 + " KiB of the rules' memory",
                RuleLimits.MEMORY_PROPERTY);
    }
}
