package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.linux.Signal;
import io.holdfast.core.testkit.OpenDescriptors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class SpawnManyTest {
    /** Under emulation a spawn takes a fifth of a second. */
    private static final int PARALLEL = Boolean.getBoolean("holdfast.slow") ? 20 : 200;

    private static final int EACH = 5;

    private static int threads() throws IOException {
        String status = Files.readString(Path.of("/proc/self/status"));
        return Integer.parseInt(Proc.field(status, "Threads"));
    }

    /** Some are of the JVM itself: compilers and carriers come and go. */
    private static final int SLACK = 30;

    @Test
    void twoHundredAtOnceWithAThousandAliveLeaveNothing() throws Exception {
        try (Child first = Spawn.of("true").start()) {
            assertThat(first.await()).isEqualTo(new Exit.Exited(0));
        }
        OpenDescriptors before = OpenDescriptors.now();
        int threadsBefore = threads();
        ConcurrentLinkedQueue<Child> children = new ConcurrentLinkedQueue<>();
        ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
        CountDownLatch go = new CountDownLatch(1);
        List<Thread> starters = new ArrayList<>();
        for (int i = 0; i < PARALLEL; i++) {
            starters.add(
                    Thread.startVirtualThread(() -> {
                        try {
                            go.await();
                            for (int n = 0; n < EACH; n++) {
                                children.add(
                                        Spawn.of("sleep", "1000").stdin(Stdio.devNull()).start());
                            }
                        } catch (InterruptedException | RuntimeException | Error e) {
                            failures.add(e);
                        }
                    }));
        }
        go.countDown();
        for (Thread starter : starters) {
            starter.join();
        }
        assertThat(failures).isEmpty();
        assertThat(children).hasSize(PARALLEL * EACH);
        assertThat(children).allMatch(child -> child.pidFd().isAlive());
        assertThat(OpenDescriptors.now().count()).isEqualTo(before.count() + PARALLEL * EACH);
        assertThat(threads()).as("no thread a child").isLessThan(threadsBefore + SLACK);

        List<CompletableFuture<Exit>> futures = children.stream().map(Child::onExit).toList();
        for (Child child : children) {
            assertThat(child.signal(Signal.KILL)).isTrue();
        }
        for (CompletableFuture<Exit> future : futures) {
            assertThat(future.get()).isEqualTo(new Exit.Killed(Signal.KILL, false));
        }
        children.forEach(Child::close);
        before.awaitSameNumber();
        SpawnErrorsTest.awaitNoChildren();
        assertThat(threads()).isLessThan(threadsBefore + SLACK);
    }
}
