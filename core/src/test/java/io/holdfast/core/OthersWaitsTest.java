package io.holdfast.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysPidfd;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.OpenDescriptors;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** One descriptor, its owner or a full queue must not harm the waits for other descriptors. */
@Timeout(60)
class OthersWaitsTest {
    private final OpenDescriptors before = OpenDescriptors.now();

    @AfterEach
    void nothingStaysOpen() {
        before.awaitSameNumber();
    }

    @Test
    void aNumberClosedUnderItsOwnerEndsOnlyItsOwnWaits() throws Exception {
        Fd[] pair = SysSocket.socketpair(SysSocket.SOCK_STREAM | SysSocket.SOCK_NONBLOCK);
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd one = pair[0];
                Fd two = pair[1];
                Fd in = pipe[0];
                Fd out = pipe[1]) {
            CountDownLatch calls = new CountDownLatch(2);
            try (Fd keeps = one.duplicate()) { // keeps the open file and its entry in epoll
                Readiness.once(one, Readiness.PRI, _ -> calls.countDown());
                Readiness.once(one, Readiness.IN, _ -> calls.countDown());
                int number = one.with(n -> n);
                Fd.adopt(number).close();
                assertThat(Unistd.write(two, new byte[1], 0, 1)).isEqualTo(1);
                calls.await();
                assertThat(keeps.isOpen()).isTrue();
            }
            assertThat(Readiness.await(out, Readiness.OUT)).isEqualTo(Readiness.OUT);
            assertThat(in.isOpen()).isTrue();
        }
    }

    @Test
    void aDescriptorWithoutWaitersIsMovedAndWaitedForAgain() throws Exception {
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd in = pipe[0];
                Fd out = pipe[1]) {
            assertThat(Readiness.await(out, Readiness.OUT)).isEqualTo(Readiness.OUT);
            try (Fd moved = out.move()) {
                assertThat(Readiness.await(moved, Readiness.OUT)).isEqualTo(Readiness.OUT);
            }
            FutureTask<Integer> waits = new FutureTask<>(() -> Readiness.await(in, Readiness.PRI));
            Thread waiting = Thread.ofPlatform().start(waits);
            // the write end is closed, so the read end reports HUP
            assertThat(waits.get() & Readiness.HUP).isEqualTo(Readiness.HUP);
            waiting.join();
        }
    }

    @Test
    void aDescriptorThatIsWaitedForIsNotMoved() throws Exception {
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd in = pipe[0];
                Fd out = pipe[1]) {
            Thread waiting =
                    Thread.ofPlatform()
                            .start(new FutureTask<>(() -> Readiness.await(in, Readiness.IN)));
            Await.parked(waiting);
            assertThatIllegalStateException()
                    .isThrownBy(in::move)
                    .withMessageContaining("waited for");
            assertThat(Unistd.write(out, new byte[1], 0, 1)).isEqualTo(1);
            waiting.join();
        }
    }

    @Test
    void aSignalIsNotLostToAFullQueue() throws Exception {
        try (EventLoop loop = EventLoop.open(1)) {
            AtomicInteger signals = new AtomicInteger();
            AutoCloseable watch = loop.onSignal(Signal.WINCH, signals::incrementAndGet);
            loop.post(() -> {});
            try (Fd self = Fd.adopt(SysPidfd.open((int) ProcessHandle.current().pid(), 0))) {
                assertThat(SysPidfd.sendSignal(self, Signal.WINCH.number(), 0)).isZero();
            }
            while (signals.get() == 0) {
                loop.step(Duration.ofSeconds(1));
            }
            watch.close();
        }
    }
}
