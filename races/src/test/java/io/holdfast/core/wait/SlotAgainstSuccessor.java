package io.holdfast.core.wait;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LL_Result;

/** A key is looked up while its slot is freed and filled again. */
@JCStressTest
@Outcome(id = "first, second", expect = ACCEPTABLE, desc = "It was found before its removal.")
@Outcome(id = "null, second", expect = ACCEPTABLE, desc = "It was removed before.")
@State
public class SlotAgainstSuccessor {
    private final Slots<String> slots = new Slots<>();
    private final long key = slots.add("first");
    private long next;

    @Actor
    public void replace() {
        slots.remove(key);
        next = slots.add("second");
    }

    @Actor
    public void find(LL_Result result) {
        result.r1 = slots.get(key);
    }

    @Arbiter
    public void theSuccessorIsFound(LL_Result result) {
        result.r2 = slots.get(key) == null ? slots.get(next) : "the key outlives its value";
    }
}
