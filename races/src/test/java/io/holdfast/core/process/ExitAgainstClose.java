package io.holdfast.core.process;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/** The exit of a dead process is requested while its pidfd is closed. */
@JCStressTest
@Outcome(id = "reported", expect = ACCEPTABLE, desc = "The exit was reported.")
@Outcome(id = "refused", expect = ACCEPTABLE, desc = "The pidfd was closed before.")
@Outcome(id = "failed", expect = ACCEPTABLE, desc = "The pidfd was closed meanwhile.")
@State
public class ExitAgainstClose {
    private static final PidFd GONE = gone();

    private final PidFd process = GONE.duplicate();
    private @Nullable CompletableFuture<Exit> exit;

    private static PidFd gone() {
        try (Child child = Spawn.of("/bin/true").start()) {
            PidFd held = child.pidFd().duplicate();
            Exit _ = child.onExit().join();
            return held;
        }
    }

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
        result.r1 = exit == null ? "refused" : ended(exit);
    }

    /** Returns how a future of an exit has ended. */
    static String ended(CompletableFuture<Exit> exit) {
        try {
            return exit.get(20, TimeUnit.SECONDS).equals(new Exit.Exited(0)) ? "reported" : "wrong";
        } catch (ExecutionException e) {
            return e.getCause() instanceof IllegalStateException ? "failed" : e.toString();
        } catch (TimeoutException | InterruptedException e) {
            return e.toString();
        }
    }
}
