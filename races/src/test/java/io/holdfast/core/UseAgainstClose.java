package io.holdfast.core;

import static java.util.Objects.requireNonNull;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LL_Result;

/** The descriptor is referenced while it is closed and its number is given to another file. */
@JCStressTest
@Outcome(id = "same, intact", expect = ACCEPTABLE, desc = "The close waited for the use.")
@Outcome(id = "refused, intact", expect = ACCEPTABLE, desc = "The use came too late.")
@State
public class UseAgainstClose {
    private final Pipe pipe = new Pipe();
    private @Nullable Pipe successor;

    @Actor
    public void use(LL_Result result) {
        result.r1 = pipe.use(pipe.fd);
    }

    @Actor
    public void close() {
        pipe.fd.close();
        successor = new Pipe();
    }

    /**
     * The number must have been closed once: neither still open, nor closed under its next owner.
     */
    @Arbiter
    public void closedOnce(LL_Result result) {
        Pipe next = requireNonNull(successor);
        boolean closed = !pipe.atItsNumber().equals(Pipe.SAME);
        boolean intact = next.use(next.fd).equals(Pipe.SAME);
        result.r2 = closed && intact ? "intact" : closed ? "closed twice" : "still open";
        next.fd.close();
    }
}
