package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.EventLoop;
import io.holdfast.core.Signal;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.OpenDescriptors;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ChildTest {
    private static final Exit SUCCESS = new Exit.Exited(0);
    private static final Exit KILLED = new Exit.Killed(Signal.KILL, false);

    private final OpenDescriptors before = OpenDescriptors.now();

    @AfterEach
    void nothingIsLeft() {
        before.awaitSameNumber();
        Await.until(ChildTest::hasNoChildren);
    }

    private static boolean hasNoChildren() {
        try {
            return SpawnErrorsTest.childrenOfOurs().isEmpty();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static Child cat() {
        return Spawn.of("cat").stdin(Stdio.pipe()).stdout(Stdio.pipe()).start();
    }

    @Test
    void megabytesPassThroughItUnchanged() throws Exception {
        byte[] sent = new byte[4_000_001];
        new SplittableRandom(3).nextBytes(sent);
        for (Thread.Builder kind : List.of(Thread.ofVirtual(), Thread.ofPlatform())) {
            try (Child cat = cat()) {
                kind.start(() -> {
                    try (var in = cat.stdin()) {
                        in.write(sent);
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                });
                assertThat(Arrays.equals(cat.stdout().readAllBytes(), sent)).isTrue();
                assertThat(cat.await()).isEqualTo(SUCCESS);
            }
        }
    }

    @Test
    void manyVirtualThreadsTalkToTheirChildrenAtOnce() throws Exception {
        List<FutureTask<String>> talks = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            String text = "line " + i;
            FutureTask<String> talk =
                    new FutureTask<>(() -> {
                        try (Child cat = cat()) {
                            cat.stdin()
                                    .write(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
                            cat.stdin().close();
                            String said =
                                    new String(
                                            cat.stdout().readAllBytes(),
                                            java.nio.charset.StandardCharsets.UTF_8);
                            assertThat(cat.await()).isEqualTo(SUCCESS);
                            return said;
                        }
                    });
            Thread.startVirtualThread(talk);
            talks.add(talk);
        }
        for (int i = 0; i < talks.size(); i++) {
            assertThat(talks.get(i).get()).isEqualTo("line " + i);
        }
    }

    @Test
    void whatIsNoPipeHasNoStream() throws Exception {
        try (Child child = Spawn.of("true").stdout(Stdio.devNull()).start()) {
            assertThatIllegalStateException()
                    .isThrownBy(child::stdin)
                    .withMessage("standard input is not a pipe");
            assertThatIllegalStateException().isThrownBy(child::stdout);
            assertThatIllegalStateException().isThrownBy(child::stderr);
            assertThat(child.await()).isEqualTo(SUCCESS);
        }
    }

    @Test
    void everyWaiterIsNotified() throws Exception {
        try (Child cat = cat()) {
            List<FutureTask<Exit>> waiters = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                FutureTask<Exit> waiter = new FutureTask<>(cat::await);
                Await.parked(ofEither(i).start(waiter));
                waiters.add(waiter);
            }
            CompletableFuture<Exit> first = cat.onExit();
            CompletableFuture<Exit> second = cat.onExit();
            assertThat(second.cancel(true)).isTrue();
            assertThat(cat.await(Duration.ofMillis(2))).isEmpty();
            assertThat(cat.await(Duration.ZERO)).isEmpty();
            assertThat(cat.signal(Signal.KILL)).isTrue();
            assertThat(first.get()).isEqualTo(KILLED);
            for (FutureTask<Exit> waiter : waiters) {
                assertThat(waiter.get()).isEqualTo(KILLED);
            }
            assertThat(cat.await(Duration.ZERO)).contains(KILLED);
            assertThat(cat.await(Duration.ofSeconds(Long.MAX_VALUE))).contains(KILLED);
            assertThat(cat.exit()).contains(KILLED);
            assertThat(cat.onExit().get()).isEqualTo(KILLED);
            assertThat(cat.signal(Signal.KILL)).isFalse();
        }
    }

    @Test
    void futuresOfItCompleteOnVirtualThreads() throws Exception {
        try (Child cat = cat()) {
            CompletableFuture<Boolean> isVirtual =
                    cat.onExit().thenApply(_ -> Thread.currentThread().isVirtual());
            cat.stdin().close();
            assertThat(isVirtual.get()).isTrue();
        }
    }

    private static Thread.Builder ofEither(int i) {
        return (i & 1) == 0 ? Thread.ofVirtual() : Thread.ofPlatform();
    }

    @Test
    void aWaitThatIsInterruptedLeavesTheExitToOthers() throws Exception {
        try (Child cat = cat()) {
            CompletableFuture<Exit> future = cat.onExit();
            for (int i = 0; i < 4; i++) {
                FutureTask<Boolean> waiter =
                        new FutureTask<>(() -> {
                            try {
                                Exit ignored = cat.await();
                                return true;
                            } catch (InterruptedException e) {
                                return Thread.currentThread().isInterrupted();
                            }
                        });
                Thread thread = ofEither(i).start(waiter);
                Await.parked(thread);
                thread.interrupt();
                assertThat(waiter.get()).as("interrupt status after the exception").isFalse();
            }
            FutureTask<Exit> other = new FutureTask<>(cat::await);
            Await.parked(Thread.ofVirtual().start(other));
            assertThat(cat.signal(Signal.KILL)).isTrue();
            assertThat(other.get()).isEqualTo(KILLED);
            assertThat(future.get()).isEqualTo(KILLED);
            assertThat(cat.await()).isEqualTo(KILLED);
        }
    }

    @Test
    void aPlatformThreadThatWaitsReapsForEverybody() throws Exception {
        for (int i = 0; i < 50; i++) {
            try (Child cat = cat()) {
                CompletableFuture<Exit> future = cat.onExit();
                FutureTask<Exit> waiter = new FutureTask<>(cat::await);
                Await.parked(Thread.ofPlatform().start(waiter));
                FutureTask<Optional<Exit>> timed =
                        new FutureTask<>(() -> cat.await(Duration.ofHours(1)));
                Await.parked(ofEither(i).start(timed));
                cat.stdin().close();
                assertThat(waiter.get()).isEqualTo(SUCCESS);
                assertThat(timed.get()).contains(SUCCESS);
                assertThat(future.get()).isEqualTo(SUCCESS);
                assertThat(cat.pidFd().state()).isEqualTo(PidFd.State.REAPED);
            }
        }
    }

    @Test
    void waitsThatRunOutWhileItExitsLoseNothing() throws Exception {
        for (int i = 0; i < 50; i++) {
            try (Child child = Spawn.of("true").start()) {
                Optional<Exit> exit;
                do {
                    exit = child.await(Duration.ofNanos(50_000));
                } while (exit.isEmpty());
                assertThat(exit).contains(SUCCESS);
            }
        }
    }

    @Test
    @SuppressWarnings("try") // closed early on purpose
    void aPidFdThatIsClosedUnderAWaitEndsItWithAnUnknownStatus() throws Exception {
        Child child = Spawn.of("sleep", "1000").start();
        try (child;
                PidFd held = child.pidFd().duplicate()) {
            FutureTask<Exit> waiter = new FutureTask<>(child::await);
            Await.parked(Thread.ofPlatform().start(waiter));
            child.pidFd().close();
            assertThat(held.signal(Signal.KILL)).isTrue();
            assertThat(waiter.get()).isEqualTo(new Exit.Unknown());
            assertThat(held.await()).isEqualTo(KILLED);
            assertThat(held.reap()).contains(KILLED);
        }
    }

    @Test
    void whatHangsOnAnExitMayBlockWithoutHarmToOthers() throws Exception {
        try (Child first = cat();
                Child second = cat()) {
            CompletableFuture<Exit> of2 = second.onExit();
            CompletableFuture<Exit> of1 = first.onExit();
            CompletableFuture<Exit> firstAfterSecond = of1.thenApply(_ -> of2.join());
            CompletableFuture<Exit> secondAfterFirst = of2.thenApply(_ -> of1.join());
            first.stdin().close();
            second.stdin().close();
            assertThat(firstAfterSecond.get()).isEqualTo(SUCCESS);
            assertThat(secondAfterFirst.get()).isEqualTo(SUCCESS);
        }
    }

    @Test
    void aLockOnTheObjectItselfHoldsNothingUp() throws Exception {
        try (Child cat = cat();
                Child other = cat()) {
            synchronized (cat) {
                CompletableFuture<Exit> future = cat.onExit();
                cat.stdin().close();
                other.stdin().close();
                FutureTask<Exit> waiter = new FutureTask<>(cat::await);
                Thread ignored = Thread.ofVirtual().start(waiter);
                assertThat(future.get()).isEqualTo(SUCCESS);
                assertThat(waiter.get()).isEqualTo(SUCCESS);
                assertThat(other.await()).isEqualTo(SUCCESS);
            }
        }
    }

    @Test
    void anExitedChildIsReapedWithoutAWaiter() {
        Child child = Spawn.of("true").start();
        Await.until(() -> child.pidFd().state() == PidFd.State.REAPED);
        child.close();
    }

    @Test
    void closedAfterItsExitNothingIsOpen() throws Exception {
        Child child = Spawn.of("true").start();
        assertThat(child.await()).isEqualTo(SUCCESS);
        assertThat(child.pidFd().fd().isOpen()).as("to be asked still").isTrue();
        child.close();
        assertThat(child.pidFd().fd().isOpen()).isFalse();
        assertThatCode(child::close).doesNotThrowAnyException();
        assertThat(child.await()).isEqualTo(SUCCESS);
    }

    @Test
    void closedBeforeItsExitItLivesOnAndIsReapedThen() throws Exception {
        Child child = Spawn.of("sh", "-c", "read x; exit 6").stdin(Stdio.pipe()).start();
        CompletableFuture<Exit> future = child.onExit();
        try (PidFd held = child.pidFd().duplicate()) {
            child.pidFd().fd(); // lent until the close
            child.close(); // this ends its input
            assertThat(future.get()).isEqualTo(new Exit.Exited(6));
            assertThat(child.await()).isEqualTo(new Exit.Exited(6));
            assertThat(held.state()).isEqualTo(PidFd.State.REAPED);
        }
        Await.until(() -> !child.pidFd().fd().isOpen());
    }

    @Test
    void aCloseWakesWhoReadsItsOutput() throws Exception {
        Child child = Spawn.of("sleep", "1000").stdout(Stdio.pipe()).start();
        FutureTask<Integer> reader = new FutureTask<>(() -> child.stdout().read());
        Await.parked(Thread.startVirtualThread(reader));
        child.close();
        assertThatThrownBy(reader::get).cause().isInstanceOf(IOException.class);
        assertThat(child.signal(Signal.KILL)).isTrue();
        assertThat(child.await()).isEqualTo(KILLED);
    }

    @Test
    void outputIsReadToItsEndAfterTheExit() throws Exception {
        try (Child child = Spawn.of("echo", "words").stdout(Stdio.pipe()).start()) {
            assertThat(child.await()).isEqualTo(SUCCESS);
            assertThat(child.stdout().readAllBytes()).asString().isEqualTo("words\n");
            assertThat(child.stdout().read()).isEqualTo(-1);
        }
    }

    @Test
    void aChildThatDoesNotReadEndsTheWriterWithEpipe() throws Exception {
        try (Child child = Spawn.of("true").stdin(Stdio.pipe()).start()) {
            assertThat(child.await()).isEqualTo(SUCCESS);
            assertThatThrownBy(() -> child.stdin().write(new byte[1_000_000]))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("EPIPE");
        }
    }

    @Test
    void exitedChildrenThatAreForgottenFreeTheirDescriptors() throws Exception {
        for (int i = 0; i < 500; i++) {
            Child forgotten = Spawn.of("true").stdout(Stdio.pipe()).start();
            assertThat(forgotten.await()).isEqualTo(SUCCESS);
        }
        Await.until(() -> {
            System.gc();
            return OpenDescriptors.now().count() <= before.count();
        });
    }

    @Test
    void whatIsKeptOfAForgottenChildGoesOnToWork() throws Exception {
        InputStream output = Spawn.of("echo", "kept").stdout(Stdio.pipe()).start().stdout();
        Await.until(ChildTest::hasNoChildren);
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        assertThat(new String(output.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo("kept\n");
        output.close();
    }

    @Test
    void aCopyOfASpawnIsReapedLaterToo() throws Exception {
        try (Child child = Spawn.of("true").reapLater().copy().start()) {
            assertThat(child.await()).isEqualTo(SUCCESS);
            assertThat(child.pidFd().state()).isEqualTo(PidFd.State.EXITED);
            child.reap();
            assertThat(child.pidFd().state()).isEqualTo(PidFd.State.REAPED);
        }
    }

    private static Child shell(String script) throws IOException {
        Child shell =
                Spawn.of("sh", "-c", script + "; echo; while :; do sleep 0.01; done")
                        .stdout(Stdio.pipe())
                        .start();
        assertThat(shell.stdout().read()).isEqualTo('\n'); // its traps are set
        return shell;
    }

    @Test
    void anEndLetsItExitWithinTheGrace() throws Exception {
        try (Child polite = shell("trap 'exit 5' TERM")) {
            boolean _ = polite.signal(Signal.STOP);
            assertThat(polite.end(Duration.ofSeconds(50))).isEqualTo(new Exit.Exited(5));
            assertThat(polite.end(Duration.ofSeconds(50))).isEqualTo(new Exit.Exited(5));
        }
    }

    @Test
    void anEndKillsItAfterTheGrace() throws Exception {
        try (Child stubborn = shell("trap '' TERM")) {
            assertThat(stubborn.end(Duration.ofMillis(30))).isEqualTo(KILLED);
        }
        try (Child asked = shell(":")) {
            assertThat(asked.end(Duration.ZERO)).isEqualTo(KILLED);
        }
    }

    @Test
    void anInterruptOfAnEndKillsItAtOnce() throws Exception {
        try (Child stubborn = shell("trap '' TERM")) {
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> stubborn.end(Duration.ofDays(9)))
                    .isInstanceOf(InterruptedException.class);
            assertThat(stubborn.await()).isEqualTo(KILLED);
            assertThatThrownBy(() -> stubborn.end(Duration.ofNanos(-1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("a negative grace: PT-0.000000001S");
        }
    }

    @Test
    void anEventLoopIsCalledOnceTheChildHasExited() {
        List<Exit> exits = new ArrayList<>();
        try (EventLoop loop = EventLoop.open();
                Child child = Spawn.of("false").start()) {
            child.onExit(
                    loop,
                    how -> {
                        exits.add(how);
                        loop.stop();
                    });
            loop.run();
        }
        assertThat(exits).containsExactly(new Exit.Exited(1));
    }
}
