package io.holdfast.core;

import static java.util.Objects.requireNonNull;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LLL_Result;

/** Two threads close the descriptor, and each opens another file at once. */
@JCStressTest
@Outcome(id = "closed, same, same", expect = ACCEPTABLE, desc = "The number was closed once.")
@State
public class CloseAgainstClose {
    private final Pipe pipe = new Pipe();
    private @Nullable Pipe first;
    private @Nullable Pipe second;

    @Actor
    public void close() {
        pipe.fd.close();
        first = new Pipe();
    }

    @Actor
    public void closeToo() {
        pipe.fd.close();
        second = new Pipe();
    }

    @Arbiter
    public void closedOnce(LLL_Result result) {
        result.r1 = pipe.atItsNumber().equals(Pipe.SAME) ? "open" : "closed";
        result.r2 = ended(requireNonNull(first));
        result.r3 = ended(requireNonNull(second));
    }

    private static String ended(Pipe pipe) {
        try (Fd used = pipe.fd) {
            return pipe.use(used);
        }
    }
}
