package io.holdfast.authority.rules.evaluation;

import java.util.concurrent.atomic.LongAdder;

/** Counts the evaluations that an engine has answered since its start. Thread-safe. */
public final class EvaluationCounts {
    private final LongAdder answered = new LongAdder();
    private final LongAdder overTime = new LongAdder();

    void answered(boolean isOverTime) {
        answered.increment();
        if (isOverTime) {
            overTime.increment();
        }
    }

    /** Returns the evaluations of rules and admin rules, including those that took too long. */
    public long answered() {
        return answered.sum();
    }

    /** Returns those that exceeded their time limit, and so were answered with a refusal. */
    public long overTime() {
        return overTime.sum();
    }
}
