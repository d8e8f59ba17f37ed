package io.holdfast.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.LeakDetector;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.core.wait.SysEventfd;
import java.io.File;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
@SameOnEveryKernel
class LeakDetectorTest {
    /** Runs in another JVM. */
    static final class Leaky {
        private Leaky() {}

        public static void main(String[] arguments) {
            int leaked = arguments.length == 0 ? leak() : leakWatched();
            Fd moved = Fcntl.open("/dev/null", Fcntl.O_RDONLY);
            try (Fd closed = moved.move()) {
                int ignored = Fcntl.getfl(closed);
            }
            File number = new File("/proc/self/fdinfo/" + leaked);
            Await.until(() -> {
                System.gc();
                return !number.exists();
            });
            for (int i = 0; i < 3; i++) { // would find all other garbage, too
                System.gc();
            }
            System.out.println("leaks " + LeakDetector.leaks());
        }

        private static int leak() {
            return Fcntl.open("/dev/null", Fcntl.O_RDONLY).with(number -> number);
        }

        private static int leakWatched() {
            Fd watched = new SysEventfd().fd();
            var pending = Readiness.once(watched, Readiness.IN, _ -> {});
            assertThat(pending.cancel()).isTrue();
            return watched.with(number -> number);
        }
    }

    @Test
    void aDescriptorThatBecomesGarbageIsReportedWithItsMakerAndClosed() {
        ChildJvm.Result result = ChildJvm.run(List.of("-Dio.holdfast.leaks=true"), Leaky.class);
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output())
                .contains("leaks 1\n")
                .contains("leaked")
                .contains("LeakDetectorTest$Leaky.leak(");
    }

    @Test
    void aDescriptorWhoseWaitWasGivenUpIsNotKeptByThePoller() {
        ChildJvm.Result result =
                ChildJvm.run(List.of("-Dio.holdfast.leaks=true"), Leaky.class, "watched");
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output()).contains("LeakDetectorTest$Leaky.leakWatched(");
    }

    /** Does the same with a child that has exited. */
    static final class Forgetful {
        private Forgetful() {}

        public static void main(String[] arguments) throws Exception {
            int number = forget();
            File open = new File("/proc/self/fdinfo/" + number);
            Await.until(() -> {
                System.gc();
                return !open.exists();
            });
        }

        private static int forget() throws InterruptedException {
            Child forgotten = Spawn.of("true").start();
            Exit ended = forgotten.await();
            assertThat(ended).isEqualTo(new Exit.Exited(0));
            return forgotten.pidFd().fd().with(number -> number);
        }
    }

    @Test
    void aForgottenChildIsReportedInLeakMode() {
        ChildJvm.Result result = ChildJvm.run(List.of("-Dio.holdfast.leaks=true"), Forgetful.class);
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output())
                .contains("leaked")
                .contains("LeakDetectorTest$Forgetful.forget(");
    }
}
