package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.Readiness;
import io.holdfast.core.Signal;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.core.sys.SysPoll;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.core.testkit.ScratchCgroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A child that is held between its birth and its program. */
@Timeout(60)
class SpawnHeldTest {
    private final OpenDescriptors before = OpenDescriptors.now();

    @TempDir Path folder;

    @AfterEach
    void nothingIsLeft() throws IOException {
        before.awaitSameNumber();
        SpawnErrorsTest.awaitNoChildren();
    }

    private static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    @Test
    void limitsAreInForceFromTheFirstInstruction() throws Exception {
        String said =
                SpawnTest.output(
                        Spawn.of("sh", "-c", "ulimit -Sn; ulimit -Hn; ulimit -Sc")
                                .whileHeld(child -> {
                                    child.limit(Resource.NOFILE, 123, 456);
                                    child.limit(Resource.CORE, 0, Resource.INFINITY);
                                }));
        assertThat(said).isEqualTo("123\n456\n0\n");
    }

    @Test
    void eachHasItsOwnUmaskThoughOneThreadSpawnsThemAll() throws Exception {
        List<String> said = new ArrayList<>();
        for (int umask : new int[] {0077, 0027, 0002}) {
            AtomicReference<Integer> held = new AtomicReference<>();
            said.add(
                    SpawnTest.output(
                            Spawn.of("sh", "-c", "umask; [ $$ = $HELD ] || echo another")
                                    .umask(umask)
                                    .environmentOfPid("HELD")
                                    .whileHeld(child -> held.set(child.pid()))));
            assertThat(held.get()).isPositive();
        }
        assertThat(said).containsExactly("0077\n", "0027\n", "0002\n");
    }

    @Test
    void itsOomScoreIsSet() throws Exception {
        assertThat(
                        SpawnTest.output(
                                Spawn.of("cat", "/proc/self/oom_score_adj")
                                        .whileHeld(child -> child.oomScoreAdjust(321))))
                .isEqualTo("321\n");
    }

    @Test
    void itIsTheSameProcessThatThenRuns() throws Exception {
        AtomicReference<PidFd> held = new AtomicReference<>();
        try (Child child =
                Spawn.of("cat")
                        .stdin(Stdio.pipe())
                        .whileHeld(process -> {
                            held.set(process.pidFd().duplicate());
                            assertThat(process.pidFd().pid()).isEqualTo(process.pid());
                            assertThat(process.pidFd().isAlive()).isTrue();
                        })
                        .start()) {
            assertThat(held.get().pid()).isEqualTo(child.pidFd().pid());
            assertThat(held.get()).isEqualTo(child.pidFd());
            held.get().close();
            child.stdin().close();
            assertThat(child.await()).isEqualTo(new Exit.Exited(0));
        }
    }

    @Test
    void itHasNotRunWhileItIsHeld() throws Exception {
        Path trace = folder.resolve("trace");
        SpawnTest.output(
                Spawn.of("touch", trace.toString())
                        .whileHeld(child -> {
                            assertThat(child.pidFd().proc().name()).isNotEqualTo("touch");
                            assertThat(trace).doesNotExist();
                        }));
        assertThat(trace).exists();
    }

    @Test
    void ifTheActionThrowsTheChildIsKilledBeforeItsFirstInstruction() {
        Path trace = folder.resolve("trace");
        for (boolean isVirtual : new boolean[] {false, true}) {
            for (Throwable thrown :
                    List.of(
                            new Refused(),
                            new AssertionError("refused"),
                            new StackOverflowError())) {
                AtomicReference<PidFd> held = new AtomicReference<>();
                Spawn spawn =
                        Spawn.of("touch", trace.toString())
                                .stdin(Stdio.pipe())
                                .whileHeld(child -> {
                                    held.set(child.pidFd().duplicate());
                                    if (thrown instanceof Error error) {
                                        throw error;
                                    }
                                    throw (RuntimeException) thrown;
                                });
                FutureTask<Child> task = new FutureTask<>(spawn::start);
                if (isVirtual) {
                    Thread.startVirtualThread(task);
                } else {
                    task.run();
                }
                assertThatThrownBy(task::get).cause().isSameAs(thrown);
                try (PidFd child = held.get()) {
                    assertThat(child.state()).isEqualTo(PidFd.State.REAPED);
                }
                assertThat(trace).doesNotExist();
            }
        }
    }

    @Test
    void aRefusedLimitIsNamedAndEndsTheStart() {
        Spawn spawn = Spawn.of("true").whileHeld(child -> child.limit(Resource.NOFILE, 100, 50));
        assertThatThrownBy(spawn::start)
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("prlimit RLIMIT_NOFILE")
                .hasMessageContaining("EINVAL");
    }

    @Test
    void aProgramThatCannotBeExecutedIsReportedAfterTheAction() throws IOException {
        Path script = Files.writeString(folder.resolve("script"), "#!/no/such/interpreter\n");
        assertThat(script.toFile().setExecutable(true)).isTrue();
        List<Integer> handled = new ArrayList<>();
        Spawn spawn = Spawn.of(script.toString()).whileHeld(child -> handled.add(child.pid()));
        assertThatThrownBy(spawn::start)
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
        assertThat(handled).hasSize(1);
    }

    @Test
    void aStartThatFailsBeforeTheChildIsThereDoesNotCallTheAction() {
        List<Integer> handled = new ArrayList<>();
        Spawn spawn =
                Spawn.of("true")
                        .directory(folder.resolve("missing"))
                        .whileHeld(child -> handled.add(child.pid()));
        assertThatThrownBy(spawn::start).hasMessageContaining("ENOENT");
        assertThat(handled).isEmpty();
    }

