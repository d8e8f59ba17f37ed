package io.holdfast.interop.recycling;

import java.util.Random;

/** Something that is asked again and again. Each has a thread of its own. */
@FunctionalInterface
interface Question {
    /**
     * Asks once about the number of a slot, and judges the answer.
     *
     * @param random decides what is open, the same for each run
     */
    void ask(Tally tally, int slot, Random random) throws Exception;
}
