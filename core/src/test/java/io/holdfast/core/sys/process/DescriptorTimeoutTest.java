package io.holdfast.core.sys.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Resource;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.FullTable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A child that no descriptor is left for is killed, and its start fails. */
@Timeout(60)
class DescriptorTimeoutTest {
    private static final int NO_NUMBER = 3;
    private static final int LIMIT = 160;
    private static final List<String> SOON = List.of("-Dio.holdfast.descriptorTimeout=20");

    private static void limit(long soft) {
        long hard = SysResource.limit(Resource.NOFILE.number())[1];
        ErrnoException.check(
                SysResource.setLimit(0, Resource.NOFILE.number(), soft, hard), "prlimit", soft);
    }

    private static void assertFails(ThrowingCallable start) throws Exception {
        long before = SysResource.limit(Resource.NOFILE.number())[0];
        try {
            assertThatExceptionOfType(ErrnoException.class)
                    .isThrownBy(start)
                    .withMessageContainingAll("20 ms", "killed", "RLIMIT_NOFILE", "Timeout")
                    .matches(e -> e.errno() == Errno.EMFILE);
        } finally {
            limit(before);
            FullTable.empty();
        }
        Await.until(DescriptorTimeoutTest::hasNoChild);
    }

    private static boolean hasNoChild() {
        try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
            return tasks.allMatch(DescriptorTimeoutTest::hasNoChild);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean hasNoChild(Path task) {
        try {
            return Files.readString(task.resolve("children")).isEmpty();
        } catch (IOException e) {
            return true; // the thread has ended
        }
    }

    /** Runs in a JVM of its own. */
    static final class OfAHeldChild {
        public static void main(String[] arguments) throws Exception {
            try (Child child = Spawn.of("true").whileHeld(_ -> {}).start()) {
                assertThat(child.await().isSuccess()).isTrue();
            }
            assertFails(() -> Spawn.of("sleep", "1000").whileHeld(_ -> limit(NO_NUMBER)).start());
        }
    }

    /** Likewise. */
    static final class OfABornChild {
        public static void main(String[] arguments) throws Exception {
            try (Child child = Spawn.of("true").start()) {
                assertThat(child.await().isSuccess()).isTrue();
            }
            FullTable.limit(LIMIT, Fd.class);
            FullTable.fill(2); // the highest numbers, which the spawn reserves for pidfds
            try (ChildTable table = new ChildTable(Collections.emptySortedMap());
                    PosixSpawn spawn = new PosixSpawn(table, new ThreadAttributes())) {
                spawn.beginning(_ -> limit(LIMIT - 2));
                assertFails(() -> spawn.spawn("/bin/sleep", List.of("sleep", "1000"), null));
            }
        }
    }

    @Test
    void heldChildIsKilled() {
        assertThat(ChildJvm.run(SOON, OfAHeldChild.class).status()).isZero();
    }

    @Test
    void bornChildIsKilledAndReaped() {
        assertThat(ChildJvm.run(SOON, OfABornChild.class).status()).isZero();
        List<String> byItsNumber = List.of(SOON.getFirst(), "-Dio.holdfast.without=PIDFD_SPAWN");
        assertThat(ChildJvm.run(byItsNumber, OfABornChild.class).status()).isZero();
    }
}
