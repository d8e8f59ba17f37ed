package io.holdfast.core.testkit;

import io.holdfast.core.Fd;
import io.holdfast.core.process.PidFd;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A TCP socket whose last close(2) takes two minutes: it lingers (SO_LINGER), and the other end
 * never takes its data. Any user can make one and send it to a daemon.
 */
public final class LingeringSocket implements AutoCloseable {
    private static final int LINGER_SECONDS = 120;

    private final ServerSocketChannel server;
    private final SocketChannel deaf;
    private final Fd fd;
    private Thread closing = new Thread();

    private LingeringSocket(ServerSocketChannel server, SocketChannel deaf, Fd fd) {
        this.server = server;
        this.deaf = deaf;
        this.fd = fd;
    }

    /** Makes one, with a single descriptor. */
    public static LingeringSocket make() throws IOException {
        ServerSocketChannel server = ServerSocketChannel.open();
        server.setOption(StandardSocketOptions.SO_RCVBUF, 4096);
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        try (SocketChannel client = SocketChannel.open(server.getLocalAddress())) {
            SocketChannel deaf = server.accept();
            client.configureBlocking(false);
            client.setOption(StandardSocketOptions.SO_LINGER, LINGER_SECONDS);
            client.setOption(StandardSocketOptions.SO_SNDBUF, 4096);
            while (client.write(ByteBuffer.allocate(1 << 16)) > 0) {
                // until nothing more fits
            }
            return new LingeringSocket(server, deaf, descriptorOf(client));
        }
    }

    /** Connections of others may have the port of one end, but not those of both. */
    private static Fd descriptorOf(SocketChannel client) throws IOException {
        String ends = suffix(client.getLocalAddress()) + suffix(client.getRemoteAddress());
        try (Stream<String> lines = Stream.of("tcp", "tcp6").flatMap(LingeringSocket::sockets);
                Stream<Path> open = Files.list(Path.of("/proc/self/fd"));
                PidFd self = PidFd.self()) {
            Set<String> sockets =
                    lines.map(line -> line.strip().split("\\s+"))
                            .filter(fields -> (port(fields[1]) + port(fields[2])).equals(ends))
                            .map(fields -> "socket:[" + fields[9] + "]")
                            .collect(Collectors.toSet());
            for (Path one : open.toList()) {
                if (sockets.contains(target(one))) {
                    return self.getFd(Integer.parseInt(one.getFileName().toString()));
                }
            }
        }
        throw new AssertionError("no descriptor of " + client);
    }

    private static String suffix(SocketAddress end) {
        return ":%04X".formatted(((InetSocketAddress) end).getPort());
    }

    private static String port(String end) {
        return end.substring(end.lastIndexOf(':'));
    }

    private static Stream<String> sockets(String table) {
        try {
            return Files.readAllLines(Path.of("/proc/self/net/" + table)).stream().skip(1);
        } catch (IOException e) {
            return Stream.empty();
        }
    }

    private static String target(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException e) {
            return ""; // closed meanwhile
        }
    }

    /** Its descriptor, to be sent. */
    public Fd fd() {
        return fd;
    }

    /**
     * Closes our descriptor on a thread of its own: if it is the last, that thread waits. Whoever
     * has been sent the socket may be the last, too.
     */
    public void startClose() {
        closing = Thread.ofPlatform().name("close").start(fd::close);
    }

    /** Resets the connection: a close that waits returns. */
    public void end() throws IOException {
        if (deaf.isOpen()) {
            deaf.setOption(StandardSocketOptions.SO_LINGER, 0);
            deaf.close();
        }
    }

    @Override
    public void close() throws IOException {
        end();
        server.close();
        try {
            closing.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        fd.close();
    }
}
