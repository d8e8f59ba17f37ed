package io.holdfast.core;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LL_Result;

/** The descriptor is closed while it moves to another owner: exactly one of the two has it. */
@JCStressTest
@Outcome(id = "moved, open", expect = ACCEPTABLE, desc = "The close closed an empty owner.")
@Outcome(id = "refused, closed", expect = ACCEPTABLE, desc = "The move came too late.")
@State
public class MoveAgainstClose {
    private final Pipe pipe = new Pipe();
    private Fd owner = pipe.fd;

    @Actor
    public void close() {
        pipe.fd.close();
    }

    @Actor
    public void move(LL_Result result) {
        try {
            owner = pipe.fd.move();
            result.r1 = "moved";
        } catch (IllegalStateException e) {
            result.r1 = Pipe.REFUSED;
        }
    }

    @Arbiter
    public void oneHasIt(LL_Result result) {
        result.r2 = pipe.atItsNumber().equals(Pipe.SAME) ? "open" : "closed";
        owner.close();
    }
}
