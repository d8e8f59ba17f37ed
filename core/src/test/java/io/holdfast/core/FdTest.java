package io.holdfast.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.core.testkit.OpenDescriptors;
import java.io.File;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class FdTest {
    private static boolean isOpenNumber(int number) {
        return new File("/proc/self/fdinfo/" + number).exists();
    }

    private static int numberOf(Fd fd) {
        return fd.with(number -> number);
    }

    private static Fd devNull() {
        return Fcntl.open("/dev/null", Fcntl.O_RDWR);
    }

    @Test
    void closingFreesTheNumber() {
        Fd fd = devNull();
        int number = numberOf(fd);
        assertThat(isOpenNumber(number)).isTrue();
        assertThat(fd.isOpen()).isTrue();
        fd.close();
        assertThat(isOpenNumber(number)).isFalse();
        assertThat(fd.isOpen()).isFalse();
    }

    @Test
    void aSecondCloseDoesNotCloseWhoGotTheNumber() {
        Fd first = devNull();
        int number = numberOf(first);
        first.close();
        try (Fd second = Fd.adopt(Fcntl.dupfd(standardInput(), number), "dup", number)) {
            assertThat(numberOf(second)).isEqualTo(number);
            first.close();
            assertThat(isOpenNumber(number)).isTrue();
        }
    }

    private static Fd standardInput() {
        return Fd.adopt(0);
    }

    @Test
    void useAfterCloseThrowsAndSaysSo() {
        Fd fd = devNull();
        fd.close();
        assertThatIllegalStateException()
                .isThrownBy(() -> fd.with(number -> number))
                .withMessageContaining("was closed");
        assertThatIllegalStateException().isThrownBy(fd::duplicate);
        assertThatIllegalStateException().isThrownBy(fd::move);
        assertThatIllegalStateException().isThrownBy(() -> Unistd.write(fd, new byte[1], 0, 1));
        assertThat(fd).hasToString(fd.toString()).asString().contains("(closed)");
    }

    @Test
    void aCloseUnderUseIsDeferredToTheEndOfTheUse() {
        Fd fd = devNull();
        int number =
                fd.with(n -> {
                    fd.close();
                    assertThat(fd.isOpen()).isFalse();
                    assertThat(isOpenNumber(n)).isTrue();
                    assertThatIllegalStateException().isThrownBy(() -> fd.with(m -> m));
                    return n;
                });
        assertThat(isOpenNumber(number)).isFalse();
    }

    @Test
    void theLastOfSeveralUsersCloses() {
        Fd fd = devNull();
        int number =
                fd.with(outer -> {
                    int same =
                            fd.with(inner -> {
                                fd.close();
                                return inner;
                            });
                    assertThat(isOpenNumber(same)).isTrue();
                    return outer;
                });
        assertThat(isOpenNumber(number)).isFalse();
    }

    @Test
    void aFunctionThatThrowsEndsItsUse() {
        Fd fd = devNull();
        int number = numberOf(fd);
        assertThatThrownBy(() ->
                        fd.with(n -> {
                            throw new UnsupportedOperationException("thrown by the user");
                        }))
                .hasMessage("thrown by the user");
        fd.close();
        assertThat(isOpenNumber(number)).isFalse();
    }

    @Test
    void aMovedDescriptorHasOneNewOwner() {
        Fd giver = devNull();
        int number = numberOf(giver);
        try (Fd taker = giver.move()) {
            assertThat(numberOf(taker)).isEqualTo(number);
            assertThat(giver.isOpen()).isFalse();
            giver.close();
            assertThat(isOpenNumber(number)).isTrue();
            assertThatIllegalStateException()
                    .isThrownBy(() -> giver.with(n -> n))
                    .withMessageContaining("was moved");
            assertThat(giver).asString().contains("(moved)");
            assertThatIllegalStateException().isThrownBy(giver::move);
        }
        assertThat(isOpenNumber(number)).isFalse();
    }

    @Test
    void aDescriptorInUseOrWatchedIsNotMoved() {
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd in = pipe[0];
                Fd out = pipe[1];
                EventLoop loop = EventLoop.open()) {
            assertThatIllegalStateException()
                    .isThrownBy(() -> out.with(_ -> out.move()))
                    .withMessageContaining("while in use");
            EventLoop.Watch watch = loop.watch(in, Readiness.IN, _ -> {});
            assertThatIllegalStateException().isThrownBy(in::move);
            watch.close();
            in.move().close();
        }
    }

    /** A holder that runs a task when a move checks for waiters. */
    private static final class TaskHolder implements Fd.Holder {
        private final Runnable meanwhile;
        private final boolean waitedFor;
        private final List<String> calls = new ArrayList<>();

        TaskHolder(Runnable meanwhile, boolean waitedFor) {
            this.meanwhile = meanwhile;
            this.waitedFor = waitedFor;
        }

        @Override
        public boolean isWaitedFor() {
            meanwhile.run();
            return waitedFor;
        }

        @Override
        public void moved(int number) {
            calls.add("moved");
        }

        @Override
        public void closing() {
            calls.add("closing");
        }

        @Override
        public void beforeClose(int number) {
            calls.add("before close");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aCloseWithinAMoveEndsBoth(boolean waitedFor) {
        Fd fd = devNull();
        int number = numberOf(fd);
        TaskHolder holder = new TaskHolder(fd::close, waitedFor);
        fd.hold(holder);

        assertThatIllegalStateException().isThrownBy(fd::move);
        assertThat(fd.isOpen()).isFalse();
        assertThat(isOpenNumber(number)).isFalse();
        assertThat(holder.calls).containsExactly("closing", "before close");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aUseWithinAMoveIsNotRefusedButTheMoveIs(boolean waitedFor) {
        try (Fd fd = devNull()) {
            int number = numberOf(fd);
            List<Integer> used = new ArrayList<>();
            TaskHolder holder = new TaskHolder(() -> used.add(numberOf(fd)), waitedFor);
            fd.hold(holder);

            assertThatIllegalStateException()
                    .isThrownBy(fd::move)
                    .withMessageContaining("in use or waited for");
            assertThat(used).containsExactly(number);
            assertThat(fd.isOpen()).isTrue();
            assertThat(holder.calls).isEmpty();
        }
    }

    @Test
    void whoRefersToItLetsGoOfWhatIsMoved() {
        Fd fd = devNull();
        TaskHolder idle = new TaskHolder(() -> {}, false);
        fd.hold(idle);
        try (Fd moved = fd.move()) {
            assertThat(isOpenNumber(numberOf(moved))).isTrue();
            assertThat(fd.isOpen()).isFalse();
        }
        assertThat(idle.calls).containsExactly("moved");
    }

    /** How often each of the two threads must succeed. */
    private static final int SUCCESSES = 10_000;

    /** Waits and moves take the same locks. */
    @Test
    void movesBesideWaitsThatComeAndGoEnd() throws Exception {
        Fd[] pipe = Unistd.pipe2(0);
        AtomicReference<Fd> in = new AtomicReference<>(pipe[0]);
        try (Fd out = pipe[1]) {
            AtomicInteger moves = new AtomicInteger();
            AtomicBoolean enough = new AtomicBoolean();
            FutureTask<Boolean> mover =
                    inThread(() -> {
                        while (!enough.get()) {
                            try {
                                in.set(in.get().move());
                                int _ = moves.incrementAndGet();
                            } catch (IllegalStateException e) {
                                Thread.onSpinWait(); // waited for
                            }
                        }
                        return true;
                    });
            int waits = 0;
            while ((waits < SUCCESSES || moves.get() < SUCCESSES) && !mover.isDone()) {
                try {
                    if (Readiness.once(in.get(), Readiness.IN, _ -> {}).cancel()) {
                        waits++;
                    }
                } catch (IllegalStateException e) {
                    assertThat(e).hasMessageContaining("moved");
                }
            }
            enough.set(true);
            assertThat(mover.get()).isTrue();
            assertThat(out.isOpen()).isTrue();
        } finally {
            in.get().close();
        }
    }

    @Test
    void manyMovesUsesAndClosesAtOnceLeaveNothingOpen() throws Exception {
        for (int round = 0; round < 3_000; round++) {
            Fd[] pipe = Unistd.pipe2(0);
            Fd in = pipe[0];
            try (Fd out = pipe[1]) {
                int number = numberOf(in);
                Registration pending = Readiness.once(in, Readiness.IN, _ -> {});
                CyclicBarrier start = new CyclicBarrier(3);
                FutureTask<Boolean> mover =
                        inThread(() -> {
                            start.await();
                            try {
                                in.move().close();
                                return true;
                            } catch (IllegalStateException e) {
                                return false; // waited for, in use, or closed
                            }
                        });
                FutureTask<Boolean> user =
                        inThread(() -> {
                            start.await();
                            boolean used = numberOf(in) == number;
                            in.close();
                            return used;
                        });
                start.await();
                assertThat(user.get()).as("not refused for the move").isTrue();
                assertThat(mover.get()).as("moved while waited for").isFalse();
                assertThat(in.isOpen()).isFalse();
                assertThat(isOpenNumber(number)).isFalse();
                assertThat(pending.cancel()).isFalse();
                assertThat(out.isOpen()).isTrue();
            }
        }
    }

    private static <T> FutureTask<T> inThread(Callable<T> task) {
        FutureTask<T> future = new FutureTask<>(task);
        Thread _ = Thread.ofPlatform().start(future);
        return future;
    }

    @Test
    @SuppressWarnings("try") // closed early on purpose
    void aDuplicateOutlivesTheOriginal() {
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd in = pipe[0]) {
            try (Fd out = pipe[1];
                    Fd copy = out.duplicate()) {
                out.close();
                assertThat(copy.isOpen()).isTrue();
                assertThat(Unistd.write(copy, new byte[] {7}, 0, 1)).isEqualTo(1);
            }
            byte[] got = new byte[2];
            assertThat(Unistd.read(in, got, 0, 2)).isEqualTo(1);
            assertThat(Unistd.read(in, got, 0, 2)).isZero(); // the pipe has no writer left
        }
    }

    @Test
    void everyDescriptorIsCloseOnExec() {
        Fd[] pipe = Unistd.pipe2(0);
        Fd[] pair = SysSocket.socketpair(SysSocket.SOCK_STREAM | SysSocket.SOCK_NONBLOCK);
        try (Fd in = pipe[0];
                Fd out = pipe[1];
                Fd one = pair[0];
                Fd two = pair[1];
                Fd copy = in.duplicate();
                Fd file = devNull()) {
            for (Fd fd : new Fd[] {in, out, one, two, copy, file}) {
                String info = fd.with(n -> KernelFile.text(null, "/proc/self/fdinfo/" + n));
                int flags = Integer.parseInt(info.replaceAll("(?s).*flags:\\s*(\\d+).*", "$1"), 8);
                assertThat(flags & Fcntl.O_CLOEXEC).as("%s", info).isNotZero();
            }
        }
    }

    @Test
    void aNegativeNumberIsNoDescriptor() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Fd.adopt(-1))
                .withMessageContaining("-1");
        assertThatIllegalArgumentException().isThrownBy(() -> Fd.adopt(-10000)); // PIDFD_SELF
    }

    @Test
    void aFailedCallIsAdoptedAsItsError() {
        assertThatThrownBy(() -> Fd.adopt(-Errno.EMFILE, "pipe2", "a test"))
                .isInstanceOf(ErrnoException.class)
                .hasMessage(
                        "pipe2 a test: EMFILE (this process is out of descriptors; raise RLIMIT_NOFILE)");
    }

    @Test
    void manyThreadsCloseOnce() throws InterruptedException {
        OpenDescriptors before = OpenDescriptors.now();
        for (int round = 0; round < 200; round++) {
            Fd fd = devNull();
            CountDownLatch start = new CountDownLatch(1);
            AtomicInteger used = new AtomicInteger();
            Thread[] threads = new Thread[8];
            for (int i = 0; i < threads.length; i++) {
                threads[i] =
                        Thread.startVirtualThread(() -> {
                            try {
                                start.await();
                                int flags = Fcntl.getfl(fd);
                                used.addAndGet(flags >= 0 ? 1 : -1000);
                            } catch (IllegalStateException e) {
                                // another thread closed it first
                            } catch (InterruptedException e) {
                                throw new IllegalStateException(e);
                            } finally {
                                fd.close();
                            }
                        });
            }
            start.countDown();
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(used.get()).isBetween(0, threads.length);
        }
        before.awaitSameNumber();
    }
}
