package io.holdfast.core;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LLL_Result;

/** The descriptor is referenced while it moves to another owner. */
@JCStressTest
@Outcome(id = "same, moved, one owner", expect = ACCEPTABLE, desc = "The use ended before.")
@Outcome(id = "same, refused, one owner", expect = ACCEPTABLE, desc = "The use prevented it.")
@Outcome(id = "refused, moved, one owner", expect = ACCEPTABLE, desc = "The use came too late.")
@State
public class MoveAgainstUse {
    private final Pipe pipe = new Pipe();
    private Fd owner = pipe.fd;

    @Actor
    public void use(LLL_Result result) {
        result.r1 = pipe.use(pipe.fd);
    }

    @Actor
    public void move(LLL_Result result) {
        try {
            owner = pipe.fd.move();
            result.r2 = "moved";
        } catch (IllegalStateException e) {
            result.r2 = Pipe.REFUSED;
        }
    }

    @Arbiter
    public void oneOwner(LLL_Result result) {
        boolean owned = pipe.use(owner).equals(Pipe.SAME);
        boolean twice = owner != pipe.fd && pipe.fd.isOpen();
        result.r3 = owned && !twice ? "one owner" : owned ? "two owners" : "no owner";
        owner.close();
    }
}
