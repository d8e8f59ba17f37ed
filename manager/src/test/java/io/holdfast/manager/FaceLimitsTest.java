package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Await;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.systemd1.Systemd1;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The limits of the manager's interfaces, each tested at the limit. */
@Timeout(120)
class FaceLimitsTest {
    private static final Set<Thread.State> IN_WORK =
            EnumSet.of(Thread.State.NEW, Thread.State.RUNNABLE, Thread.State.BLOCKED);

    private static final int PEERS = 512; // io.holdfast.manager.privatePeers
    private static final byte[] GREETING =
            "\0AUTH EXTERNAL\r\nDATA\r\n".getBytes(StandardCharsets.US_ASCII);

    @TempDir private Path folder;
    private Stage stage;
    private Systemd1 face;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
        face = Systemd1.serve(stage.manager(), stage.runtimeDirectory());
    }

    @AfterEach
    void close() throws Exception {
        face.close();
        stage.close();
    }

    private UnixSocket connect() throws Exception {
        return UnixSocket.connect(
                UnixAddress.path(stage.runtimeDirectory().resolve("systemd/private")),
                SocketType.STREAM,
                Duration.ofSeconds(10));
    }

    /** Returns the first answer; empty if the connection is refused. */
    private static String greeted(UnixSocket socket) throws Exception {
        ByteBuffer answer = ByteBuffer.allocate(100);
        try {
            socket.sendFully(ByteBuffer.wrap(GREETING));
            while (answer.position() == 0 || answer.get(answer.position() - 1) != '\n') {
                if (socket.receive(answer) < 0) {
                    return "";
                }
            }
        } catch (ErrnoException e) {
            return ""; // closed during the write
        }
        return new String(answer.array(), 0, answer.position(), StandardCharsets.US_ASCII);
    }

    @Test
    void soManyPeersMayBeOnThePrivateSocketAndNoMore() throws Exception {
        List<UnixSocket> peers = new ArrayList<>();
        try {
            for (int i = 0; i < PEERS; i++) {
                peers.add(connect());
            }
            try (UnixSocket more = connect()) {
                assertThat(greeted(more)).as("one more").isEmpty();
            }
            assertThat(greeted(peers.getFirst())).contains("DATA");
            assertThat(greeted(peers.getLast())).contains("DATA");
            peers.removeFirst().close();
            String answer = "";
            while (answer.isEmpty()) { // until its slot is known to be free
                try (UnixSocket next = connect()) {
                    answer = greeted(next);
                }
            }
            assertThat(answer).contains("DATA");
        } finally {
            for (UnixSocket peer : peers) {
                peer.close();
            }
        }
    }

    @Test
    void whatFacesAreAskedIsReadByAsManyThreadsAsAreAllowed() throws Exception {
        CyclicBarrier together = new CyclicBarrier(ManagerLimits.READERS.intValue());
        AtomicInteger now = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        List<CompletableFuture<Integer>> works = new ArrayList<>();
        for (int i = 0; i < 10 * ManagerLimits.READERS.intValue(); i++) {
            works.add(
                    stage.manager()
                            .view()
                            .work(() -> {
                                int running = now.incrementAndGet();
                                int seen = most.accumulateAndGet(running, Math::max);
                                int _ = together.await(60, TimeUnit.SECONDS);
                                int _ = now.decrementAndGet();
                                return seen;
                            }));
        }
        for (CompletableFuture<Integer> work : works) {
            assertThat(Stage.get(work)).isPositive();
        }
        assertThat(most).hasValue(ManagerLimits.READERS.intValue());
    }

    @Test
    void anAnswerComesThoughTheManagerIsAskedAsMuchAsItTakes() throws Exception {
        EventLoop loop = stage.manager().view().loop();
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(1);
        AtomicReference<Thread> reader = new AtomicReference<>();
        loop.post(() -> await(release));
        CompletableFuture<String> work =
                stage.manager()
                        .view()
                        .work(() -> {
                            await(done);
                            reader.set(Thread.currentThread());
                            return "answer";
                        });
        assertThatThrownBy(
                        () -> {
                            while (true) {
                                loop.post(() -> {});
                            }
                        })
                .isInstanceOf(RejectedExecutionException.class);
        done.countDown();
        Await.until( // it has sent its answer and waits
                () -> reader.get() != null && !IN_WORK.contains(reader.get().getState()));
        release.countDown();
        assertThat(Stage.get(work)).isEqualTo("answer");
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
