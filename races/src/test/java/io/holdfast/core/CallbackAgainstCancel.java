package io.holdfast.core;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import io.holdfast.core.wait.SysEventfd;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LL_Result;

/**
 * A callback is cancelled while its descriptor becomes ready, and then the descriptor is closed.
 */
@JCStressTest
@Outcome(id = "cancelled, 0", expect = ACCEPTABLE, desc = "It is not called any more.")
@Outcome(id = "too late, once", expect = ACCEPTABLE, desc = "It was called, or is about to be.")
@State
public class CallbackAgainstCancel {
    private final SysEventfd event = new SysEventfd();
    private final CallbackCounter counter = new CallbackCounter();
    private final Registration pending = Readiness.once(event.fd(), Readiness.IN, counter);

    @Actor
    public void becomeReady() {
        event.signal();
    }

    @Actor
    public void cancel(LL_Result result) {
        result.r1 = pending.cancel() ? "cancelled" : "too late";
    }

    @Arbiter
    public void calledUnlessCancelled(LL_Result result) {
        event.close();
        result.r2 = "cancelled".equals(result.r1) ? counter.calls() : counter.awaited();
    }
}
