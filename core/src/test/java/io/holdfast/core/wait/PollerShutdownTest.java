package io.holdfast.core.wait;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ChildJvm;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The poller while its JVM shuts down: HotSpot's exit waits for threads in native code. */
@Timeout(60)
class PollerShutdownTest {
    /** A JVM whose shutdown hook looks at the poller, and then waits for a child itself. */
    static final class Watching {
        private Watching() {}

        public static void main(String[] arguments) throws Exception {
            awaitChild();
            Thread poller =
                    Thread.getAllStackTraces().keySet().stream()
                            .filter(thread -> thread.getName().equals("holdfast-poller"))
                            .findFirst()
                            .orElseThrow();
            Runtime.getRuntime().addShutdownHook(new Thread(() -> watch(poller)));
        }

        private static void watch(Thread poller) {
            Await.until(() -> poller.getState() == Thread.State.TIMED_WAITING);
            System.out.println("outside of the kernel");
            System.out.println(awaitChild());
        }

        private static String awaitChild() {
            try (Child child = Spawn.of("true").start()) {
                return child.await().toString();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    @Test
    void itLeavesTheKernelAndStillServesShutdownHooks() {
        ChildJvm.Result result = ChildJvm.run(List.of(), Watching.class);
        assertThat(result.output().lines())
                .containsExactly("outside of the kernel", "exited with status 0");
        assertThat(result.status()).isZero();
    }
}
