package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.FdChannel;
import io.holdfast.core.Feature;
import io.holdfast.core.Readiness;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.FullTable;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.core.testkit.ScratchCgroup;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A process that runs out of descriptors at every step gets errors, and neither hangs nor leaks.
 */
@Timeout(120)
class ShortageTest {
    private static final int MAX_SPARE = 16;
    private static final int LIMIT = 160;

    /** Runs in a JVM of its own, whose descriptor table is full. */
    static final class InAFullTable {
        public static void main(String[] arguments) throws Exception {
            FullTable.limit(LIMIT, Fd.class);
            Fd[] pipe = Unistd.pipe2(0);
            try (Fd in = pipe[0];
                    Fd out = pipe[1]) {
                assertThat(failureOf(() -> Fcntl.open("/none", 0))).isEqualTo(Errno.ENOENT);
                FullTable.fill(0);
                // results that are cached, and a poller that is started once
                assertThat(failureOf(() -> Readiness.await(out, Readiness.OUT)))
                        .isEqualTo(Errno.EMFILE);
                assertThat(failureOf(Feature.PIDFD_GETFD::isPresent)).isEqualTo(Errno.EMFILE);
                assertThat(failureOf(ProcessId::currentBoot)).isEqualTo(Errno.EMFILE);
                FullTable.empty();
                assertThat(Readiness.await(out, Readiness.OUT)).isEqualTo(Readiness.OUT);
                assertThat(ProcessId.currentBoot()).isNotNull();
                assertThat(in.isOpen()).isTrue();
            }
            System.out.println("getfd " + Feature.PIDFD_GETFD.isPresent());
            atEachStep(() -> EventLoop.open().close());
            atEachStep(InAFullTable::borrow);
            atEachStep(() -> start(Spawn.of("/bin/true").stdin(Stdio.pipe())));
            atEachStep(() -> start(Spawn.of("/bin/true").stdin(Stdio.pipe()).whileHeld(_ -> {})));
            if (arguments.length > 0) {
                bornInAKilledCgroup(Cgroup.open(arguments[0]));
            }
            SpawnErrorsTest.awaitNoChildren();
        }

        private static void borrow() throws Exception {
            try (Fd lent = Fcntl.open("/dev/null", Fcntl.O_RDONLY)) {
                FdChannel.borrowing(lent).close();
            }
        }

        private static void start(Spawn spawn) throws InterruptedException {
            try (Child child = spawn.start()) {
                assertThat(child.await().isSuccess()).isTrue();
            }
        }

        /**
         * Starts a child that the kernel may kill at its birth, so that it is started a second
         * time.
         */
        private static void bornInAKilledCgroup(Cgroup cgroup) throws Exception {
            try (cgroup) {
                cgroup.kill();
                atEachStep(() -> start(Spawn.of("/bin/true").cgroup(cgroup)));
            }
        }

        private interface Step {
            void run() throws Exception;
        }

        private static int failureOf(Step step) throws Exception {
            try {
                step.run();
                return 0;
            } catch (ErrnoException e) {
                return e.errno();
            }
        }

        private static void atEachStep(Step step) throws Exception {
            step.run();
            OpenDescriptors before = OpenDescriptors.now();
            int failures = 0;
            for (int spare = MAX_SPARE; spare >= 0; spare--) {
                FullTable.fill(spare);
                int errno = failureOf(step);
                FullTable.empty();
                assertThat(errno).isIn(0, Errno.EMFILE);
                failures += errno == 0 ? 0 : 1;
                before.awaitSameNumber();
            }
            assertThat(failures).isBetween(1, MAX_SPARE);
        }
    }

    private static void assertReportedAtEveryStep(List<String> options, String... arguments) {
        ChildJvm.Result result = ChildJvm.run(options, InAFullTable.class, arguments);
        assertThat(result.output()).isEqualTo("getfd " + Feature.PIDFD_GETFD.isPresent() + "\n");
        assertThat(result.status()).isZero();
    }

    @Test
    void isReportedAtEveryStepAndLeavesNothing() {
        assertReportedAtEveryStep(List.of());
    }

    @Test
    void isReportedWhereAChildIsHeldByItsNumber() {
        assertReportedAtEveryStep(List.of("-Dio.holdfast.without=PIDFD_SPAWN"));
    }

    @Test
    @Needs(cgroup2 = true)
    void isReportedWhereAChildStartsInACgroupThatWasKilled() {
        try (ScratchCgroup scratch = ScratchCgroup.create()) {
            assertReportedAtEveryStep(List.of(), scratch.cgroup().path().path());
        }
    }
}
