package io.holdfast.cli.bus;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Readiness;
import io.holdfast.core.file.TrustedFolder;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/**
 * Serves a daemon's counters in the OpenMetrics format on a socket file, by HTTP:
 *
 * <pre>{@code curl --unix-socket /run/holdfast/bus.metrics http://localhost/metrics}</pre>
 *
 * <p>The file is for the daemon's own user and root: the counters name processes. One request a
 * connection, {@value #AT_ONCE} connections at once; a client that sends no request within {@link
 * #PATIENCE} is disconnected.
 */
final class MetricsSocket implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger("io.holdfast.cli");

    static final Duration PATIENCE = Duration.ofSeconds(5);

    private static final int AT_ONCE = 8;
    private static final int BACKLOG = 16;
    private static final int FOR_OWNER = 0600;
    private static final int LONGEST_REQUEST = 8 << 10;
    private static final byte[] END = {'\r', '\n', '\r', '\n'};

    private final UnixListener listener;
    private final Supplier<String> counters;
    private final Semaphore room = new Semaphore(AT_ONCE);
    private final Thread acceptor;
    private volatile boolean closed;

    private MetricsSocket(UnixListener listener, Supplier<String> counters) {
        this.listener = listener;
        this.counters = counters;
        this.acceptor = Thread.ofVirtual().name("holdfast-metrics").unstarted(this::accept);
    }

    /**
     * Listens, and answers from then on.
     *
     * @param counters gives the text for each request; called by threads of this
     * @throws ErrnoException EADDRINUSE, EACCES, ENOENT (no such folder)
     */
    static MetricsSocket listen(Path path, Supplier<String> counters) {
        Path file = path.toAbsolutePath();
        TrustedFolder.requireForSocket(file.resolveSibling(""));
        MetricsSocket socket =
                new MetricsSocket(
                        UnixListener.listen(
                                UnixAddress.path(file), SocketType.STREAM, BACKLOG, FOR_OWNER),
                        counters);
        socket.acceptor.start();
        return socket;
    }

    private void accept() {
        try {
            while (true) {
                room.acquire();
                UnixSocket client = listener.accept();
                var _ = Thread.ofVirtual().start(() -> serve(client));
            }
        } catch (InterruptedException e) {
            // it is closed
        } catch (ErrnoException | IllegalStateException e) {
            if (!closed) {
                LOG.log(Level.WARNING, "metrics socket: no longer served: {0}", e.toString());
            }
        }
    }

    private void serve(UnixSocket client) {
        try (client) {
            String request = request(client);
            if (request.startsWith("GET ") || request.startsWith("HEAD ")) {
                byte[] body = counters.get().getBytes(StandardCharsets.UTF_8);
                answer(
                        client,
                        "200 OK",
                        "application/openmetrics-text; version=1.0.0; charset=utf-8",
                        body,
                        request.startsWith("GET "));
            } else if (!request.isEmpty()) {
                answer(client, "405 Method Not Allowed", "text/plain", new byte[0], true);
            }
        } catch (ErrnoException | IOException | IllegalStateException e) {
            // the client has gone, or the daemon ends
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            room.release();
        }
    }

    /** The head of a request; empty if none comes in time, or none that ends. */
    private static String request(UnixSocket client) throws InterruptedException {
        byte[] bytes = new byte[LONGEST_REQUEST];
        ByteBuffer head = ByteBuffer.wrap(bytes);
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!hasEnd(bytes, head.position())) {
            Duration left = Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
            if (!head.hasRemaining()
                    || Readiness.await(client.fd(), Readiness.IN, left) == Readiness.NONE
                    || client.tryReceive(head) == UnixSocket.END) {
                return "";
            }
        }
        return new String(bytes, 0, head.position(), StandardCharsets.US_ASCII);
    }

    private static boolean hasEnd(byte[] bytes, int length) {
        return length >= END.length
                && Arrays.equals(bytes, length - END.length, length, END, 0, END.length);
    }

    private static void answer(
            UnixSocket client, String status, String type, byte[] body, boolean withBody)
            throws IOException {
        String head =
                "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
                        .formatted(status, type, body.length);
        OutputStream out = client.outputStream();
        out.write(head.getBytes(StandardCharsets.US_ASCII));
        if (withBody) {
            out.write(body);
        }
        out.flush();
    }

    /** Stops listening and removes the file. */
    @Override
    public void close() {
        closed = true;
        acceptor.interrupt();
        listener.close();
    }
}
