package io.holdfast.core.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.FullTable;
import io.holdfast.core.testkit.OpenDescriptors;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A run whose JVM is out of descriptors when the run is to end. */
@Timeout(90)
class RunShortageTest {
    private static final int LIMIT = 160;

    /** Runs in a JVM of its own, whose descriptor table is full. */
    static final class InAFullTable {
        public static void main(String[] arguments) throws Exception {
            FullTable.limit(LIMIT, Fd.class);
            end(false); // opens what stays open
            OpenDescriptors before = OpenDescriptors.now();
            System.out.println(Errno.name(end(true)));
            before.awaitSameNumber();
        }

        /** Cancels a run; returns the errno with which it fails. */
        private static int end(boolean full) throws Exception {
            CountDownLatch started = new CountDownLatch(1);
            Run run =
                    Run.of("sh", "-c", "echo; exec sleep 1000")
                            .onOutputLine(_ -> started.countDown());
            try (Running running = run.start();
                    PidFd process = running.pidFd().duplicate()) {
                started.await();
                if (full) {
                    FullTable.fill(0);
                }
                running.cancel();
                int errno = failureOf(running);
                FullTable.empty();
                var _ = process.await();
                return errno;
            }
        }

        private static int failureOf(Running running) throws InterruptedException {
            try {
                RunResult _ = running.await();
                return 0;
            } catch (ErrnoException e) {
                return e.errno();
            }
        }
    }

    @Test
    void isEndedOnceThereAreDescriptors() {
        ChildJvm.Result result = ChildJvm.run(List.of(), InAFullTable.class);
        assertThat(result.output()).isEqualTo("EMFILE\n");
        assertThat(result.status()).isZero();
    }
}
