package io.holdfast.core.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Fcntl;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.Feature;
import io.holdfast.core.linux.Readiness;
import io.holdfast.core.linux.Signal;
import io.holdfast.core.linux.SysResource;
import io.holdfast.core.linux.Unistd;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Resource;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.FullTable;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A platform thread that receives from a stream waits in recv(2), and is woken from there. */
@Timeout(60)
class PlatformReceiveTest {
    private static final int WAKE_SIGNAL = 16; // SIGSTKFLT
    private static final int RACES = 3_000;
    private static final int LOWERED = 100; // descriptors, fewer than are open

    private OpenDescriptors before;
    private UnixSocket one;
    private UnixSocket two;

    @BeforeEach
    void connect() {
        before = OpenDescriptors.now();
        connect(SocketType.STREAM);
    }

    private void connect(SocketType type) {
        UnixSocket[] pair = UnixSocket.pair(type);
        one = pair[0];
        two = pair[1];
    }

    @AfterEach
    void nothingStaysOpen() {
        close();
        before.awaitSameNumber();
    }

    private void close() {
        one.close();
        two.close();
    }

    /** A thread that does so; it has begun to wait. */
    private static <T> FutureTask<T> waiting(Callable<T> task) {
        FutureTask<T> future = new FutureTask<>(task);
        Await.parked(Thread.ofPlatform().start(future));
        return future;
    }

    private static void spin(long nanos) {
        for (long begin = System.nanoTime(); System.nanoTime() - begin < nanos; ) {
            Thread.onSpinWait();
        }
    }

    private static boolean isHungUp(UnixSocket socket) throws InterruptedException {
        return (Readiness.await(socket.fd(), Readiness.RDHUP, Duration.ZERO) & Readiness.HUP) != 0;
    }

    @ParameterizedTest
    @EnumSource
    void aMessageWakesIt(SocketType type) throws Exception {
        close();
        connect(type);
        for (ByteBuffer room : List.of(ByteBuffer.allocate(10), ByteBuffer.allocateDirect(10))) {
            room.position(2);
            FutureTask<Integer> receiver = waiting(() -> one.receive(room));
            two.sendFully(Messages.of("wake"));
            assertThat(receiver.get()).isEqualTo(4);
            assertThat(room.position()).isEqualTo(6);
            assertThat(StandardCharsets.US_ASCII.decode(room.slice(2, 4)).toString())
                    .isEqualTo("wake");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"STREAM", "SEQPACKET"})
    void theEndWakesIt(SocketType type) throws Exception {
        close();
        connect(type);
        FutureTask<Integer> receiver = waiting(() -> one.receive(ByteBuffer.allocate(1)));
        two.close();
        assertThat(receiver.get()).isEqualTo(UnixSocket.END);
    }

    @Test
    void aShutdownByAnotherThreadIsTheEnd() throws Exception {
        FutureTask<Integer> receiver = waiting(() -> one.receive(ByteBuffer.allocate(1)));
        one.shutdown();
        assertThat(receiver.get()).isEqualTo(UnixSocket.END);
    }

    @ParameterizedTest
    @EnumSource
    void aLongMessageIntoAnArrayIsWhole(SocketType type) throws Exception {
        close();
        connect(type);
        byte[] sent = new byte[100_000];
        new SplittableRandom(3).nextBytes(sent);
        ByteBuffer room = ByteBuffer.allocate(sent.length);
        FutureTask<Boolean> receiver =
                waiting(() -> {
                    while (room.hasRemaining()) {
                        assertThat(one.receive(room)).isPositive();
                    }
                    return Arrays.equals(room.array(), sent);
                });
        two.sendFully(ByteBuffer.wrap(sent));
        assertThat(receiver.get()).isTrue();
    }

    /** After it this thread is likely to wait again. */
    private void waitOnce() throws Exception {
        Thread receiver = Thread.currentThread();
        FutureTask<Boolean> sender =
                new FutureTask<>(() -> {
                    Await.parked(receiver);
                    two.sendFully(Messages.of("first"));
                    return true;
                });
        Thread _ = Thread.ofPlatform().start(sender);
        assertThat(Messages.receive(one)).isEqualTo("first");
        assertThat(sender.get()).isTrue();
    }

