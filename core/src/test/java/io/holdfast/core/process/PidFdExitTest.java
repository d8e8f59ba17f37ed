package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Feature;
import io.holdfast.core.Readiness;
import io.holdfast.core.Signal;
import io.holdfast.core.sys.process.SysPrctl;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Waiting for the exit of children and of other processes. */
@Timeout(60)
class PidFdExitTest {
    private static final Exit KILLED = new Exit.Killed(Signal.KILL, false);
    private static final Exit UNKNOWN = new Exit.Unknown();
    private static final Duration LONG = Duration.ofHours(1);

    private final OpenDescriptors before = OpenDescriptors.now();
    private final List<Exit> exits = new ArrayList<>();

    @AfterEach
    void nothingStaysOpen() {
        before.awaitSameNumber();
    }

    /** Returns the exit that the kernel reports for a reaped process that is not a child. */
    private static Exit ifKnown(Exit exit) {
        return Feature.EXIT_INFO.isPresent() ? exit : UNKNOWN;
    }

    /** Runs as on a kernel before 6.15, where only the reaper learns the exit status. */
    static final class OurChildren {
        static final int ROUNDS = 40;

        public static void main(String[] arguments) throws Exception {
            Exit three = new Exit.Exited(3);
            for (int i = 0; i < ROUNDS; i++) {
                try (Child child = Spawn.of("sh", "-c", "exit 3").start();
                        PidFd same = child.pidFd().duplicate();
                        EventLoop loop = EventLoop.open()) {
                    CompletableFuture<Exit> onLoop = new CompletableFuture<>();
                    try (AutoCloseable _ = same.onExit(loop, onLoop::complete)) {
                        CompletableFuture<Exit> future = same.onExit();
                        assertThat(child.pidFd().await()).isEqualTo(three);
                        assertThat(future.get()).isEqualTo(three);
                        while (!onLoop.isDone()) {
                            loop.step(LONG);
                        }
                        assertThat(onLoop.join()).isEqualTo(three);
                    }
                    assertThat(child.await()).isEqualTo(three);
                    assertThat(same.await(LONG)).as("reaped").contains(three);
                    assertThat(child.pidFd().onExit().get()).isEqualTo(three);
                }
            }
            assertTheReasonIsReported();
            System.out.print("told");
        }

        private static void assertTheReasonIsReported() throws Exception {
            try (Child child = Spawn.of("sleep", "1000").start()) {
                CompletableFuture<@Nullable Throwable> failure = new CompletableFuture<>();
                try (PidFd same = child.pidFd().duplicate()) {
                    var _ = same.onExit().whenComplete((_, e) -> failure.complete(e));
                }
                assertThat(failure.get()).isExactlyInstanceOf(IllegalStateException.class);
                assertThat(child.signal(Signal.KILL)).isTrue();
                assertThat(child.await()).isEqualTo(KILLED);
            }
        }
    }

    @Test
    void theEndOfOurChildIsKnownOnEveryKernel() {
        for (String without : List.of("EXIT_INFO", "EXIT_INFO,PIDFD_INFO")) {
            ChildJvm.Result result =
                    ChildJvm.run(List.of("-Dio.holdfast.without=" + without), OurChildren.class);
            assertThat(result.output()).isEqualTo("told");
        }
    }

    @Test
    void aLoopIsNotNotifiedOfAnExitAfterTheClose() throws Exception {
        List<Exit> exits = new ArrayList<>();
        try (ForeignParent parent = ForeignParent.start();
                EventLoop loop = EventLoop.open()) {
            int number = parent.child("stranger");
            PidFd foreign = PidFd.open(number);
            AutoCloseable watch = foreign.onExit(loop, exits::add);
            foreign.close();
            assertThat(parent.kill(number, Signal.KILL)).isTrue();
            assertThat(parent.reap(number)).isEqualTo(new Exit.Killed(Signal.KILL, false));
            assertThat(loop.step(Duration.ZERO)).isZero();
            watch.close();
            assertThat(exits).isEmpty();
        }
    }

