package io.holdfast.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.ChildJvm;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class CountersTest {
    /** Runs in a JVM of its own, where no other test changes the counters. */
    static final class Counting {
        public static void main(String[] arguments) {
            long before = Counters.now().descriptors();
            Fd[] pipe = Unistd.pipe2(0);
            Fd moved = pipe[0].move();
            print("open", Counters.now().descriptors() - before);

            Registration wait = Readiness.once(moved, Readiness.IN, _ -> {});
            print("waits", Counters.now().waits());
            wait.cancel();
            wait.cancel();
            print("cancelled", Counters.now().waits());

            moved.close();
            pipe[1].close();
            pipe[1].close();
            print("closed", Counters.now().descriptors() - before - POLLER);
        }

        /** The epoll instance of the poller, which the first wait starts. */
        private static final int POLLER = 1;

        private static void print(String what, long count) {
            System.out.println(what + " " + count);
        }
    }

    @Test
    void descriptorsAndWaitsAreCountedOnceEach() {
        ChildJvm.Result result = ChildJvm.run(List.of(), Counting.class);
        assertThat(result.output().lines())
                .containsExactly("open 2", "waits 1", "cancelled 0", "closed 0");
    }

    /** Sends itself signals while its event loop does not run, so that some are merged. */
    static final class Signalled {
        public static void main(String[] arguments) throws Exception {
            int[] handled = {0};
            try (EventLoop loop = EventLoop.open();
                    Registration _ = loop.onSignal(Signal.USR2, () -> handled[0]++);
                    PidFd self = PidFd.self()) {
                long sent = 0;
                while (Counters.now().mergedSignals() == 0) {
                    boolean _ = self.signal(Signal.USR2);
                    sent++;
                    Thread.onSpinWait();
                }
                int _ = loop.step(Duration.ofSeconds(10));
                System.out.println(handled[0] + " " + (sent > 1));
            }
        }
    }

    @Test
    void aSignalThatComesBeforeTheLoopHasGotToTheLastIsCounted() {
        ChildJvm.Result result = ChildJvm.run(List.of(), Signalled.class);
        // The JVM may complain of SIGUSR2, which it uses itself, in a further line.
        assertThat(result.output().lines()).contains("1 true");
    }
}