    @Test
    void afterAWaitALongMessageStillComesInLargePieces() throws Exception {
        waitOnce();
        two.sendFully(ByteBuffer.allocate(60_000));
        ByteBuffer room = ByteBuffer.allocate(60_000);
        assertThat(one.receive(room)).isEqualTo(8 << 10);
        assertThat(one.receive(room)).isEqualTo(60_000 - (8 << 10));
    }

    @Test
    void afterAWaitNoBufferIsTakenForAnotherKind() throws Exception {
        waitOnce();
        assertThat(one.receive(ByteBuffer.allocate(0))).isZero();
        two.sendFully(Messages.of("second"));
        for (ByteBuffer room : List.of(ByteBuffer.allocate(9), ByteBuffer.allocateDirect(9))) {
            assertThatExceptionOfType(ReadOnlyBufferException.class)
                    .isThrownBy(() -> one.receive(room.asReadOnlyBuffer()));
        }
        assertThat(Messages.receive(one)).isEqualTo("second");
    }

    @Test
    void afterAWaitWhoIsInterruptedAlreadyReceivesWhatIsThere() throws Exception {
        waitOnce();
        two.sendFully(Messages.of("second"));
        Thread.currentThread().interrupt();
        assertThat(Messages.receive(one)).isEqualTo("second");
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void aCloseWakesItAndTheSocketIsReallyClosed() throws Exception {
        FutureTask<Integer> receiver = waiting(() -> one.receive(ByteBuffer.allocate(1)));
        one.close();
        assertThatThrownBy(receiver::get)
                .cause()
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed while waited for");
        assertThat(isHungUp(two)).isTrue();
        assertThatIllegalStateException().isThrownBy(() -> one.receive(ByteBuffer.allocate(1)));
    }

    @Test
    void aSocketAtRestThatIsClosedIsReallyClosed() throws Exception {
        FutureTask<String> receiver = waiting(() -> Messages.receive(one));
        two.sendFully(Messages.of("first"));
        assertThat(receiver.get()).isEqualTo("first");
        one.close();
        assertThat(isHungUp(two)).isTrue();
    }

    @Test
    void anInterruptWakesItAndLeavesTheSocketUsable() throws Exception {
        CompletableFuture<Boolean> status = new CompletableFuture<>();
        CompletableFuture<String> next = new CompletableFuture<>();
        Thread thread =
                Thread.ofPlatform()
                        .start(() -> {
                            try {
                                String told = Messages.receive(one);
                                status.completeExceptionally(new AssertionError(told));
                            } catch (InterruptedException e) {
                                status.complete(Thread.currentThread().isInterrupted());
                            }
                            try {
                                next.complete(Messages.receive(one));
                            } catch (InterruptedException e) {
                                next.completeExceptionally(e);
                            }
                        });
        Await.parked(thread);
        thread.interrupt();
        assertThat(status.get()).as("the status after the exception").isFalse();
        Await.parked(thread);
        two.sendFully(Messages.of("go on"));
        assertThat(next.get()).isEqualTo("go on");
    }

    @Test
    void whoIsInterruptedAlreadyDoesNotWait() {
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> Messages.receive(one)).isInstanceOf(InterruptedException.class);
        assertThat(Thread.interrupted()).isFalse();
    }

