package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.EventLoop;
import io.holdfast.core.linux.Fcntl;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.Feature;
import io.holdfast.core.linux.Readiness;
import io.holdfast.core.linux.SysResource;
import io.holdfast.core.linux.Unistd;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.core.testkit.ScratchCgroup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A process that is out of descriptors, at every step: errors, and neither hangs nor leaks. */
@Timeout(120)
class ShortageTest {
    private static final int MAX_SPARE = 16;
    private static final int LIMIT = 160;

    /** In a JVM of its own, whose table of descriptors is filled. */
    static final class InAFullTable {
        private static final List<Fd> HOG = new ArrayList<>();

        public static void main(String[] arguments) throws Exception {
            loadAllClasses();
            int resource = Resource.NOFILE.number();
            ErrnoException.check(SysResource.setLimit(0, resource, LIMIT, LIMIT), "prlimit", "");
            Fd[] pipe = Unistd.pipe2(0);
            try (Fd in = pipe[0];
                    Fd out = pipe[1]) {
                assertThat(failureOf(() -> Fcntl.open("/none", 0))).isEqualTo(Errno.ENOENT);
                fill(0);
                // answers that are kept, and a poller that is started once
                assertThat(failureOf(() -> Readiness.await(out, Readiness.OUT)))
                        .isEqualTo(Errno.EMFILE);
                assertThat(failureOf(Feature.PIDFD_GETFD::isPresent)).isEqualTo(Errno.EMFILE);
                assertThat(failureOf(ProcessId::currentBoot)).isEqualTo(Errno.EMFILE);
                empty();
                assertThat(Readiness.await(out, Readiness.OUT)).isEqualTo(Readiness.OUT);
                assertThat(ProcessId.currentBoot()).isNotNull();
                assertThat(in.isOpen()).isTrue();
            }
            System.out.println("getfd " + Feature.PIDFD_GETFD.isPresent());
            atEachStep(() -> EventLoop.open().close());
            atEachStep(() -> start(Spawn.of("/bin/true").stdin(Stdio.pipe())));
            atEachStep(() -> start(Spawn.of("/bin/true").stdin(Stdio.pipe()).whileHeld(_ -> {})));
            if (arguments.length > 0) {
                bornInAKilledCgroup(Cgroup.open(arguments[0]));
            }
            SpawnErrorsTest.awaitNoChildren();
        }

        /** Loading one from a folder takes a descriptor. */
        private static void loadAllClasses() throws Exception {
            for (Class<?> one : List.of(Fd.class, ShortageTest.class)) {
                var source = one.getProtectionDomain().getCodeSource().getLocation().toURI();
                if (!Files.isDirectory(Path.of(source))) {
                    continue;
                }
                try (Stream<Path> files = Files.walk(Path.of(source).resolve("io/holdfast/core"))) {
                    for (Path file : files.filter(f -> f.toString().endsWith(".class")).toList()) {
                        String name = Path.of(source).relativize(file).toString();
                        name = name.substring(0, name.length() - 6).replace('/', '.');
                        if (!name.endsWith("-info")) {
                            Class.forName(name, false, one.getClassLoader());
                        }
                    }
                }
            }
        }

        private static void start(Spawn spawn) throws InterruptedException {
            try (Child child = spawn.start()) {
                assertThat(child.await().isSuccess()).isTrue();
            }
        }

        /** Where the kernel may kill it at its birth, so that it is started once more. */
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
                fill(spare);
                int errno = failureOf(step);
                empty();
                assertThat(errno).isIn(0, Errno.EMFILE);
                failures += errno == 0 ? 0 : 1;
                before.awaitSameNumber();
            }
            assertThat(failures).isBetween(1, MAX_SPARE);
        }

        private static void fill(int spare) {
            try {
                while (true) {
                    HOG.add(Fcntl.open("/dev/null", 0));
                }
            } catch (ErrnoException e) {
                for (int i = 0; i < spare; i++) {
                    HOG.removeLast().close();
                }
            }
        }

        private static void empty() {
            HOG.forEach(Fd::close);
            HOG.clear();
        }
    }

    private static void assertToldAtEveryStep(List<String> options, String... arguments) {
        ChildJvm.Result result = ChildJvm.run(options, InAFullTable.class, arguments);
        assertThat(result.output()).isEqualTo("getfd " + Feature.PIDFD_GETFD.isPresent() + "\n");
        assertThat(result.status()).isZero();
    }

    @Test
    void isToldAtEveryStepAndLeavesNothing() {
        assertToldAtEveryStep(List.of());
    }

    @Test
    void isToldWhereAChildIsHeldByItsNumber() {
        assertToldAtEveryStep(List.of("-Dio.holdfast.without=PIDFD_SPAWN"));
    }

    @Test
    @Needs(cgroup2 = true)
    void isToldWhereAChildIsBornInACgroupThatWasKilled() {
        try (ScratchCgroup scratch = ScratchCgroup.create()) {
            assertToldAtEveryStep(List.of(), scratch.cgroup().path().path());
        }
    }
}
