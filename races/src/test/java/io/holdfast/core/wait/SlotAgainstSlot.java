package io.holdfast.core.wait;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LLL_Result;

/** Two threads remove the same key and fill slots: each gets a different slot. */
@JCStressTest
@Outcome(id = "first, second, third", expect = ACCEPTABLE, desc = "Nobody shares a slot.")
@State
public class SlotAgainstSlot {
    private final Slots<String> slots = new Slots<>();
    private final long shared = slots.add("shared");
    private long first;
    private long second;

    @Actor
    public void one() {
        slots.remove(shared);
        first = slots.add("first");
    }

    @Actor
    public void other() {
        slots.remove(shared);
        second = slots.add("second");
    }

    @Arbiter
    public void nobodySharesASlot(LLL_Result result) {
        long third = slots.add("third");
        result.r1 = slots.get(first);
        result.r2 = slots.get(second);
        result.r3 = slots.get(third);
    }
}