    @Test
    void aChildKilledWhileHeldIsReportedAsKilled() throws Exception {
        try (Child child =
                Spawn.of("true")
                        .whileHeld(c -> assertThat(c.pidFd().signal(Signal.KILL)).isTrue())
                        .start()) {
            assertThat(child.await()).isEqualTo(new Exit.Killed(Signal.KILL, false));
        }
    }

    @Test
    void manyAreHeldAtOnceEachAsItself() throws Exception {
        int many = 12;
        CountDownLatch allHeld = new CountDownLatch(many);
        List<String> wrong = Collections.synchronizedList(new ArrayList<>());
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < many; i++) {
            int limit = 1000 + i;
            threads.add(
                    Thread.startVirtualThread(() -> {
                        try {
                            String said =
                                    SpawnTest.output(
                                            Spawn.of("sh", "-c", "ulimit -Sn; echo $$ $LISTEN_PID")
                                                    .environmentOfPid("LISTEN_PID")
                                                    .whileHeld(child -> {
                                                        child.limit(Resource.NOFILE, limit, limit);
                                                        allHeld.countDown();
                                                        awaitUninterrupted(allHeld);
                                                    }));
                            String[] words = said.strip().split("\\s+");
                            if (!words[0].equals("" + limit) || !words[1].equals(words[2])) {
                                wrong.add(said);
                            }
                        } catch (Exception | AssertionError e) {
                            wrong.add(e.toString());
                        }
                    }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(wrong).isEmpty();
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void anInterruptedStartGoesOnAndStaysInterrupted() throws Exception {
        try (Child child =
                Spawn.of("cat")
                        .stdin(Stdio.pipe())
                        .whileHeld(_ -> Thread.currentThread().interrupt())
                        .start()) {
            assertThat(Thread.interrupted()).isTrue();
            child.stdin().close();
            assertThat(child.await()).isEqualTo(new Exit.Exited(0));
        }
        Thread.currentThread().interrupt();
        try (Child child = Spawn.of("true").environmentOfPid("PID").start()) {
            assertThat(Thread.interrupted()).isTrue();
            assertThat(child.await()).isEqualTo(new Exit.Exited(0));
        }
    }

    @Test
    void whileItIsHeldItHasNoDescriptorsButThoseItWasGiven() throws Exception {
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd in = pipe[0];
                Child child =
                        Spawn.of("true")
                                .whileHeld(_ -> {
                                    pipe[1].close();
                                    assertThat(SysPoll.now(in, Readiness.IN))
                                            .as("the writer was the last")
                                            .isEqualTo(Readiness.HUP);
                                })
                                .start()) {
            assertThat(child.await()).isEqualTo(new Exit.Exited(0));
        }
    }

    @Test
    @Needs(disposableMachine = true) // it changes a system-wide setting
    void oneThatIsHeldForTooLongEndsWithoutItsProgram() throws Exception {
        Path trace = folder.resolve("trace");
        String limit = "/proc/sys/fs/lease-break-time";
        String usual = KernelFile.text(null, limit);
        assertThat(KernelFile.write(null, limit, "1")).isZero();
        try {
            AtomicReference<Exit> exit = new AtomicReference<>();
            Spawn spawn =
                    Spawn.of("touch", trace.toString())
                            .whileHeld(child -> exit.set(awaitExit(child.pidFd())));
            assertThatThrownBy(spawn::start)
                    .isInstanceOfSatisfying(
                            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENXIO))
                    .hasMessageContaining("fs.lease-break-time");
            Exit expected = new Exit.Exited(127);
            assertThat(exit.get()) // start() reaps it, perhaps first
                    .isIn(expected, Feature.EXIT_INFO.isPresent() ? expected : new Exit.Unknown());
            assertThat(trace).doesNotExist();
        } finally {
            assertThat(KernelFile.write(null, limit, usual)).isZero();
            assertThat(KernelFile.text(null, limit)).isEqualTo(usual);
        }
    }

    private static Exit awaitExit(PidFd pidFd) {
        try {
            return pidFd.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    @Needs(cgroup2 = true)
    void aChildIsBornInItsCgroupAndHeldThere() throws Exception {
        try (ScratchCgroup scratch = ScratchCgroup.create()) {
            String expected = "0::" + scratch.cgroup().path().path();
            String plain =
                    SpawnTest.output(Spawn.of("cat", "/proc/self/cgroup").cgroup(scratch.cgroup()));
            assertThat(plain.lines()).contains(expected);
            String held =
                    SpawnTest.output(
                            Spawn.of("cat", "/proc/self/cgroup")
                                    .cgroup(scratch.cgroup())
                                    .whileHeld(child ->
                                            assertThat(scratch.cgroup().contains(child.pidFd()))
                                                    .isTrue()));
            assertThat(held.lines()).contains(expected);
            String virtual = inVirtualThread(scratch.cgroup());
            assertThat(virtual.lines()).contains(expected);
        }
    }

    private static String inVirtualThread(Cgroup cgroup) throws Exception {
        FutureTask<String> task =
                new FutureTask<>(() ->
                        SpawnTest.output(Spawn.of("cat", "/proc/self/cgroup").cgroup(cgroup)));
        Thread.startVirtualThread(task);
        return task.get();
    }

    @Test
    void aHeldChildHasNotExecutedItsProgram() throws Exception {
        AtomicBoolean executed = new AtomicBoolean(true);
        try (Child child =
                Spawn.of("sleep", "1000")
                        .whileHeld(held -> executed.set(held.pidFd().proc().hasExecuted()))
                        .start()) {
            assertThat(executed).isFalse();
            Await.until(() -> child.pidFd().proc().hasExecuted());
            assertThat(child.signal(Signal.KILL)).isTrue();
        }
    }
}
