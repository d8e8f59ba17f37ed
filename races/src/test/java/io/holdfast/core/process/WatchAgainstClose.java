package io.holdfast.core.process;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/** The exit of a process that still runs is watched while its pidfd is closed: the watch ends. */
@JCStressTest
@Outcome(id = "refused", expect = ACCEPTABLE, desc = "The pidfd was closed before.")
@Outcome(id = "failed", expect = ACCEPTABLE, desc = "The pidfd was closed meanwhile.")
@State
public class WatchAgainstClose {
    private static final PidFd SELF = PidFd.self();

    private final PidFd process = SELF.duplicate();
    private @Nullable CompletableFuture<Exit> exit;

    @Actor
    public void watch() {
        try {
            exit = process.onExit();
        } catch (IllegalStateException e) {
            exit = null;
        }
    }

    @Actor
    public void close() {
        process.close();
    }

    @Arbiter
    public void itEnds(L_Result result) {
        result.r1 = exit == null ? "refused" : ExitAgainstClose.ended(exit);
    }
}
