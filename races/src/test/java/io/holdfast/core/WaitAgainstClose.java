package io.holdfast.core;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import io.holdfast.core.wait.SysEventfd;
import java.time.Duration;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LL_Result;

/** A thread waits for a descriptor that is closed: the wait ends, and the number is free. */
@JCStressTest
@Outcome(id = "refused, closed", expect = ACCEPTABLE, desc = "The close ended the wait.")
@State
public class WaitAgainstClose {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    private final Pipe idle = new Pipe();
    private final SysEventfd event = new SysEventfd();

    @Actor
    public void await(LL_Result result) {
        try {
            result.r1 = Readiness.await(event.fd(), Readiness.IN, LIMIT) == 0 ? "over" : "ready";
        } catch (IllegalStateException e) {
            result.r1 = Pipe.REFUSED;
        } catch (InterruptedException e) {
            result.r1 = "interrupted";
        }
    }

    @Actor
    public void close() {
        event.close();
        idle.fd.close();
    }

    @Arbiter
    public void closed(LL_Result result) {
        result.r2 = event.fd().isOpen() || idle.atItsNumber().equals(Pipe.SAME) ? "open" : "closed";
    }
}
