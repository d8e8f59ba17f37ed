package io.holdfast.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysPidfd;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.core.testkit.OpenDescriptors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class EventLoopTest {
    private static final Duration LONG = Duration.ofHours(1);
    private static final Duration NOW = Duration.ZERO;

    private final OpenDescriptors before = OpenDescriptors.now();
    private final List<String> said = new ArrayList<>();
    private EventLoop loop;
    private final List<Fd> open = new ArrayList<>();

    @BeforeEach
    void open() {
        loop = EventLoop.open();
    }

    @AfterEach
    void close() {
        open.forEach(Fd::close);
        loop.close();
        before.awaitSameNumber();
    }

    /** Two connected sockets. */
    private Fd[] pair() {
        Fd[] pair = SysSocket.socketpair(SysSocket.SOCK_STREAM | SysSocket.SOCK_NONBLOCK);
        open.addAll(List.of(pair));
        return pair;
    }

    private static void write(Fd fd) {
        assertThat(Unistd.write(fd, new byte[] {1}, 0, 1)).isEqualTo(1);
    }

    private static void read(Fd fd) {
        assertThat(Unistd.read(fd, new byte[1], 0, 1)).isEqualTo(1);
    }

    @Test
    void aStepWithNothingToDoReturnsZero() {
        assertThat(loop.step(NOW)).isZero();
        assertThat(loop.step(Duration.ofMillis(3))).isZero();
        assertThat(loop.step(Duration.ofSeconds(-1))).isZero();
    }

    @Test
    void readinessIsLevelTriggered() {
        Fd[] pair = pair();
        EventLoop.Watch watch =
                loop.watch(pair[0], Readiness.IN, events -> said.add("ready " + events));
        assertThat(loop.step(NOW)).isZero();
        write(pair[1]);
        assertThat(loop.step(LONG)).isEqualTo(1);
        assertThat(loop.step(LONG)).isEqualTo(1);
        read(pair[0]);
        assertThat(loop.step(NOW)).isZero();
        assertThat(said).containsExactly("ready 1", "ready 1");
        watch.close();
    }

    @Test
    void aHandlerCannotTakeATurnOfItsOwnLoop() {
        Fd[] first = pair();
        Fd[] second = pair();
        for (Fd fd : List.of(first[0], second[0])) {
            loop.watch(
                    fd,
                    Readiness.IN,
                    _ -> {
                        read(fd);
                        for (Runnable turn : List.<Runnable>of(this::turn, loop::run)) {
                            assertThatIllegalStateException()
                                    .isThrownBy(turn::run)
                                    .withMessageContaining("by a handler of the same loop");
                        }
                        said.add("ready");
                    });
        }
        write(first[1]);
        write(second[1]);
        loop.after(NOW, () -> assertThatIllegalStateException().isThrownBy(this::turn));
        assertThat(loop.step(LONG)).isEqualTo(3);
        assertThat(said).containsExactly("ready", "ready");
        assertThat(loop.errors()).isZero();
        assertThat(loop.step(NOW)).isZero();
    }

    private void turn() {
        int ignored = loop.step(NOW);
    }

    @Test
    void whatIsWatchedForCanBeChanged() {
        Fd[] pair = pair();
        EventLoop.Watch watch = loop.watch(pair[0], 0, events -> said.add("ready " + events));
        write(pair[1]);
        assertThat(loop.step(NOW)).isZero();
        watch.events(Readiness.OUT);
        assertThat(loop.step(LONG)).isEqualTo(1);
        watch.events(Readiness.IN | Readiness.OUT);
        assertThat(watch.events()).isEqualTo(Readiness.IN | Readiness.OUT);
        assertThat(loop.step(LONG)).isEqualTo(1);
        assertThat(said).containsExactly("ready 4", "ready 5");
    }

    @Test
    void aClosedWatchIsNotCalled() {
        Fd[] pair = pair();
        EventLoop.Watch watch = loop.watch(pair[0], Readiness.IN, _ -> said.add("ready"));
        write(pair[1]);
        watch.close();
        watch.close();
        watch.events(Readiness.OUT); // does nothing, since the watch has ended
        assertThat(loop.step(NOW)).isZero();
        assertThat(pair[0].isOpen()).isTrue();
        try (EventLoop.Watch again = loop.watch(pair[0], Readiness.IN, _ -> said.add("again"))) {
            assertThat(again.events()).isEqualTo(Readiness.IN);
            assertThat(loop.step(LONG)).isEqualTo(1);
        }
        assertThat(said).containsExactly("again");
    }

    @Test
    void aWatchClosedByAnEarlierHandlerOfTheSameBatchIsNotCalled() {
        Fd[] first = pair();
        Fd[] second = pair();
        EventLoop.@Nullable Watch[] watches = new EventLoop.@Nullable Watch[2];
        for (int i = 0; i < 2; i++) {
            int other = 1 - i;
            watches[i] =
                    loop.watch(
                            i == 0 ? first[0] : second[0],
                            Readiness.IN,
                            _ -> {
                                said.add("called");
                                EventLoop.Watch otherWatch = watches[other];
                                if (otherWatch != null) {
                                    otherWatch.close();
                                }
                            });
        }
        write(first[1]);
        write(second[1]);
        assertThat(loop.step(LONG)).isEqualTo(1);
        assertThat(said).hasSize(1);
    }

    @Test
    void anEventOfAClosedDescriptorNeverReachesWhoGotItsNumber() {
        Fd[] first = pair();
        Fd[] second = pair();
        Fd[] fresh = pair(); // made before: it would get the freed number
        Fd[] peers = {second[0], first[0]};
        for (int i = 0; i < 2; i++) {
            Fd toClose = peers[i];
            loop.watch(
                    i == 0 ? first[0] : second[0],
                    Readiness.IN,
                    _ -> {
                        said.add("first");
                        int number = toClose.with(n -> n);
                        toClose.close();
                        Fd successor = Fd.adopt(Fcntl.dupfd(fresh[0], number), "fcntl", fresh[0]);
                        open.add(successor);
                        assertThat(successor.<Integer>with(n -> n)).isEqualTo(number);
                        loop.watch(successor, Readiness.IN, _ -> said.add("successor"));
                    });
        }
        write(first[1]);
        write(second[1]);
        assertThat(loop.step(LONG)).isEqualTo(1);
        assertThat(loop.errors()).isZero();
        assertThat(said).containsExactly("first");
    }

    @Test
    void aWatchEndsWithItsDescriptorThoughADuplicateKeepsTheFileOpen() {
        Fd[] pair = pair();
        Fd copy = pair[0].duplicate();
        open.add(copy);
        loop.watch(pair[0], Readiness.IN, _ -> said.add("ready"));
        write(pair[1]);
        pair[0].close();
        assertThat(loop.step(NOW)).isZero();
        assertThat(said).isEmpty();
    }

    @Test
    void aWatchClosedWhileItsDescriptorIsClosingLeavesNothingInTheEpollInstance() {
        Fd[] pair = pair();
        Fd copy = pair[0].duplicate();
        open.add(copy);
        EventLoop.Watch watch = loop.watch(pair[0], Readiness.IN, _ -> said.add("ready"));
        write(pair[1]);
        int number =
                pair[0].with(n -> {
                    pair[0].close(); // deferred: this call pins the descriptor
                    watch.close();
                    return n;
                });
        assertThat(number).isPositive();
        String epoll = epollEntries();
        assertThat(epoll)
                .doesNotContain(
                        "tfd:" + " ".repeat(9 - Integer.toString(number).length()) + number + " ");
        assertThat(loop.step(NOW)).isZero();
    }

    /** The entries of all epoll instances of this process. */
    private static String epollEntries() {
        StringBuilder entries = new StringBuilder();
        OpenDescriptors.now()
                .byNumber()
                .forEach((number, target) -> {
                    if (target.equals("anon_inode:[eventpoll]")) {
                        entries.append(KernelFile.text(null, "/proc/self/fdinfo/" + number));
                    }
                });
        return entries.toString();
    }

    @Test
    void oneDescriptorIsWatchedOnceALoop() {
        Fd[] pair = pair();
        EventLoop.Watch watch = loop.watch(pair[0], Readiness.IN, _ -> said.add("ready"));
        assertThatThrownBy(() -> loop.watch(pair[0], Readiness.OUT, _ -> said.add("second")))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("EEXIST");
        write(pair[1]);
        assertThat(loop.step(LONG)).isEqualTo(1);
        assertThat(said).containsExactly("ready");
        watch.close();
    }

    @Test
    void whatCannotBeWatchedIsRefused(@TempDir Path folder) throws Exception {
        Path regular = Files.writeString(folder.resolve("regular"), "content");
        try (Fd file = Fcntl.open(regular.toString(), Fcntl.O_RDONLY)) {
            assertThatThrownBy(() -> loop.watch(file, Readiness.IN, _ -> {}))
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining("EPERM");
        }
        Fd[] pair = pair();
        pair[0].close();
        assertThatIllegalStateException()
                .isThrownBy(() -> loop.watch(pair[0], Readiness.IN, _ -> {}));
    }

    @Test
    void timersRunInTheOrderOfTheirTimesAndThenOfTheirMaking() {
        loop.after(LONG, () -> said.add("never"));
        loop.after(NOW, () -> said.add("first"));
        loop.after(NOW, () -> said.add("second"));
        loop.after(Duration.ofSeconds(-3), () -> said.add("third"));
        loop.after(Duration.ofMillis(20), () -> said.add("late"));
        while (said.size() < 4) {
            int ignored = loop.step(LONG);
        }
        assertThat(said).containsExactly("first", "second", "third", "late");
        assertThat(loop.step(NOW)).isZero();
    }

    @Test
    void aCancelledTimerDoesNotRunAndDoesNotWake() {
        EventLoop.Timer timer = loop.after(NOW, () -> said.add("cancelled"));
        EventLoop.Timer other = loop.after(NOW, () -> said.add("other"));
        timer.cancel();
        assertThat(loop.step(NOW)).isEqualTo(1);
        other.cancel(); // it has run already
        assertThat(said).containsExactly("other");
    }

    @Test
    void aCancelledTimerIsNotKept() {
        for (int i = 0; i < 1_000; i++) {
            loop.after(LONG, () -> said.add("never")).cancel();
        }
        assertThat(loop.timers()).isZero();
        EventLoop.Timer kept = loop.after(LONG, () -> said.add("never"));
        assertThat(loop.timers()).isOne();
        kept.cancel();
        kept.cancel();
        assertThat(loop.timers()).isZero();
    }

    @Test
    void aTimerCancelledByAnotherOfTheSameTurnDoesNotRun() {
        EventLoop.@Nullable Timer[] second = new EventLoop.@Nullable Timer[1];
        loop.after(
                NOW,
                () -> {
                    said.add("first");
                    EventLoop.Timer timer = second[0];
                    if (timer != null) {
                        timer.cancel();
                    }
                });
        second[0] = loop.after(NOW, () -> said.add("second"));
        assertThat(loop.step(NOW)).isEqualTo(1);
        assertThat(said).containsExactly("first");
    }

    @Test
    void aTimerLongerThanTheClockNeverComes() {
        loop.after(Duration.ofSeconds(Long.MAX_VALUE), () -> said.add("never"));
        loop.after(NOW, () -> said.add("now"));
        assertThat(loop.step(LONG)).isEqualTo(1);
        assertThat(said).containsExactly("now");
    }

    @Test
    void tasksRunInTheOrderOfTheirPosting() {
        for (int i = 0; i < 100; i++) {
            int number = i;
            loop.post(() -> said.add("task " + number));
        }
        loop.execute(() -> said.add("the last"));
        assertThat(loop.step(LONG)).isEqualTo(101);
        assertThat(said).startsWith("task 0", "task 1").endsWith("task 99", "the last");
    }

    @Test
    void aTaskThatPostsAnotherDoesNotKeepTheLoopFromItsEvents() {
        Fd[] pair = pair();
        loop.watch(
                pair[0],
                Readiness.IN,
                _ -> {
                    read(pair[0]);
                    said.add("event");
                });
        Runnable[] again = new Runnable[1];
        again[0] = () -> loop.post(again[0]);
        loop.post(again[0]);
        assertThat(loop.step(LONG)).isEqualTo(1);
        write(pair[1]);
        assertThat(loop.step(LONG)).isEqualTo(2);
        assertThat(said).containsExactly("event");
    }

    @Test
    void asManyTasksWaitAsTheLimitAllowsAndTheNextIsRefused() {
        try (EventLoop small = EventLoop.open(3)) {
            for (int i = 0; i < 3; i++) {
                small.post(() -> said.add("task"));
            }
            assertThatThrownBy(() -> small.post(() -> said.add("too many")))
                    .isInstanceOf(RejectedExecutionException.class)
                    .hasMessageContaining("3 tasks");
            assertThat(small.step(LONG)).isEqualTo(3);
            small.post(() -> said.add("room again"));
            assertThat(small.step(LONG)).isEqualTo(1);
            assertThat(said).hasSize(4).endsWith("room again");
        }
        assertThatIllegalArgumentException().isThrownBy(() -> EventLoop.open(0));
    }

    @Test
    void whatEndsSomethingGetsInInItsOrderWhateverWaits() {
        try (EventLoop small = EventLoop.open(1)) {
            small.post(() -> said.add("begin"));
            for (int i = 0; i < 3; i++) {
                String end = "end " + i;
                small.postEnding(() -> said.add(end));
            }
            assertThatThrownBy(() -> small.post(() -> said.add("too many")))
                    .isInstanceOf(RejectedExecutionException.class);
            assertThat(small.step(LONG)).isEqualTo(4);
            assertThat(said).containsExactly("begin", "end 0", "end 1", "end 2");
            small.postEnding(() -> said.add("end"));
            small.post(() -> said.add("an end takes no room from it"));
            assertThat(small.step(LONG)).isEqualTo(2);
        }
    }

    @Test
    void aHandlerThatThrowsIsCountedAndTheLoopLives() {
        Fd[] pair = pair();
        loop.watch(
                pair[0],
                Readiness.IN,
                _ -> {
                    read(pair[0]);
                    throw new IllegalStateException("thrown on purpose by a test");
                });
        write(pair[1]);
        loop.after(
                NOW,
                () -> {
                    throw new AssertionError("thrown on purpose by a test");
                });
        loop.post(() -> {
            throw new UnsupportedOperationException("thrown on purpose by a test");
        });
        loop.post(() -> said.add("goes on"));
        assertThat(loop.step(LONG)).isEqualTo(4);
        assertThat(loop.errors()).isEqualTo(3);
        assertThat(said).containsExactly("goes on");
    }

    @Test
    void itRunsOnTheThreadThatRunsItUntilItIsStopped() throws InterruptedException {
        CountDownLatch done = new CountDownLatch(100);
        AtomicInteger elsewhere = new AtomicInteger();
        Thread thread = Thread.ofPlatform().start(loop::run);
        for (int i = 0; i < 4; i++) {
            Thread.startVirtualThread(() -> {
                for (int n = 0; n < 25; n++) {
                    loop.post(() -> {
                        if (Thread.currentThread() != thread || !loop.isOwner()) {
                            elsewhere.incrementAndGet();
                        }
                        done.countDown();
                    });
                }
            });
        }
        done.await();
        assertThat(elsewhere).hasValue(0);
        assertThat(loop.isOwner()).isFalse();
        loop.stop();
        thread.join();
    }

    @Test
    void everyTaskOfManyPostersRunsOnce() throws InterruptedException {
        int each = 2_000;
        AtomicInteger ran = new AtomicInteger();
        List<Thread> posters = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            posters.add(
                    Thread.ofPlatform()
                            .start(() -> {
                                for (int n = 0; n < each; n++) {
                                    loop.post(ran::incrementAndGet);
                                }
                            }));
        }
        while (ran.get() < 4 * each) {
            int ignored = loop.step(LONG);
        }
        for (Thread poster : posters) {
            poster.join();
        }
        assertThat(loop.step(NOW)).isZero();
        assertThat(ran).hasValue(4 * each);
    }

    @Test
    void aDescriptorClosedByAnotherThreadIsUnwatched() throws InterruptedException {
        for (int i = 0; i < 100; i++) {
            Fd[] pair = SysSocket.socketpair(SysSocket.SOCK_STREAM | SysSocket.SOCK_NONBLOCK);
            EventLoop.Watch watch = loop.watch(pair[0], Readiness.IN, _ -> said.add("ready"));
            Thread closer = Thread.ofPlatform().start(pair[0]::close);
            int handled = loop.step(NOW);
            watch.close();
            closer.join();
            assertThat(handled).isZero();
            pair[1].close();
        }
        assertThat(loop.step(NOW)).isZero();
        assertThat(said).isEmpty();
    }

    @Test
    void whatAClosedLoopHasWatchedStaysUsableAndCanBeClosed() {
        Fd[] pair = pair();
        EventLoop shortLived = EventLoop.open();
        EventLoop.Watch watch = shortLived.watch(pair[0], Readiness.IN, _ -> said.add("ready"));
        EventLoop.Watch unclosed = shortLived.watch(pair[1], Readiness.IN, _ -> said.add("ready"));
        shortLived.close();
        write(pair[1]);
        read(pair[0]);
        assertThatCode(watch::close).doesNotThrowAnyException();
        assertThatCode(pair[0]::close).doesNotThrowAnyException();
        assertThatCode(pair[1]::close).doesNotThrowAnyException();
        assertThat(unclosed.events()).isEqualTo(Readiness.IN);
    }

    @Test
    void aClosedLoopRefusesTasksAndIgnoresStop() {
        EventLoop shortLived = EventLoop.open();
        shortLived.close();
        shortLived.close();
        assertThatThrownBy(() -> shortLived.post(() -> said.add("task")))
                .isInstanceOf(RejectedExecutionException.class)
                .hasMessageContaining("closed");
        shortLived.postEnding(() -> said.add("too late"));
        assertThat(shortLived.runTasks()).isZero();
        assertThatCode(shortLived::stop).doesNotThrowAnyException();
    }

    @Test
    void aSignalRunsItsTaskOnTheLoop() throws Exception {
        Signal signal = Signal.of("WINCH");
        AutoCloseable handler = loop.onSignal(signal, () -> said.add("signal"));
        try {
            for (int i = 0; i < 3; i++) {
                sendToOurselves(signal);
                assertThat(loop.step(LONG)).isEqualTo(1);
            }
        } finally {
            handler.close();
        }
        assertThat(said).containsExactly("signal", "signal", "signal");
        sendToOurselves(signal); // no longer handled; ignored by default
        assertThat(loop.step(NOW)).isZero();
    }

    @Test
    void theNewestHandlerOfASignalThatIsNotCancelledHandlesIt() {
        Signal signal = Signal.of("WINCH");
        Registration first = loop.onSignal(signal, () -> said.add("first"));
        Registration second = loop.onSignal(signal, () -> said.add("second"));
        Registration third = loop.onSignal(signal, () -> said.add("third"));
        assertThat(second.cancel()).isTrue();
        handleOne(signal);
        assertThat(third.cancel()).isTrue();
        handleOne(signal);
        assertThat(third.cancel()).isFalse();
        handleOne(signal);
        Registration fourth = loop.onSignal(signal, () -> said.add("fourth"));
        assertThat(first.cancel()).isTrue();
        handleOne(signal);
        assertThat(fourth.cancel()).isTrue();
        assertThat(said).containsExactly("third", "first", "first", "fourth");
        sendToOurselves(signal); // ignored by default
        assertThat(loop.step(NOW)).isZero();
    }

    private void handleOne(Signal signal) {
        sendToOurselves(signal);
        assertThat(loop.step(LONG)).isEqualTo(1);
    }

    private static void sendToOurselves(Signal signal) {
        int self = (int) ProcessHandle.current().pid();
        try (Fd pidfd = Fd.adopt(SysPidfd.open(self, 0), "pidfd_open", "self")) {
            assertThat(SysPidfd.sendSignal(pidfd, signal.number(), 0)).isZero();
        }
    }

    @Test
    void aSignalThatTheJvmKeepsIsRefused() {
        for (Signal signal : List.of(Signal.KILL, Signal.SEGV, Signal.QUIT, new Signal(40))) {
            assertThatIllegalArgumentException()
                    .as(signal.toString())
                    .isThrownBy(() -> loop.onSignal(signal, () -> said.add("signal")));
        }
    }
}
