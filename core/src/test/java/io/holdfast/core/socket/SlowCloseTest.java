package io.holdfast.core.socket;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Fd;
import io.holdfast.core.FdInputStream;
import io.holdfast.core.limit.FairShare;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.LingeringSocket;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.core.wait.FdCloser;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A file of another process whose last close takes two minutes delays no thread of this process.
 */
@Timeout(180)
class SlowCloseTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final int MORE_THAN_THREADS = 70; // than FdCloser has

    private static void assertCloses(AutoCloseable resource) throws Exception {
        Object ignored =
                resultAtOnce(() -> {
                    resource.close();
                    return true;
                });
    }

    /** Runs a step on a thread of its own, and returns its result. */
    private static <T> T resultAtOnce(Callable<T> step) throws Exception {
        FutureTask<T> task = new FutureTask<>(step);
        Thread running = Thread.ofPlatform().daemon().start(task);
        assertThat(running.join(SOON)).as("it returns at once").isTrue();
        return task.get();
    }

    private static void send(UnixSocket from, LingeringSocket lingering) throws Exception {
        assertThat(from.send(ByteBuffer.allocate(1), List.of(lingering.fd()))).isEqualTo(1);
        lingering.fd().close();
    }

    /** Receives the socket from another process, which has closed it. */
    private static Fd received(LingeringSocket lingering) throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket from = pair[0];
                UnixSocket to = pair[1]) {
            send(from, lingering);
            return received(to);
        }
    }

    private static Fd received(UnixSocket to) throws Exception {
        try (Ancillary ancillary = Ancillary.ofDescriptors(1)) {
            assertThat(to.receive(ByteBuffer.allocate(1), ancillary)).isEqualTo(1);
            return ancillary.takeDescriptors().getFirst();
        }
    }

    @Test
    void oneThatWasReceivedIsClosedWithoutWaiting() throws Exception {
        OpenDescriptors before = OpenDescriptors.now();
        try (LingeringSocket lingering = LingeringSocket.make()) {
            assertCloses(received(lingering));
        }
        before.awaitSameNumber();
    }

    @Test
    void itsNextOwnerDoesNotWaitEither() throws Exception {
        try (LingeringSocket lingering = LingeringSocket.make()) {
            Fd received = received(lingering);
            Fd duplicate = received.duplicate();
            received.close();
            assertCloses(duplicate.move());
        }
    }

    @Test
    void aConnectionInWhichOneLiesUnreadIsClosedWithoutWaiting(@TempDir Path folder)
            throws Exception {
        UnixAddress address = UnixAddress.path(folder.resolve("socket"));
        try (LingeringSocket lingering = LingeringSocket.make();
                UnixListener listener = UnixListener.listen(address, SocketType.STREAM, 1);
                UnixSocket client = UnixSocket.connect(address, SocketType.STREAM)) {
            UnixSocket accepted = listener.accept();
            send(client, lingering);
            assertCloses(accepted);
        }
    }

    @Test
    void aListenerIsClosedWithoutWaitingForAnUnacceptedConnection(@TempDir Path folder)
            throws Exception {
        UnixAddress address = UnixAddress.path(folder.resolve("socket"));
        try (LingeringSocket lingering = LingeringSocket.make()) {
            UnixListener listener = UnixListener.listen(address, SocketType.STREAM, 1);
            try (UnixSocket client = UnixSocket.connect(address, SocketType.STREAM)) {
                send(client, lingering);
            }
            assertCloses(listener);
        }
    }

    @Test
    void aDatagramSocketIsClosedWithoutWaitingForWhatIsUnread(@TempDir Path folder)
            throws Exception {
        UnixAddress address = UnixAddress.path(folder.resolve("socket"));
        try (LingeringSocket lingering = LingeringSocket.make();
                UnixSocket client = UnixSocket.datagram()) {
            UnixSocket bound = UnixSocket.bind(address);
            List<Fd> descriptors = List.of(lingering.fd());
            assertThat(client.sendTo(address, ByteBuffer.allocate(1), descriptors)).isEqualTo(1);
            lingering.fd().close();
            assertCloses(bound);
        }
    }

    @Test
    void whatWaitsIsChargedToItsOwner() throws Exception {
        FairShare<String> share = FairShare.of("descriptors", 8, "raise it");
        try (FdCloser<String> closer = new FdCloser<>("test-close", share);
                LingeringSocket lingering = LingeringSocket.make()) {
            closer.close("somebody", received(lingering));
            assertThat(share.held("somebody")).isEqualTo(1);
            lingering.end();
            Await.until(() -> share.held("somebody") == 0);
        }
    }

    @Test
    void aClientIsClosedWithoutWaitingForWhatItsServerSent(@TempDir Path folder) throws Exception {
        UnixAddress address = UnixAddress.path(folder.resolve("socket"));
        try (LingeringSocket lingering = LingeringSocket.make();
                UnixListener listener = UnixListener.listen(address, SocketType.STREAM, 1)) {
            UnixSocket client = UnixSocket.connect(address, SocketType.STREAM);
            try (UnixSocket accepted = listener.accept()) {
                send(accepted, lingering);
            }
            assertCloses(client);
        }
    }

    @Test
    void oneEndOfAPairIsClosedWithoutWaitingForWhatTheOtherSent() throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.SEQPACKET);
        try (LingeringSocket lingering = LingeringSocket.make()) {
            try (UnixSocket other = pair[1]) {
                send(other, lingering);
            }
            assertCloses(pair[0]);
        }
    }

    @Test
    void anAdoptedSocketIsClosedWithoutWaiting() throws Exception {
        Fd[] pair = SysSocket.socketpair(SysSocket.SOCK_STREAM);
        UnixSocket adopted = UnixSocket.adopt(pair[0]);
        try (LingeringSocket lingering = LingeringSocket.make()) {
            try (UnixSocket other = UnixSocket.adopt(pair[1])) {
                send(other, lingering);
            }
            assertCloses(adopted);
        }
    }

    @Test
    void aReceiveThatTakesNoDescriptorsDoesNotWait() throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket from = pair[0];
                UnixSocket to = pair[1];
                LingeringSocket toArray = LingeringSocket.make();
                LingeringSocket toMemory = LingeringSocket.make();
                LingeringSocket toStream = LingeringSocket.make()) {
            send(from, toArray);
            int received = resultAtOnce(() -> to.receive(ByteBuffer.allocate(1)));
            assertThat(received).isEqualTo(1);
            send(from, toMemory);
            received = resultAtOnce(() -> to.tryReceive(ByteBuffer.allocateDirect(1)));
            assertThat(received).isEqualTo(1);
            send(from, toStream);
            int read = resultAtOnce(to.inputStream()::read);
            assertThat(read).isZero();
        }
    }

    @Test
    void aStreamOverASocketDoesNotWait() throws Exception {
        Fd[] pair = SysSocket.socketpair(SysSocket.SOCK_STREAM);
        try (UnixSocket from = UnixSocket.adopt(pair[0]);
                FdInputStream to = new FdInputStream(pair[1]);
                LingeringSocket lingering = LingeringSocket.make()) {
            send(from, lingering);
            int read = resultAtOnce(to::read);
            assertThat(read).isZero();
        }
    }

    /** Returns how many of these sockets have a descriptor: those whose close has not begun. */
    private static long notYetClosed(Set<String> sockets) {
        return OpenDescriptors.now().byNumber().values().stream().filter(sockets::contains).count();
    }

    @Test
    @Needs(root = true)
    void manyOfOneUserDelayNoneOfAnother(@TempDir Path folder) throws Exception {
        String name = Files.createFile(folder.resolve("file")).toRealPath().toString();
        UnixAddress address = UnixAddress.abstractName("holdfast-test-" + UUID.randomUUID());
        LingeringSocket.make().close(); // the JDK opens descriptors for its first socket
        OpenDescriptors before = OpenDescriptors.now();
        List<LingeringSocket> many = new ArrayList<>();
        try (UnixListener listener = UnixListener.listen(address, SocketType.STREAM, 2);
                UnixSocket greedy = connectAs(20_001, address);
                UnixSocket fromGreedy = listener.accept();
                UnixSocket innocent = connectAs(20_002, address);
                UnixSocket fromInnocent = listener.accept()) {
            Set<String> received = new HashSet<>();
            for (int i = 0; i < MORE_THAN_THREADS; i++) {
                LingeringSocket lingering = LingeringSocket.make();
                many.add(lingering);
                send(greedy, lingering);
                try (Fd file = received(fromGreedy)) {
                    received.add(file.with(n -> Unistd.readlinkat(null, "/proc/self/fd/" + n)));
                }
            }
            Await.until(() -> notYetClosed(received) < MORE_THAN_THREADS);
            try (Fd file = Fcntl.open(name, Fcntl.O_RDONLY)) {
                assertThat(innocent.send(ByteBuffer.allocate(1), List.of(file))).isEqualTo(1);
            }
            received(fromInnocent).close();
            Await.until(() -> OpenDescriptors.now().count(name) == 0);
            assertThat(notYetClosed(received))
                    .as("those of the other still wait")
                    .isEqualTo(MORE_THAN_THREADS - 1);
        } finally {
            for (LingeringSocket lingering : many) {
                lingering.close();
            }
        }
        before.awaitSameNumber();
    }

    private static UnixSocket connectAs(long user, UnixAddress address) throws Exception {
        AtomicReference<UnixSocket> connected = new AtomicReference<>();
        AsUser.of(user, () -> connected.set(UnixSocket.connect(address, SocketType.STREAM)));
        return connected.get();
    }
}
