package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.CProgram;
import io.holdfast.core.testkit.Needs;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A child that a debugger traces: the tracer waits for its zombie before we can. */
@Timeout(60)
class TracedChildTest {
    @Test
    @Needs(programs = "gcc")
    void tellsHowItEndedWhenItsTracerLetsItGo() throws Exception {
        String tracer = CProgram.of(TracedChildTest.class, "tracer.c").toString();
        try (Child child = Spawn.of("sleep", "1000").start()) {
            Process tracing =
                    new ProcessBuilder(tracer, Integer.toString(child.pidFd().pid())).start();
            try {
                assertThat(tracing.inputReader().readLine()).isEqualTo("tracing");
                assertThat(child.signal(Signal.KILL)).isTrue();
                Await.until(() -> child.pidFd().state() == PidFd.State.EXITED);
                // longer than the wait for a process that is not a child
                assertThat(child.await(ExitWatch.REAP_GRACE.plus(Duration.ofMillis(300))))
                        .isEmpty();
            } finally {
                tracing.getOutputStream().close();
            }
            assertThat(child.await()).isEqualTo(new Exit.Killed(Signal.KILL, false));
            assertThat(tracing.waitFor()).isZero();
        }
    }
}