    /** Whichever comes first: it ends, or the test does not. */
    @Test
    void aCloseAtAnyMomentWakesIt() throws Exception {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < RACES; i++) {
            UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
            CyclicBarrier start = new CyclicBarrier(2);
            FutureTask<Integer> receiver =
                    new FutureTask<>(() -> {
                        start.await();
                        return pair[0].receive(ByteBuffer.allocate(1));
                    });
            Thread thread = Thread.ofPlatform().start(receiver);
            start.await();
            spin(random.nextLong(60_000));
            pair[0].close();
            assertThatThrownBy(receiver::get).cause().isInstanceOf(IllegalStateException.class);
            thread.join();
            assertThat(isHungUp(pair[1])).isTrue();
            pair[1].close();
        }
    }

    @ParameterizedTest
    @EnumSource
    @SuppressWarnings("try") // closed early on purpose
    void afterACloseNothingIsReceivedAnyMore(SocketType type) throws Exception {
        for (int i = 0; i < RACES / 3; i++) {
            UnixSocket[] pair = UnixSocket.pair(type);
            try (UnixSocket peer = pair[1];
                    Fd shared = pair[0].fd().duplicate()) { // so that the peer can send
                FutureTask<Integer> receiver =
                        waiting(() -> pair[0].receive(ByteBuffer.allocate(100)));
                pair[0].close();
                if (type != SocketType.STREAM && (i & 1) == 0) {
                    peer.sendFully(Messages.of("for the other"));
                }
                peer.close();
                assertThatThrownBy(receiver::get).cause().isInstanceOf(IllegalStateException.class);
                assertThat(shared.isOpen()).isTrue();
            }
        }
    }

    /** Each interrupt ends one receive, or is a status; each message is received. */
    @Test
    void interruptsAtAnyMomentLoseNothing() throws Exception {
        AtomicBoolean over = new AtomicBoolean();
        FutureTask<int[]> receiver =
                new FutureTask<>(() -> {
                    int messages = 0;
                    int interrupts = 0;
                    for (ByteBuffer room = ByteBuffer.allocateDirect(1); ; room.clear()) {
                        try {
                            if (one.receive(room) == UnixSocket.END) {
                                return new int[] {messages, interrupts};
                            }
                            messages++;
                            if (Thread.interrupted()) {
                                interrupts++;
                            }
                        } catch (InterruptedException e) {
                            interrupts++;
                        }
                    }
                });
        Thread thread = Thread.ofPlatform().start(receiver);
        FutureTask<Integer> interrupter =
                new FutureTask<>(() -> {
                    SplittableRandom random = new SplittableRandom(2);
                    int n = 0;
                    for (; !over.get(); n++) {
                        thread.interrupt();
                        spin(random.nextLong(40_000));
                    }
                    return n;
                });
        Thread interrupting = Thread.ofPlatform().start(interrupter);
        try {
            SplittableRandom random = new SplittableRandom(3);
            for (int i = 0; i < 3 * RACES; i++) {
                two.sendFully(ByteBuffer.allocate(1));
                spin(random.nextLong(40_000));
            }
        } finally {
            over.set(true);
        }
        int interrupts = interrupter.get();
        interrupting.join();
        two.close();
        int[] told = receiver.get();
        thread.join();
        assertThat(told[0]).isEqualTo(3 * RACES);
        assertThat(told[1]).isPositive().isLessThanOrEqualTo(interrupts);
    }

    /** While other threads take each number that is free at once. */
    @Test
    void noDescriptorOfOthersIsTouched() throws Exception {
        AtomicBoolean over = new AtomicBoolean();
        FutureTask<Boolean> bystander =
                new FutureTask<>(() -> {
                    while (!over.get()) {
                        Fd[] pipe = Unistd.pipe2(0);
                        try (Fd in = pipe[0];
                                Fd out = pipe[1]) {
                            assertThat(Unistd.write(out, new byte[] {7}, 0, 1)).isEqualTo(1);
                            assertThat(Unistd.read(in, new byte[1], 0, 1)).isEqualTo(1);
                        }
                    }
                    return true;
                });
        Thread standing = Thread.ofPlatform().start(bystander);
        try {
            SplittableRandom random = new SplittableRandom(4);
            for (int i = 0; i < RACES; i++) {
                UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
                FutureTask<Integer> receiver =
                        new FutureTask<>(() -> pair[0].receive(ByteBuffer.allocate(1)));
                Thread thread = Thread.ofPlatform().start(receiver);
                spin(random.nextLong(100_000));
                thread.interrupt();
                spin(random.nextLong(5_000));
                pair[0].close();
                assertThatThrownBy(receiver::get)
                        .cause()
                        .isInstanceOfAny(IllegalStateException.class, InterruptedException.class);
                thread.join();
                pair[1].close();
            }
        } finally {
            over.set(true);
        }
        assertThat(bystander.get()).isTrue();
        standing.join();
    }

    @Test
    void threadsThatTakeTurnsOnASocketAreEachWoken() throws Exception {
        for (int i = 0; i < 200; i++) {
            boolean interrupted = i % 5 == 0;
            FutureTask<String> receiver = new FutureTask<>(() -> Messages.receive(one));
            Thread thread = Thread.ofPlatform().start(receiver);
            Await.parked(thread);
            if (interrupted) {
                thread.interrupt();
                assertThatThrownBy(receiver::get).cause().isInstanceOf(InterruptedException.class);
            } else {
                two.sendFully(Messages.of("turn " + i));
                assertThat(receiver.get()).isEqualTo("turn " + i);
            }
            thread.join();
        }
    }

    /** Who receives what is for them to agree on; that each byte is received once is not. */
    @Test
    void severalThreadsOnAStreamReceiveEachByteOnce() throws Exception {
        int bytes = 200_000;
        List<FutureTask<int[]>> receivers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            receivers.add(
                    waiting(() -> {
                        int[] counts = new int[256];
                        ByteBuffer room = ByteBuffer.allocate(64);
                        while (one.receive(room.clear()) != UnixSocket.END) {
                            for (int at = 0; at < room.position(); at++) {
                                counts[room.get(at) & 0xFF]++;
                            }
                        }
                        return counts;
                    }));
        }
        SplittableRandom random = new SplittableRandom(6);
        int[] sent = new int[256];
        for (int at = 0; at < bytes; ) {
            byte[] some = new byte[1 + random.nextInt(64)];
            random.nextBytes(some);
            for (byte each : some) {
                sent[each & 0xFF]++;
            }
            two.sendFully(ByteBuffer.wrap(some));
            at += some.length;
        }
        two.close();
        int[] told = new int[256];
        for (FutureTask<int[]> receiver : receivers) {
            int[] counts = receiver.get();
            Arrays.setAll(told, value -> told[value] + counts[value]);
        }
        assertThat(told).isEqualTo(sent);
    }

    @Test
    void severalThreadsAtOnceEachReceiveOrAreWokenByTheClose() throws Exception {
        close();
        connect(SocketType.SEQPACKET);
        List<FutureTask<String>> receivers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            receivers.add(waiting(() -> Messages.receive(one)));
        }
        two.sendFully(Messages.of("one"));
        two.sendFully(Messages.of("two"));
        Await.until(() -> receivers.stream().filter(FutureTask::isDone).count() == 2);
        one.close();
        List<String> told = new ArrayList<>();
        for (FutureTask<String> receiver : receivers) {
            try {
                told.add(receiver.get());
            } catch (ExecutionException e) {
                assertThat(e).cause().isInstanceOf(IllegalStateException.class);
            }
        }
        assertThat(told).containsExactlyInAnyOrder("one", "two");
    }

    @Needs(features = Feature.PIDFD_THREAD)
    @Test
    void aSignalFromElsewhereEndsNothing() throws Exception {
        CompletableFuture<Integer> tid = new CompletableFuture<>();
        FutureTask<String> receiver =
                waiting(() -> {
                    tid.complete(Unistd.gettid());
                    return Messages.receive(one);
                });
        try (PidFd thread = PidFd.openThread(tid.get())) {
            for (int i = 0; i < 100; i++) {
                assertThat(thread.signal(new Signal(WAKE_SIGNAL))).isTrue();
                assertThat(receiver.isDone()).isFalse();
            }
        }
        two.sendFully(Messages.of("all the same"));
        assertThat(receiver.get()).isEqualTo("all the same");
    }

    @Test
    void aSocketThatOthersMadeNonBlockingIsWaitedForAllTheSame() throws Exception {
        assertThat(Fcntl.setfl(one.fd(), Fcntl.O_NONBLOCK)).isZero();
        FutureTask<String> receiver = waiting(() -> Messages.receive(one));
        two.sendFully(Messages.of("waited"));
        assertThat(receiver.get()).isEqualTo("waited");
        FutureTask<String> closed = waiting(() -> Messages.receive(one));
        one.close();
        assertThatThrownBy(closed::get).cause().isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aSocketThatWasWaitedForIsMovedAndWaitedForAgain() throws Exception {
        FutureTask<String> receiver = waiting(() -> Messages.receive(one));
        two.sendFully(Messages.of("before"));
        assertThat(receiver.get()).isEqualTo("before");
        one = UnixSocket.adopt(one.fd());
        FutureTask<String> again = waiting(() -> Messages.receive(one));
        assertThatIllegalStateException().isThrownBy(() -> one.fd().move());
        two.sendFully(Messages.of("after"));
        assertThat(again.get()).isEqualTo("after");
    }

    /** In a JVM of its own, as its argument says. */
    static final class Elsewhere {
        @SuppressWarnings("try") // closed early on purpose
        public static void main(String[] arguments) throws Exception {
            boolean full = arguments.length > 0;
            if (full) {
                FullTable.limit(200, Fd.class, UnixSocket.class);
            }
            UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
            try (UnixSocket one = pair[0];
                    UnixSocket two = pair[1]) {
                FutureTask<String> first = waiting(() -> Messages.receive(one));
                two.sendFully(Messages.of("first"));
                assertThat(first.get()).isEqualTo("first");
                FutureTask<String> parked = new FutureTask<>(() -> Messages.receive(one));
                Await.parked(Thread.startVirtualThread(parked)); // by the poller, which lasts
                two.sendFully(Messages.of("parked"));
                assertThat(parked.get()).isEqualTo("parked");
            }
            UnixSocket[] next = UnixSocket.pair(SocketType.STREAM);
            try (UnixSocket one = next[0];
                    UnixSocket two = next[1]) {
                if (full) {
                    FullTable.fill(0);
                    assertThatThrownBy(() -> one.fd().duplicate())
                            .isInstanceOf(ErrnoException.class)
                            .satisfies(e ->
                                    assertThat(((ErrnoException) e).errno())
                                            .isEqualTo(Errno.EMFILE));
                }
                FutureTask<String> told = waiting(() -> Messages.receive(one));
                two.sendFully(Messages.of("told"));
                assertThat(told.get()).isEqualTo("told");
                FutureTask<String> interrupted = new FutureTask<>(() -> Messages.receive(one));
                Thread thread = Thread.ofPlatform().start(interrupted);
                Await.parked(thread);
                thread.interrupt();
                assertThatThrownBy(interrupted::get)
                        .cause()
                        .isInstanceOf(InterruptedException.class);
                FutureTask<String> closed = waiting(() -> Messages.receive(one));
                one.close();
                assertThatThrownBy(closed::get).cause().isInstanceOf(IllegalStateException.class);
            }
            System.out.println("woken");
        }
    }

    @Test
    void withoutADescriptorLeftItWaitsAllTheSame() {
        assertThat(ChildJvm.run(List.of(), Elsewhere.class, "full"))
                .isEqualTo(new ChildJvm.Result(0, "woken\n"));
    }

    /**
     * What who started the JVM may have done: with the signal, which children inherit, and with the
     * number of signals that may be pending.
     */
    @Needs(programs = {"env", "prlimit"})
    @ParameterizedTest
    @ValueSource(
            strings = {
                "env --ignore-signal=" + WAKE_SIGNAL,
                "env --block-signal=" + WAKE_SIGNAL,
                "prlimit --sigpending=0"
            })
    void itIsWokenWhateverTheParentDidAboutSignals(String how) {
        List<String> command = new ArrayList<>(List.of(how.split(" ")));
        command.addAll(ChildJvm.command(List.of(), Elsewhere.class));
        assertThat(ChildJvm.run(command)).isEqualTo(new ChildJvm.Result(0, "woken\n"));
    }

    /**
     * In a JVM of its own, whose limit of descriptors is lowered below the numbers that its thread
     * receives from, so that they stay sockets, and only signals are left to wake it.
     */
    static final class BeyondTheLimit {
        private static final int SOCKETS = 1_500;

        private static volatile int at = -1;

        public static void main(String[] arguments) throws Exception {
            boolean closes = arguments[0].equals("close");
            FullTable.load(Fd.class, UnixSocket.class, FullTable.class);
            List<Fd> below = new ArrayList<>();
            for (int i = 0; i < LOWERED; i++) {
                below.add(Unistd.duplicateStandard(0));
            }
            UnixSocket[][] pairs = new UnixSocket[SOCKETS][];
            Arrays.setAll(pairs, _ -> UnixSocket.pair(SocketType.STREAM));
            CompletableFuture<Void> warm = new CompletableFuture<>();
            CompletableFuture<Void> lowered = new CompletableFuture<>();
            FutureTask<Integer> receiver =
                    new FutureTask<>(() -> {
                        ByteBuffer room = ByteBuffer.allocateDirect(1);
                        for (int i = 0; i < SOCKETS; i++) { // after that it has its numbers
                            at = i;
                            assertThat(pairs[i][0].receive(room.clear())).isEqualTo(1);
                        }
                        at = -1;
                        warm.complete(null);
                        lowered.join();
                        for (int i = 0; i < SOCKETS; i++) {
                            if (closes && i % 2 == 0) {
                                Thread.currentThread().interrupt();
                            }
                            at = i;
                            requireWoken(pairs[i][0]);
                        }
                        return SOCKETS;
                    });
            Thread thread = Thread.ofPlatform().start(receiver);
            for (int i = 0; i < SOCKETS; i++) {
                awaitRound(i);
                Await.parked(thread);
                pairs[i][1].sendFully(ByteBuffer.allocate(1));
            }
            warm.join();
            int nofile = Resource.NOFILE.number();
            long hard = SysResource.limit(nofile)[1];
            assertThat(SysResource.setLimit(0, nofile, LOWERED, hard)).isZero();
            lowered.complete(null);
            SplittableRandom random = new SplittableRandom(5);
            for (int i = 0; i < SOCKETS; i++) {
                awaitRound(i);
                spin(random.nextLong(i % 3 == 0 ? 60_000 : 3_000)); // waits, or is about to
                if (closes) {
                    pairs[i][0].close();
                } else {
                    thread.interrupt();
                }
            }
            System.out.println("woken " + receiver.get());
            below.forEach(Fd::close);
        }

        private static void awaitRound(int round) {
            while (at < round) {
                Thread.onSpinWait();
            }
        }

        private static void requireWoken(UnixSocket socket) {
            try {
                throw new AssertionError(
                        "received " + socket.receive(ByteBuffer.allocateDirect(1)));
            } catch (IllegalStateException | InterruptedException e) {
                boolean ignored = Thread.interrupted(); // which may have come beside the close
            } catch (ErrnoException e) {
                assertThat(e.errno()).isEqualTo(Errno.EMFILE); // woken by the interrupt before
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"close", "interrupt"})
    void itIsWokenThoughItsNumberIsBeyondTheLimitByNow(String how) {
        assertThat(ChildJvm.run(List.of(), BeyondTheLimit.class, how))
                .isEqualTo(new ChildJvm.Result(0, "woken 1500\n"));
    }

    /** In a JVM of its own that looks for leaks. */
    static final class Leaky {
        public static void main(String[] arguments) throws Exception {
            try (UnixSocket peer = forgotten()) {
                while (!isHungUp(peer)) {
                    System.gc();
                }
                System.out.println("hung up");
            }
        }

        private static UnixSocket forgotten() throws Exception {
            UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
            FutureTask<String> receiver = waiting(() -> Messages.receive(pair[0]));
            pair[1].sendFully(Messages.of("first and last"));
            assertThat(receiver.get()).isEqualTo("first and last");
            return pair[1];
        }
    }

    @Test
    void aSocketThatBecomesGarbageIsClosedByTheLeakDetectorWithAllItKeeps() {
        ChildJvm.Result result = ChildJvm.run(List.of("-Dio.holdfast.leaks=true"), Leaky.class);
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output()).contains("leaked").endsWith("hung up\n");
    }
}
