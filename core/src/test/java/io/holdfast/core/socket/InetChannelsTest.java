package io.holdfast.core.socket;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.socket.SysInet;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.core.testkit.OpenDescriptors;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Channels of java.nio from descriptors, as a service manager passes them. */
@Timeout(60)
class InetChannelsTest {
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

    /** Makes a socket as a manager does: bound, and listening if it is TCP. */
    private static ListenFds.Named passed(int family, int type) throws IOException {
        Fd fd = Fd.adopt(SysInet.socket(family, type, 0), "socket", family);
        InetAddress any = InetAddress.getByAddress(new byte[family == SysInet.AF_INET ? 4 : 16]);
        ErrnoException.check(SysInet.bind(fd, new InetSocketAddress(any, 0)), "bind", any);
        if (type == SysSocket.SOCK_STREAM) {
            ErrnoException.check(SysSocket.listen(fd, 10), "listen", fd);
        }
        return new ListenFds.Named("test", fd);
    }

    @ParameterizedTest
    @ValueSource(ints = {SysInet.AF_INET, SysInet.AF_INET6})
    void aTcpSocketAcceptsAsAChannel(int family) throws Exception {
        ListenFds.Named passed = passed(family, SysSocket.SOCK_STREAM);
        int port = passed.inetAddress().getPort();
        try (ServerSocketChannel server = passed.serverChannel()) {
            assertThat(passed.fd().isOpen()).isFalse();
            for (Thread.Builder kind : List.of(Thread.ofVirtual(), Thread.ofPlatform())) {
                CompletableFuture<SocketChannel> accepted = new CompletableFuture<>();
                Thread accepting = kind.start(() -> complete(accepted, server::accept));
                try (Socket client = new Socket(LOOPBACK, port);
                        SocketChannel channel = accepted.get()) {
                    assertThat(((InetSocketAddress) channel.getLocalAddress()).getPort())
                            .isEqualTo(port);
                    assertThat(channel.getRemoteAddress())
                            .isEqualTo(client.getLocalSocketAddress());
                    client.getOutputStream().write("hello".getBytes(UTF_8));
                    ByteBuffer received = ByteBuffer.allocate(5);
                    while (received.hasRemaining()) {
                        assertThat(channel.read(received)).isPositive();
                    }
                    assertThat(new String(received.array(), UTF_8)).isEqualTo("hello");
                }
                accepting.join();
            }
        }
    }

    @Test
    void aClosedChannelLeavesNothing() throws Exception {
        passed(SysInet.AF_INET, SysSocket.SOCK_STREAM).serverChannel().close();
        passed(SysInet.AF_INET, SysSocket.SOCK_DGRAM).datagramChannel().close();
        OpenDescriptors before = OpenDescriptors.now(); // with those that Java keeps for closes
        for (int i = 0; i < 3; i++) {
            passed(SysInet.AF_INET, SysSocket.SOCK_STREAM).serverChannel().close();
            passed(SysInet.AF_INET, SysSocket.SOCK_DGRAM).datagramChannel().close();
        }
        before.awaitSameNumber();
    }

    private interface Accept {
        SocketChannel run() throws IOException;
    }

    private static void complete(CompletableFuture<SocketChannel> accepted, Accept accept) {
        try {
            boolean _ = accepted.complete(accept.run());
        } catch (IOException e) {
            boolean _ = accepted.completeExceptionally(e);
        }
    }

    @Test
    void aTcpSocketIsSelected() throws Exception {
        ListenFds.Named passed = passed(SysInet.AF_INET, SysSocket.SOCK_STREAM);
        int port = passed.inetAddress().getPort();
        try (ServerSocketChannel server = passed.serverChannel();
                Selector selector = Selector.open()) {
            var _ = server.configureBlocking(false);
            SelectionKey key = server.register(selector, SelectionKey.OP_ACCEPT);
            assertThat(server.accept()).isNull();
            try (Socket _ = new Socket(LOOPBACK, port)) {
                assertThat(selector.select()).isEqualTo(1);
                assertThat(key.isAcceptable()).isTrue();
                server.accept().close();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aCloseEndsAnAccept(boolean virtual) throws Exception {
        ServerSocketChannel server = passed(SysInet.AF_INET, SysSocket.SOCK_STREAM).serverChannel();
        CompletableFuture<SocketChannel> accepted = new CompletableFuture<>();
        Thread accepting =
                (virtual ? Thread.ofVirtual() : Thread.ofPlatform())
                        .start(() -> complete(accepted, server::accept));
        server.close();
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(accepted::get)
                .withCauseInstanceOf(ClosedChannelException.class);
        accepting.join();
    }

    @ParameterizedTest
    @ValueSource(ints = {SysInet.AF_INET, SysInet.AF_INET6})
    void aUdpSocketReceivesAndReplies(int family) throws Exception {
        ListenFds.Named passed = passed(family, SysSocket.SOCK_DGRAM);
        InetSocketAddress address = new InetSocketAddress(LOOPBACK, passed.inetAddress().getPort());
        try (DatagramChannel server = passed.datagramChannel();
                DatagramChannel client = DatagramChannel.open()) {
            var _ = client.connect(address);
            assertThat(client.write(ByteBuffer.wrap(new byte[] {1, 2}))).isEqualTo(2);
            ByteBuffer message = ByteBuffer.allocate(10);
            var sender = server.receive(message);
            assertThat(message.position()).isEqualTo(2);
            assertThat(server.send(message.flip(), sender)).isEqualTo(2);
            assertThat(client.read(ByteBuffer.allocate(10))).isEqualTo(2);
        }
    }

    private static void isRefused(int errno, String advice, ThrowingCallable call) {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(call)
                .withMessageContaining(advice)
                .matches(e -> e.errno() == errno);
    }

    @Test
    void aSocketOfAnotherKindIsRefusedAndStaysOpen() throws Exception {
        ListenFds.Named tcp = passed(SysInet.AF_INET, SysSocket.SOCK_STREAM);
        ListenFds.Named udp = passed(SysInet.AF_INET, SysSocket.SOCK_DGRAM);
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        ListenFds.Named unix = new ListenFds.Named("unix", pair[0].fd());
        try (Fd first = tcp.fd();
                Fd second = udp.fd();
                UnixSocket end = pair[0];
                UnixSocket _ = pair[1];
                Socket client = new Socket(LOOPBACK, tcp.inetAddress().getPort());
                Fd connection = Fd.adopt(SysSocket.accept(first), "accept", first)) {
            isRefused(Errno.EPROTOTYPE, "UDP", tcp::datagramChannel);
            isRefused(Errno.EPROTOTYPE, "TCP", udp::serverChannel);
            isRefused(Errno.EAFNOSUPPORT, "UnixListener", unix::serverChannel);
            isRefused(Errno.EAFNOSUPPORT, "", unix::inetAddress);
            isRefused(
                    Errno.EINVAL, "FdChannel", new ListenFds.Named("x", connection)::serverChannel);
            assertThat(List.of(first, second, end.fd())).allMatch(Fd::isOpen);
            assertThat(client.isConnected()).isTrue();
        }
    }
}
