package io.holdfast.authority.rules.evaluation;

import java.util.concurrent.atomic.LongAdder;

/** How many evaluations an engine has answered since it began. Thread-safe. */
public final class EvaluationCounts {
    private final LongAdder answered = new LongAdder();
    private final LongAdder overTime = new LongAdder();

    void answered(boolean isOverTime) {
        answered.increment();
        if (isOverTime) {
            overTime.increment();
        }
    }

    /** Those of rules and of admin rules, with those that took too long. */
    public long answered() {
        return answered.sum();
    }

    /** Those that took longer than they may, and so were answered with a refusal. */
    public long overTime() {
        return overTime.sum();
    }
}