    @Test
    void theEndOfAChildOfJavaIsReportedHereAndByJava() throws Exception {
        Process process = new ProcessBuilder("sh", "-c", "read x; exit 5").start();
        try (PidFd held = PidFd.of(process)) {
            CompletableFuture<Exit> future = held.onExit();
            assertThat(held.await(Duration.ofMillis(1))).isEmpty();
            process.getOutputStream().close();
            assertThat(held.await()).isIn(new Exit.Exited(5), ifKnown(new Exit.Exited(5)));
            assertThat(future.get()).isIn(new Exit.Exited(5), ifKnown(new Exit.Exited(5)));
            assertThat(process.waitFor()).isEqualTo(5);
            assertThat(held.await()).isEqualTo(ifKnown(new Exit.Exited(5)));
        }
    }

    @Test
    void theEndOfAForeignProcessReachesEveryWaiterOnceItsParentReapsIt() throws Exception {
        try (ForeignParent parent = ForeignParent.start();
                PidFd foreign = parent.held("stranger");
                EventLoop loop = EventLoop.open()) {
            int number = foreign.pid();
            CompletableFuture<Exit> future = foreign.onExit();
            AutoCloseable watch = foreign.onExit(loop, exits::add);
            List<FutureTask<Exit>> waiters = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                FutureTask<Exit> waiter = new FutureTask<>(foreign::await);
                Thread.Builder kind = (i & 1) == 0 ? Thread.ofVirtual() : Thread.ofPlatform();
                Await.parked(kind.start(waiter));
                waiters.add(waiter);
            }
            assertThat(loop.step(Duration.ZERO)).isZero();
            assertThat(foreign.signal(Signal.KILL)).isTrue();
            assertThat(parent.reap(number)).isEqualTo(KILLED);
            for (FutureTask<Exit> waiter : waiters) {
                assertThat(waiter.get()).isEqualTo(ifKnown(KILLED));
            }
            assertThat(future.get()).isEqualTo(ifKnown(KILLED));
            while (exits.isEmpty()) {
                int ignored = loop.step(LONG);
            }
            assertThat(exits).containsExactly(ifKnown(KILLED));
            assertThat(loop.step(Duration.ZERO)).isZero();
            assertThat(foreign.await(Duration.ZERO)).contains(ifKnown(KILLED));
            watch.close();
        }
    }

    @Test
    @Needs(features = Feature.PIDFD_INFO)
    void theStatusOfAnUnreapedForeignProcessIsReadAfterTheGrace() throws Exception {
        try (ForeignParent parent = ForeignParent.start();
                PidFd foreign = parent.held("stranger");
                EventLoop loop = EventLoop.open()) {
            CompletableFuture<Exit> future = foreign.onExit();
            AutoCloseable watch = foreign.onExit(loop, exits::add);
            FutureTask<Exit> waiter = new FutureTask<>(foreign::await);
            Await.parked(Thread.startVirtualThread(waiter));
            assertThat(foreign.signal(Signal.KILL)).isTrue();
            while (exits.isEmpty()) {
                int ignored = loop.step(LONG);
            }
            assertThat(exits).containsExactly(KILLED);
            assertThat(waiter.get()).isEqualTo(KILLED);
            assertThat(future.get()).isEqualTo(KILLED);
            assertThat(foreign.state()).isEqualTo(PidFd.State.EXITED);
            parent.reap(foreign.pid());
            assertThat(foreign.await()).isEqualTo(ifKnown(KILLED));
            watch.close();
        }
    }

    @Test
    @Needs(features = Feature.PIDFD_INFO)
    void aZombieThatHasSucceededDiffersFromOneWithoutAStatus() throws Exception {
        try (ForeignParent parent = ForeignParent.start();
                PidFd foreign = parent.held("stranger", "exit=0")) {
            assertThat(foreign.await()).isEqualTo(new Exit.Exited(0));
            assertThat(foreign.state()).isEqualTo(PidFd.State.EXITED);
        }
    }

    @Test
    @Needs(features = {Feature.EXIT_INFO, Feature.PIDFS})
    void aReapWithinTheGraceRevealsTheStatus() throws Exception {
        try (ForeignParent parent = ForeignParent.start();
                PidFd foreign = parent.held("stranger");
                EventLoop loop = EventLoop.open()) {
            AutoCloseable watch = foreign.onExit(loop, exits::add);
            CompletableFuture<Exit> future = foreign.onExit();
            assertThat(foreign.signal(Signal.KILL)).isTrue();
            assertThat(loop.step(LONG)).isEqualTo(1); // exited; its status is not known yet
            assertThat(exits).isEmpty();
            parent.reap(foreign.pid());
            while (exits.isEmpty()) {
                int ignored = loop.step(LONG);
            }
            assertThat(exits).containsExactly(KILLED);
            assertThat(future.get()).isEqualTo(KILLED);
            watch.close();
        }
    }

    @Test
    void aForeignProcessThatTheKernelReapsAtOnceIsReportedToo() throws Exception {
        try (ForeignParent parent = ForeignParent.start()) {
            parent.ignoreChildren();
            try (PidFd foreign = parent.held("stranger")) {
                CompletableFuture<Exit> future = foreign.onExit();
                assertThat(foreign.signal(Signal.KILL)).isTrue();
                assertThat(foreign.await()).isEqualTo(ifKnown(KILLED));
                assertThat(future.get()).isEqualTo(ifKnown(KILLED));
            }
        }
    }

    @Test
    void anOrphanThatBecameOursIsWaitedForAndReaped() throws Exception {
        assertThat(SysPrctl.isChildSubreaper()).isFalse();
        assertThat(SysPrctl.setChildSubreaper(true)).isZero();
        try {
            assertThat(SysPrctl.isChildSubreaper()).isTrue();
            Process shell =
                    new ProcessBuilder("sh", "-c", "sleep 1000 >/dev/null & echo $!").start();
            int number = Integer.parseInt(shell.inputReader().readLine());
            try (PidFd orphan = PidFd.open(number)) {
                assertThat(shell.waitFor()).isZero();
                try (PidFd self = PidFd.self();
                        PidFd adopter = orphan.parent().orElseThrow()) {
                    assertThat(adopter).isEqualTo(self);
                }
                assertThat(orphan.isChild()).isTrue();
                assertThat(orphan.reap()).isEmpty();
                CompletableFuture<Exit> future = orphan.onExit();
                assertThat(orphan.signal(Signal.KILL)).isTrue();
                assertThat(orphan.await()).isEqualTo(KILLED);
                assertThat(orphan.await(LONG)).contains(KILLED);
                assertThat(future.get()).isEqualTo(KILLED);
                assertThat(orphan.state())
                        .as("waiting does not reap")
                        .isEqualTo(PidFd.State.EXITED);
                Await.until(() -> isFirstExited(orphan)); // after children about to be reaped
                assertThat(orphan.reap()).contains(KILLED);
                assertThat(isFirstExited(orphan)).isFalse();
                assertThat(orphan.state()).isEqualTo(PidFd.State.REAPED);
                assertEchild(orphan);
            }
        } finally {
            assertThat(SysPrctl.setChildSubreaper(false)).isZero();
        }
    }

    private static boolean isFirstExited(PidFd process) {
        try (PidFd first = Child.firstExited().orElse(null)) {
            return process.equals(first);
        }
    }

    private static void assertEchild(PidFd process) {
        assertThatThrownBy(process::reap)
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ECHILD))
                .hasMessageContaining("waitid");
    }

    @Test
    void onlyChildrenOfOursAreReaped() throws InterruptedException {
        try (ForeignParent parent = ForeignParent.start();
                PidFd foreign = parent.held("stranger", "exit=0");
                PidFd self = PidFd.self()) {
            assertThat(Readiness.await(foreign.fd(), Readiness.IN)).isNotZero();
            assertEchild(foreign);
            assertEchild(self);
            assertThat(foreign.state()).isEqualTo(PidFd.State.EXITED);
        }
    }

    @Test
    void aWaitEndsWithItsTimeWithAnInterruptAndWithTheClose() throws Exception {
        try (ForeignParent parent = ForeignParent.start()) {
            PidFd foreign = parent.held("stranger");
            assertThat(foreign.await(Duration.ofMillis(5))).isEmpty();
            assertThat(foreign.await(Duration.ZERO)).isEmpty();

            List<FutureTask<Optional<Exit>>> waiters = new ArrayList<>();
            for (Thread.Builder kind : List.of(Thread.ofVirtual(), Thread.ofPlatform())) {
                FutureTask<Exit> interrupted = new FutureTask<>(foreign::await);
                Thread thread = kind.start(interrupted);
                Await.parked(thread);
                thread.interrupt();
                assertThatThrownBy(interrupted::get)
                        .cause()
                        .isInstanceOf(InterruptedException.class);

                FutureTask<Optional<Exit>> waiter = new FutureTask<>(() -> foreign.await(LONG));
                Await.parked(kind.start(waiter));
                waiters.add(waiter);
            }
            CompletableFuture<Exit> future = foreign.onExit();
            try (EventLoop loop = EventLoop.open()) {
                AutoCloseable watch = foreign.onExit(loop, exits::add);
                foreign.close();
                for (FutureTask<?> waiter : waiters) {
                    assertThatThrownBy(waiter::get)
                            .cause()
                            .isInstanceOf(IllegalStateException.class);
                }
                assertThatThrownBy(future::get).cause().isInstanceOf(IllegalStateException.class);
                assertThat(loop.step(Duration.ZERO)).isZero();
                watch.close();
            }
            assertThat(exits).isEmpty();
        }
    }

    @Test
    void aWatchOnALoopThatIsClosedIsNotCalled() throws Exception {
        try (ForeignParent parent = ForeignParent.start();
                PidFd foreign = parent.held("stranger");
                PidFd other = foreign.duplicate();
                EventLoop loop = EventLoop.open()) {
            AutoCloseable watch = foreign.onExit(loop, exits::add);
            watch.close();
            watch.close();
            AutoCloseable kept = other.onExit(loop, exits::add);
            assertThat(foreign.signal(Signal.KILL)).isTrue();
            parent.reap(foreign.pid());
            while (exits.isEmpty()) {
                int ignored = loop.step(LONG);
            }
            assertThat(exits).hasSize(1);
            kept.close();
        }
    }

    @Test
    void aLoopWatchesManyToTheirEnd() throws Exception {
        int many = 60;
        try (ForeignParent parent = ForeignParent.start();
                EventLoop loop = EventLoop.open()) {
            parent.ignoreChildren();
            List<PidFd> held = new ArrayList<>();
            for (int i = 0; i < many; i++) {
                PidFd foreign = parent.held("stranger-" + i);
                held.add(foreign);
                AutoCloseable ignored = foreign.onExit(loop, exits::add);
            }
            held.forEach(foreign -> assertThat(foreign.signal(Signal.KILL)).isTrue());
            while (exits.size() < many) {
                int ignored = loop.step(LONG);
            }
            assertThat(exits).containsOnly(ifKnown(KILLED)).hasSize(many);
            held.forEach(PidFd::close);
        }
    }

    @Test
    void anExitIsPrintedAndIsAShellStatus() {
        assertThat(new Exit.Exited(3)).hasToString("exited with status 3");
        assertThat(new Exit.Exited(3).shellStatus()).isEqualTo(3);
        assertThat(new Exit.Exited(3).isSuccess()).isFalse();
        assertThat(new Exit.Exited(0).isSuccess()).isTrue();
        assertThat(KILLED).hasToString("killed by SIGKILL");
        assertThat(KILLED.shellStatus()).isEqualTo(137);
        assertThat(KILLED.isSuccess()).isFalse();
        assertThat(new Exit.Killed(Signal.SEGV, true))
                .hasToString("killed by SIGSEGV (core dumped)");
        assertThat(UNKNOWN).hasToString("exited, status unknown");
        assertThat(UNKNOWN.isSuccess()).isFalse();
        assertThatThrownBy(UNKNOWN::shellStatus).isInstanceOf(IllegalStateException.class);
        assertThat(Exit.ofWaitStatus(0x4D00)).isEqualTo(new Exit.Exited(77));
        assertThat(Exit.ofWaitStatus(0x0F)).isEqualTo(new Exit.Killed(Signal.TERM, false));
        assertThat(Exit.ofWaitStatus(0x8B)).isEqualTo(new Exit.Killed(Signal.SEGV, true));
    }
}
