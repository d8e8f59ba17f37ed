package io.holdfast.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysPoll;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.core.wait.SysEventfd;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ReadinessTest {
    private static final Duration LONG = Duration.ofHours(1);

    private Fd one;
    private Fd two;

    @BeforeEach
    void connect() {
        Fd[] pair = SysSocket.socketpair(SysSocket.SOCK_STREAM | SysSocket.SOCK_NONBLOCK);
        one = pair[0];
        two = pair[1];
    }

    @AfterEach
    void close() {
        one.close();
        two.close();
    }

    private static void write(Fd fd) {
        assertThat(Unistd.write(fd, new byte[] {1}, 0, 1)).isEqualTo(1);
    }

    private static void read(Fd fd) {
        assertThat(Unistd.read(fd, new byte[1], 0, 1)).isEqualTo(1);
    }

    /** Fills a socket, so that it is not ready for writing. */
    private static void fill(Fd fd) {
        byte[] block = new byte[8192];
        int n;
        do {
            n = Unistd.write(fd, block, 0, block.length);
        } while (n > 0);
        assertThat(n).isEqualTo(-Errno.EAGAIN);
    }

    private static FutureTask<Integer> awaiting(Fd fd, int events, List<Thread> threads) {
        return awaiting(fd, events, threads, Thread.ofVirtual());
    }

    private static FutureTask<Integer> awaiting(
            Fd fd, int events, List<Thread> threads, Thread.Builder kind) {
        FutureTask<Integer> task = new FutureTask<>(() -> Readiness.await(fd, events));
        Thread thread = kind.start(task);
        threads.add(thread);
        Await.parked(thread);
        return task;
    }

    @Test
    void aReadyDescriptorIsReportedAtOnce() throws InterruptedException {
        write(two);
        assertThat(Readiness.await(one, Readiness.IN)).isEqualTo(Readiness.IN);
        assertThat(Readiness.await(one, Readiness.IN, LONG)).isEqualTo(Readiness.IN);
        assertThat(Readiness.await(one, Readiness.OUT)).isEqualTo(Readiness.OUT);
    }

    @Test
    void aWaiterIsWokenByWhatComes() throws Exception {
        FutureTask<Integer> waiter = awaiting(one, Readiness.IN, new ArrayList<>());
        write(two);
        assertThat(waiter.get()).isEqualTo(Readiness.IN);
    }

    @Test
    void theTimeIsOverWithoutAnything() throws InterruptedException {
        assertThat(Readiness.await(one, Readiness.IN, Duration.ofMillis(20)))
                .isEqualTo(Readiness.NONE);
        assertThat(Readiness.await(one, Readiness.IN, Duration.ZERO)).isEqualTo(Readiness.NONE);
        assertThat(Readiness.await(one, Readiness.IN, Duration.ofSeconds(-5)))
                .isEqualTo(Readiness.NONE);
        write(two);
        assertThat(Readiness.await(one, Readiness.IN, LONG)).isEqualTo(Readiness.IN);
    }

    @Test
    void withNoTimeAtAllReadyDescriptorsAreStillReported() throws InterruptedException {
        write(two);
        for (int i = 0; i < 100; i++) {
            assertThat(Readiness.await(one, Readiness.IN, Duration.ZERO)).isEqualTo(Readiness.IN);
        }
    }

    @Test
    void aLimitLongerThanTheClockIsNoLimit() throws Exception {
        Duration forever = Duration.ofSeconds(Long.MAX_VALUE);
        FutureTask<Integer> task =
                new FutureTask<>(() -> Readiness.await(one, Readiness.IN, forever));
        Await.parked(Thread.startVirtualThread(task));
        write(two);
        assertThat(task.get()).isEqualTo(Readiness.IN);
    }

    @Test
    void anInterruptEndsTheWaitAndLeavesTheDescriptorUsable() throws Exception {
        for (Thread.Builder kind : List.of(Thread.ofVirtual(), Thread.ofPlatform())) {
            CompletableFuture<Boolean> flag = new CompletableFuture<>();
            Thread thread =
                    kind.start(() -> {
                        try {
                            int ready = Readiness.await(one, Readiness.IN);
                            flag.completeExceptionally(new AssertionError("ready: " + ready));
                        } catch (InterruptedException e) {
                            flag.complete(Thread.currentThread().isInterrupted());
                        }
                    });
            Await.parked(thread);
            thread.interrupt();
            assertThat(flag.get()).as("interrupt status after the exception").isFalse();
        }
        write(two);
        assertThat(Readiness.await(one, Readiness.IN)).isEqualTo(Readiness.IN);
    }

    @Test
    void aThreadThatIsInterruptedAlreadyDoesNotWait() {
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> Readiness.await(one, Readiness.IN))
                .isInstanceOf(InterruptedException.class);
        assertThat(Thread.interrupted()).isFalse();
    }

    @Test
    void aCloseWakesEveryWaiterWithAnError() {
        List<FutureTask<Integer>> waiters = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            waiters.add(awaiting(one, Readiness.IN, new ArrayList<>(), ofEither(i)));
        }
        one.close();
        for (FutureTask<Integer> waiter : waiters) {
            assertThatThrownBy(waiter::get)
                    .cause()
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("closed while waited for");
        }
        assertThatIllegalStateException().isThrownBy(() -> Readiness.await(one, Readiness.IN));
    }

    private static Thread.Builder ofEither(int i) {
        return (i & 1) == 0 ? Thread.ofVirtual() : Thread.ofPlatform();
    }

    @Test
    void aReadyDescriptorIsReportedToAnInterruptedThreadThatWaited() throws Exception {
        for (int i = 0; i < 200; i++) {
            CompletableFuture<Boolean> reported = new CompletableFuture<>();
            Thread thread =
                    ofEither(i)
                            .start(() -> {
                                try {
                                    int ready = Readiness.await(one, Readiness.IN);
                                    boolean status = Thread.currentThread().isInterrupted();
                                    reported.complete(ready == Readiness.IN && status);
                                } catch (InterruptedException e) {
                                    reported.complete(!Thread.currentThread().isInterrupted());
                                }
                            });
            Await.parked(thread);
            thread.interrupt();
            write(two); // whichever of the two ends the wait, the other is not lost
            assertThat(reported.get()).isTrue();
            assertThat(Readiness.await(one, Readiness.IN)).isEqualTo(Readiness.IN);
            read(one);
        }
    }

    @Test
    void manyPlatformThreadsWaitAndLeaveNoDescriptorBehind() throws Exception {
        OpenDescriptors before = OpenDescriptors.now();
        List<Fd> ours = new ArrayList<>();
        List<Fd> theirs = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        List<FutureTask<Integer>> waiters = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            if (i % 4 == 0) { // several threads wait for the same descriptor
                Fd[] pair = SysSocket.socketpair(SysSocket.SOCK_STREAM | SysSocket.SOCK_NONBLOCK);
                ours.add(pair[0]);
                theirs.add(pair[1]);
            }
            waiters.add(awaiting(ours.getLast(), Readiness.IN, threads, Thread.ofPlatform()));
        }
        for (int i = 0; i < threads.size(); i += 10) {
            threads.get(i).interrupt();
        }
        for (int i = 0; i < waiters.size(); i += 10) {
            assertThatThrownBy(waiters.get(i)::get)
                    .cause()
                    .isInstanceOf(InterruptedException.class);
        }
        for (int i = 0; i < theirs.size(); i += 2) {
            write(theirs.get(i));
            ours.get(i + 1).close();
        }
        for (int i = 0; i < waiters.size(); i++) {
            boolean written = i / 4 % 2 == 0;
            if (i % 10 != 0 && written) {
                assertThat(waiters.get(i).get()).isEqualTo(Readiness.IN);
            } else if (i % 10 != 0) {
                assertThatThrownBy(waiters.get(i)::get)
                        .cause()
                        .isInstanceOf(IllegalStateException.class);
            }
        }
        ours.forEach(Fd::close);
        theirs.forEach(Fd::close);
        before.awaitSameNumber();
    }

    @Test
    void aClosedDescriptorIsReallyClosedWhenItsWaiterIsGone() throws Exception {
        FutureTask<Integer> waiter =
                awaiting(one, Readiness.IN, new ArrayList<>(), Thread.ofPlatform());
        one.close();
        assertThatThrownBy(waiter::get).cause().isInstanceOf(IllegalStateException.class);
        assertThat(isHungUp(two)).isTrue();
    }

    /** Whether the peer is really closed, not only marked as closed. */
    private static boolean isHungUp(Fd fd) {
        return (SysPoll.now(fd, Readiness.IN) & Readiness.HUP) != 0;
    }

    @Test
    void waitsOfBothKindsOfThreadEndInTime() throws Exception {
        for (int i = 0; i < 2; i++) {
            FutureTask<Integer> waiter =
                    new FutureTask<>(
                            () -> Readiness.await(one, Readiness.IN, Duration.ofMillis(30)));
            long begin = System.nanoTime();
            Thread thread = ofEither(i).start(waiter);
            assertThat(waiter.get()).isEqualTo(Readiness.NONE);
            assertThat(System.nanoTime() - begin).isGreaterThanOrEqualTo(30_000_000);
            thread.join();
        }
    }

    @Test
    void twoWaitersOnOneDescriptorAreServedEachByItsOwnEvent() throws Exception {
        fill(one);
        List<Thread> threads = new ArrayList<>();
        FutureTask<Integer> reader = awaiting(one, Readiness.IN, threads);
        FutureTask<Integer> writer = awaiting(one, Readiness.OUT, threads);
        write(two);
        assertThat(reader.get() & Readiness.IN).isNotZero();
        Await.parked(threads.get(1));
        assertThat(writer.isDone()).isFalse();

        FutureTask<Integer> second = awaitingOther(one, threads);
        int n;
        do {
            n = Unistd.read(two, new byte[8192], 0, 8192);
        } while (n > 0);
        assertThat(writer.get() & Readiness.OUT).isNotZero();
        assertThat(second.isDone()).isFalse();
        write(two);
        assertThat(second.get() & Readiness.IN).isNotZero();
    }

    /** Reads the pending byte, and waits for the next one. */
    private static FutureTask<Integer> awaitingOther(Fd fd, List<Thread> threads) {
        read(fd);
        return awaiting(fd, Readiness.IN, threads);
    }

    @Test
    void aTerminatedPeerCountsWhateverIsAwaited() throws Exception {
        FutureTask<Integer> waiter = awaiting(one, Readiness.PRI, new ArrayList<>());
        two.close();
        assertThat(waiter.get() & Readiness.HUP).isNotZero();
    }

    @Test
    void aRegularFileIsAlwaysReadyAndHasNoCallback(@TempDir Path folder) throws Exception {
        Path regular = Files.writeString(folder.resolve("regular"), "content");
        try (Fd file = Fcntl.open(regular.toString(), Fcntl.O_RDONLY)) {
            for (int i = 0; i < 4; i++) {
                FutureTask<Integer> waiter =
                        new FutureTask<>(() -> Readiness.await(file, Readiness.IN));
                Thread thread = ofEither(i).start(waiter);
                assertThat(waiter.get()).isEqualTo(Readiness.IN);
                thread.join();
                assertThatThrownBy(() -> Readiness.once(file, Readiness.IN, _ -> {}))
                        .isInstanceOf(ErrnoException.class)
                        .hasMessageContaining("EPERM");
            }
            assertThat(Unistd.read(file, new byte[4], 0, 4)).isEqualTo(4);
        }
    }

    @Test
    void farMoreVirtualThreadsWaitThanThereAreCarriers() throws Exception {
        int waiting = 50 * Runtime.getRuntime().availableProcessors();
        OpenDescriptors before = OpenDescriptors.now();
        List<Fd> ours = new ArrayList<>();
        List<Fd> theirs = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        List<FutureTask<Integer>> waiters = new ArrayList<>();
        for (int i = 0; i < waiting; i++) {
            Fd[] pair = SysSocket.socketpair(SysSocket.SOCK_STREAM | SysSocket.SOCK_NONBLOCK);
            ours.add(pair[0]);
            theirs.add(pair[1]);
            waiters.add(awaiting(pair[0], Readiness.IN, threads));
        }
        // if each wait pinned a carrier, this thread would never run
        FutureTask<String> another = new FutureTask<>(() -> "ran");
        Thread.startVirtualThread(another);
        assertThat(another.get()).isEqualTo("ran");

        theirs.forEach(ReadinessTest::write);
        for (FutureTask<Integer> waiter : waiters) {
            assertThat(waiter.get()).isEqualTo(Readiness.IN);
        }
        ours.forEach(Fd::close);
        theirs.forEach(Fd::close);
        before.awaitSameNumber();
        assertThat(Thread.getAllStackTraces().keySet())
                .filteredOn(thread -> thread.getName().equals("holdfast-poller"))
                .hasSize(1);
    }

    @Test
    void manyThreadsPassManyMessagesAndNoWakeUpIsLost() throws Exception {
        int pairs = 16;
        int rounds = 500;
        List<FutureTask<Integer>> players = new ArrayList<>();
        List<Fd> all = new ArrayList<>();
        for (int i = 0; i < pairs; i++) {
            Fd[] pair = SysSocket.socketpair(SysSocket.SOCK_STREAM | SysSocket.SOCK_NONBLOCK);
            all.addAll(List.of(pair));
            for (int side = 0; side < 2; side++) {
                Fd fd = pair[side];
                boolean serves = side == 0;
                FutureTask<Integer> player = new FutureTask<>(() -> play(fd, serves, rounds));
                if ((i & 1) == 0) {
                    Thread.startVirtualThread(player);
                } else {
                    Thread.ofPlatform().start(player);
                }
                players.add(player);
            }
        }
        for (FutureTask<Integer> player : players) {
            assertThat(player.get()).isEqualTo(rounds);
        }
        all.forEach(Fd::close);
    }

    private static int play(Fd fd, boolean serves, int rounds) throws InterruptedException {
        byte[] ball = new byte[1];
        int got = 0;
        if (serves) {
            write(fd);
        }
        while (got < rounds) {
            int n = Unistd.read(fd, ball, 0, 1);
            if (n == -Errno.EAGAIN) {
                int ignored = Readiness.await(fd, Readiness.IN);
            } else {
                assertThat(n).isEqualTo(1);
                got++;
                if (got < rounds || !serves) {
                    write(fd);
                }
            }
        }
        return got;
    }

    @Test
    void waitsThatRunOutWhileDataComesLoseNothing() throws InterruptedException {
        for (int i = 0; i < 300; i++) {
            CountDownLatch started = new CountDownLatch(1);
            Thread writer =
                    Thread.startVirtualThread(() -> {
                        started.countDown();
                        write(two);
                    });
            started.await();
            int ready;
            do {
                ready = Readiness.await(one, Readiness.IN, Duration.ofNanos(50_000));
            } while (ready == Readiness.NONE);
            read(one);
            writer.join();
        }
    }

    /** A virtual thread that waits for a lock leaves its carrier while it holds other locks. */
    @Test
    void thePollerWaitsForNothingThatNeedsACarrier() throws Exception {
        List<SysEventfd> events = Stream.generate(SysEventfd::new).limit(200).toList();
        AtomicBoolean over = new AtomicBoolean();
        AtomicInteger waits = new AtomicInteger();
        AtomicReference<CountDownLatch> gate = new AtomicReference<>(new CountDownLatch(0));
        List<Thread> threads = new ArrayList<>();
        for (SysEventfd event : events) {
            threads.add(
                    Thread.startVirtualThread(() -> {
                        while (!over.get()) {
                            passed(gate.get());
                            awaitShortly(event);
                            waits.incrementAndGet();
                        }
                    }));
        }
        threads.add(
                Thread.ofPlatform()
                        .start(() -> {
                            for (int i = 0; !over.get(); i++) {
                                events.get(i % events.size()).signal();
                                LockSupport.parkNanos(20_000);
                            }
                        }));
        try {
            for (int round = 0; round < 200; round++) {
                int before = waits.get();
                Await.until(() -> waits.get() > before + events.size());
                CountDownLatch closed = new CountDownLatch(1);
                gate.set(closed); // otherwise a slow machine has no carrier for other threads
                try {
                    assertReportedWhileNothingHasACarrier();
                } finally {
                    closed.countDown();
                }
            }
        } finally {
            over.set(true);
            for (Thread thread : threads) {
                thread.join();
            }
            events.forEach(SysEventfd::close);
        }
    }

    private void assertReportedWhileNothingHasACarrier() throws InterruptedException {
        AtomicBoolean reported = new AtomicBoolean();
        CountDownLatch busy = new CountDownLatch(Runtime.getRuntime().availableProcessors());
        try {
            for (long i = busy.getCount(); i > 0; i--) {
                var _ =
                        Thread.startVirtualThread(() -> {
                            busy.countDown();
                            while (!reported.get()) {
                                Thread.onSpinWait();
                            }
                        });
            }
            busy.await();
            write(two);
            var _ = Readiness.once(one, Readiness.IN, _ -> reported.set(true));
            Await.until(reported::get);
            read(one);
        } finally {
            reported.set(true);
        }
    }

    private static void passed(CountDownLatch gate) {
        try {
            gate.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void awaitShortly(SysEventfd event) {
        try {
            Duration limit = Duration.ofNanos(ThreadLocalRandom.current().nextInt(400_000));
            if (Readiness.await(event.fd(), Readiness.IN, limit) != Readiness.NONE) {
                event.drain();
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aCallbackIsCalledOnceWithWhatIsReady() throws InterruptedException {
        SynchronousQueue<Integer> calls = new SynchronousQueue<>();
        Registration pending = Readiness.once(one, Readiness.IN, events -> put(calls, events));
        write(two);
        assertThat(calls.take()).isEqualTo(Readiness.IN);
        assertThat(pending.cancel()).isFalse();
        write(two);
        // a later wait gets the event, and the callback is not called again
        assertThat(Readiness.await(one, Readiness.IN)).isEqualTo(Readiness.IN);
        assertThat(calls.poll()).isNull();
    }

    private static void put(SynchronousQueue<Integer> queue, int value) {
        Thread.startVirtualThread(() -> {
            try {
                queue.put(value);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    @Test
    void aWaitThatACallbackBeginsIsServed() throws InterruptedException {
        SynchronousQueue<Integer> calls = new SynchronousQueue<>();
        CountDownLatch begun = new CountDownLatch(1);
        var first =
                Readiness.once(
                        one,
                        Readiness.IN,
                        _ -> {
                            var _ = Readiness.once(one, 0, events -> put(calls, events));
                            begun.countDown();
                        });
        write(two);
        begun.await();
        assertThat(first.cancel()).isFalse();
        two.close();
        assertThat(calls.take() & Readiness.HUP).isNotZero();
    }

    /** Once the callback has been called, the descriptor can be moved and closed. */
    @Test
    void afterItsCallbackADescriptorCanBeMoved() throws Exception {
        for (int i = 0; i < 2_000; i++) {
            Fd[] pair = SysSocket.socketpair(SysSocket.SOCK_STREAM | SysSocket.SOCK_NONBLOCK);
            try (Fd theirs = pair[1]) {
                AtomicBoolean reported = new AtomicBoolean();
                var pending = Readiness.once(pair[0], Readiness.IN, _ -> reported.set(true));
                write(theirs);
                while (!reported.get()) {
                    Thread.onSpinWait();
                }
                Fd moved = pair[0].move();
                assertThat(pending.cancel()).isFalse();
                moved.close();
            }
        }
    }

    @Test
    void aCancelledCallbackIsNotCalled() throws InterruptedException {
        SynchronousQueue<Integer> calls = new SynchronousQueue<>();
        Registration pending = Readiness.once(one, Readiness.IN, events -> put(calls, events));
        assertThat(pending.cancel()).isTrue();
        assertThat(pending.cancel()).isFalse();
        write(two);
        assertThat(Readiness.await(one, Readiness.IN)).isEqualTo(Readiness.IN);
        assertThat(calls.poll()).isNull();
    }

    @Test
    void aCallbackLearnsOfTheClose() throws InterruptedException {
        SynchronousQueue<Integer> calls = new SynchronousQueue<>();
        Registration pending = Readiness.once(one, Readiness.IN, events -> put(calls, events));
        one.close();
        assertThat(calls.take()).isEqualTo(Readiness.NONE);
        assertThat(pending.cancel()).isFalse();
    }

    @Test
    void aCallbackThatThrowsDoesNotStopThePoller() throws InterruptedException {
        Registration pending =
                Readiness.once(
                        one,
                        Readiness.IN,
                        _ -> {
                            throw new IllegalStateException("thrown on purpose by a test");
                        });
        write(two);
        Await.until(() -> !pending.cancel());
        assertThat(Readiness.await(one, Readiness.IN)).isEqualTo(Readiness.IN);
    }

    @Test
    @SuppressWarnings("try") // closed early on purpose
    void aRecycledNumberIsWatchedAnew() throws Exception {
        for (int i = 0; i < 200; i++) {
            Fd[] pair = SysSocket.socketpair(SysSocket.SOCK_STREAM | SysSocket.SOCK_NONBLOCK);
            try (Fd ours = pair[0];
                    Fd theirs = pair[1];
                    Fd copy = ours.duplicate()) { // keeps the open file in an epoll instance
                FutureTask<Integer> waiter = awaiting(ours, Readiness.IN, new ArrayList<>());
                write(theirs);
                assertThat(waiter.get()).isEqualTo(Readiness.IN);
                ours.close();
                assertThat(Readiness.await(copy, Readiness.IN)).isEqualTo(Readiness.IN);
            }
        }
    }
}
