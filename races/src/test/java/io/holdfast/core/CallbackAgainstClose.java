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
 * A callback is registered for a descriptor that is being closed and may be ready: a registered
 * callback is called once, by the poller or by the close.
 */
@JCStressTest
@Outcome(id = "registered, once", expect = ACCEPTABLE, desc = "It was called.")
@Outcome(id = "refused, 0", expect = ACCEPTABLE, desc = "The descriptor was closed before.")
@State
public class CallbackAgainstClose {
    private final SysEventfd event = new SysEventfd();
    private final CallbackCounter counter = new CallbackCounter();

    @Actor
    public void register(LL_Result result) {
        try {
            Registration _ = Readiness.once(event.fd(), Readiness.IN, counter);
            result.r1 = "registered";
        } catch (IllegalStateException e) {
            result.r1 = "refused";
        }
    }

    @Actor
    public void close() {
        event.signal();
        event.close();
    }

    @Arbiter
    public void calledOnce(LL_Result result) {
        result.r2 = "registered".equals(result.r1) ? counter.awaited() : counter.calls();
    }
}
