package io.holdfast.interop.recycling;

import java.util.Random;

/** A question that is repeated. It runs on one thread at a time. */
@FunctionalInterface
interface Question {
    /**
     * Asks once about the PID of a slot, and judges the answer.
     *
     * @param random decides all choices, the same in each run
     */
    void runOnce(QuestionTally tally, int slot, Random random) throws Exception;
}
