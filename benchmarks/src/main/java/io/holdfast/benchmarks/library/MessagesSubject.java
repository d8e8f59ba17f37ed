package io.holdfast.benchmarks.library;

import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** The connections of {@link MessagesRow}. */
final class MessagesSubject {
    private static final int SIZE = 1024;

    private MessagesSubject() {}

    /** One end of a stream, of Holdfast or java.nio. */
    private interface End extends AutoCloseable {
        int read(ByteBuffer into) throws IOException, InterruptedException;

        int write(ByteBuffer from) throws IOException, InterruptedException;

        @Override
        void close() throws IOException;

        /** Receives exactly one message. */
        default void receive(ByteBuffer message) throws IOException, InterruptedException {
            message.clear();
            while (message.hasRemaining()) {
                if (read(message) < 0) {
                    throw new EOFException();
                }
            }
        }

        default void send(ByteBuffer message) throws IOException, InterruptedException {
            message.clear();
            while (message.hasRemaining()) {
                int ignored = write(message);
            }
        }
    }

    private record Held(UnixSocket socket) implements End {
        @Override
        public int read(ByteBuffer into) throws InterruptedException {
            return socket.receive(into);
        }

        @Override
        public int write(ByteBuffer from) throws InterruptedException {
            return socket.send(from);
        }

        @Override
        public void close() {
            socket.close();
        }
    }

    private record Nio(SocketChannel channel) implements End {
        @Override
        public int read(ByteBuffer into) throws IOException {
            return channel.read(into);
        }

        @Override
        public int write(ByteBuffer from) throws IOException {
            return channel.write(from);
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    /** Accepts one connection, and serves it until it ends. */
    private interface Server {
        void serve() throws IOException, InterruptedException;
    }

    private interface Connector {
        End connect() throws IOException, InterruptedException;
    }

    static String run(boolean held, boolean request, boolean virtual, boolean direct, int n)
            throws IOException, InterruptedException, ExecutionException {
        Path folder = Files.createTempDirectory("holdfast-bench");
        Path path = folder.resolve("socket");
        try {
            return held
                    ? overHeld(path, request, virtual, direct, n)
                    : overNio(path, request, virtual, direct, n);
        } finally {
            boolean ignored = Files.deleteIfExists(path);
            Files.delete(folder);
        }
    }

    private static String overHeld(
            Path path, boolean request, boolean virtual, boolean direct, int n)
            throws InterruptedException, ExecutionException {
        UnixAddress address = UnixAddress.path(path);
        try (UnixListener listener = UnixListener.listen(address, SocketType.STREAM, 1)) {
            return time(
                    virtual,
                    () -> {
                        try (UnixSocket socket = listener.accept();
                                Peer peer = socket.peer()) {
                            if (!(peer instanceof Peer.Held)) {
                                throw new IOException("the peer is not held: " + peer);
                            }
                            serve(new Held(socket), request, direct, n);
                        }
                    },
                    () -> new Held(UnixSocket.connect(address, SocketType.STREAM)),
                    request,
                    direct,
                    n);
        }
    }

    private static String overNio(
            Path path, boolean request, boolean virtual, boolean direct, int n)
            throws IOException, InterruptedException, ExecutionException {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(path);
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            ServerSocketChannel bound = listener.bind(address, 1);
            return time(
                    virtual,
                    () -> {
                        try (SocketChannel channel = bound.accept()) {
                            serve(new Nio(channel), request, direct, n);
                        }
                    },
                    () -> new Nio(SocketChannel.open(address)),
                    request,
                    direct,
                    n);
        }
    }

    private static String time(
            boolean virtual,
            Server server,
            Connector connector,
            boolean request,
            boolean direct,
            int n)
            throws InterruptedException, ExecutionException {
        FutureTask<Boolean> serving =
                new FutureTask<>(() -> {
                    server.serve();
                    return true;
                });
        FutureTask<Boolean> sending =
                new FutureTask<>(() -> {
                    try (End end = connector.connect()) {
                        sendAll(end, request, direct, n);
                    }
                    return true;
                });
        Thread.Builder threads = virtual ? Thread.ofVirtual() : Thread.ofPlatform();
        long begin = System.nanoTime();
        Thread _ = threads.start(serving);
        Thread _ = threads.start(sending);
        if (!sending.get() || !serving.get()) {
            throw new IllegalStateException();
        }
        return Long.toString(System.nanoTime() - begin);
    }

    private static void serve(End end, boolean request, boolean direct, int n)
            throws IOException, InterruptedException {
        ByteBuffer message = buffer(direct);
        for (int i = 0; i < n; i++) {
            end.receive(message);
            if (message.getInt(0) != i) {
                throw new IOException("message " + i + " is " + message.getInt(0));
            }
            if (request) {
                end.send(message);
            }
        }
    }

    private static void sendAll(End end, boolean request, boolean direct, int n)
            throws IOException, InterruptedException {
        ByteBuffer message = buffer(direct);
        for (int i = 0; i < n; i++) {
            message.putInt(0, i);
            end.send(message);
            if (request) {
                end.receive(message);
            }
        }
    }

    private static ByteBuffer buffer(boolean direct) {
        return direct ? ByteBuffer.allocateDirect(SIZE) : ByteBuffer.allocate(SIZE);
    }
}
