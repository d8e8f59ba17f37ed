package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.OpenDescriptors;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class SpawnManyTest {
    private static final boolean SLOW = Boolean.getBoolean("holdfast.slow"); // emulated
    private static final int ALIVE = SLOW ? 100 : 1_000;
    private static final int AT_ONCE = SLOW ? 20 : 200;

    /** Counted alone: what else an earlier test has left may be closed meanwhile. */
    private static final String PIDFD = "anon_inode:[pidfd]";

    /**
     * Threads of the JVM itself: compilers, and carriers, of which as many as starters may stay for
     * minutes. A thread for each child would be four times as many.
     */
    private static final int SLACK = ALIVE / 4;

    private final List<Child> alive = new ArrayList<>();

    /** Ends the children of a failed test, for which the next one in this JVM would wait. */
    @AfterEach
    void endTheOthers() throws Exception {
        for (Child child : alive) {
            boolean _ = child.signal(Signal.KILL);
            var _ = child.await();
            child.close();
        }
    }

    private static int threads() {
        String status = KernelFile.text(null, "/proc/self/status");
        return Integer.parseInt(Proc.field(status, "Threads"));
    }

    private static Child sleeper() {
        return Spawn.of("sleep", "1000").stdin(Stdio.devNull()).start();
    }

    @Test
    void twoHundredAtOnceBesideAThousandAliveLeaveNothing() throws Exception {
        try (Child first = Spawn.of("true").start()) {
            assertThat(first.await()).isEqualTo(new Exit.Exited(0));
        }
        OpenDescriptors before = OpenDescriptors.now();
        int threadsBefore = threads();
        for (int i = 0; i < ALIVE; i++) {
            alive.add(sleeper());
        }
        OpenDescriptors withChildren = OpenDescriptors.now();
        assertThat(withChildren.count(PIDFD)).isEqualTo(before.count(PIDFD) + ALIVE);

        Collection<Child> more = startedAtOnce(AT_ONCE);
        OpenDescriptors withMore = OpenDescriptors.now();
        assertThat(withMore.count(PIDFD)).isEqualTo(withChildren.count(PIDFD) + AT_ONCE);
        assertThat(alive).allMatch(child -> child.pidFd().isAlive());
        assertThat(more).allMatch(child -> child.pidFd().isAlive());
        Await.until(() -> threads() < threadsBefore + SLACK); // no thread per child
        end(more);
        withChildren.awaitSameNumber();
        assertThat(alive).allMatch(child -> child.pidFd().isAlive());

        end(alive);
        alive.clear();
        before.awaitSameNumber();
        SpawnErrorsTest.awaitNoChildren();
        Await.until(() -> threads() < threadsBefore + SLACK);
    }

    /** Starts one child on each of so many threads, half of them virtual. */
    private static Collection<Child> startedAtOnce(int count) throws InterruptedException {
        Collection<Child> children = new ConcurrentLinkedQueue<>();
        Collection<Throwable> failures = new ConcurrentLinkedQueue<>();
        CountDownLatch go = new CountDownLatch(1);
        List<Thread> starters = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Thread.Builder kind = i % 2 == 0 ? Thread.ofVirtual() : Thread.ofPlatform();
            starters.add(
                    kind.start(() -> {
                        try {
                            go.await();
                            children.add(sleeper());
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
        assertThat(children).hasSize(count);
        return children;
    }

    private static void end(Collection<Child> children) throws Exception {
        List<CompletableFuture<Exit>> exits = children.stream().map(Child::onExit).toList();
        for (Child child : children) {
            assertThat(child.signal(Signal.KILL)).isTrue();
        }
        for (CompletableFuture<Exit> exit : exits) {
            assertThat(exit.get()).isEqualTo(new Exit.Killed(Signal.KILL, false));
        }
        children.forEach(Child::close);
    }
}
