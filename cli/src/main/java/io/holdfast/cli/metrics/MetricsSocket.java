package io.holdfast.cli.metrics;

import io.holdfast.cli.command.Grammar;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Readiness;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ParseResult;

/**
 * Serves a daemon's counters in the OpenMetrics format over HTTP on a socket file:
 *
 * <pre>{@code curl --unix-socket /run/holdfast/bus.metrics http://localhost/metrics}</pre>
 *
 * <p>Only the daemon's user and root may connect, because the counters name processes. Each
 * connection serves one request, and at most {@value #AT_ONCE} connections are served at once. A
 * client that does not send its request or read the answer within {@link #TIMEOUT} is disconnected.
 * The daemon's loop accepts connections, and a virtual thread serves each client, so that a daemon
 * without clients starts no thread for this.
 *
 * @param <M> the type of the counters
 */
public final class MetricsSocket<M> implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger("io.holdfast.cli");

    /**
     * The time limit for each of: receiving the request, collecting the counters, sending the
     * answer.
     */
    static final Duration TIMEOUT = Duration.ofSeconds(5);

    /** How long accepting pauses after an error, such as EMFILE. */
    private static final Duration PAUSE = Duration.ofSeconds(1);

    private static final String OPTION = "--metrics";
    private static final String TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    private static final int AT_ONCE = 8;
    private static final int BACKLOG = 16;
    private static final int FOR_OWNER = 0600;
    private static final int LONGEST_REQUEST = 8 << 10;
    private static final byte[] END = {'\r', '\n', '\r', '\n'};

    private final EventLoop loop;
    private final UnixListener listener;
    private final Supplier<CompletableFuture<M>> counters;
    private final Function<M, String> text;
    private final EventLoop.Watch watch;
    private int serving; // used on the loop only

    private MetricsSocket(
            EventLoop loop,
            UnixListener listener,
            Supplier<CompletableFuture<M>> counters,
            Function<M, String> text) {
        this.loop = loop;
        this.listener = listener;
        this.counters = counters;
        this.text = text;
        this.watch = loop.watch(listener.fd(), Readiness.IN, _ -> accept());
    }

    /**
     * Returns the option of a daemon that names the socket.
     *
     * @param what describes the counters in the help
     */
    public static Consumer<Grammar> option(String what) {
        return grammar ->
                grammar.option(
                        OPTION + " PATH",
                        "Serve "
                                + what
                                + " on the socket PATH, as OpenMetrics over HTTP, for root and the"
                                + " daemon's user: curl --unix-socket PATH"
                                + " http://localhost/metrics");
    }

    /**
     * Listens on the socket that the option names.
     *
     * @return null if the option is not given
     * @throws ErrnoException as {@link #listen}
     */
    public static <M> @Nullable MetricsSocket<M> of(
            ParseResult line,
            EventLoop loop,
            Supplier<CompletableFuture<M>> counters,
            Function<M, String> text) {
        String path = line.matchedOptionValue(OPTION, null);
        return path == null ? null : listen(Path.of(path), loop, counters, text);
    }

    /**
     * Listens, and answers requests while the loop runs.
     *
     * @param loop the daemon's loop; it must not be running yet, or this method must be called on
     *     it
     * @param counters returns the counters for each request; called on threads of this object
     * @param text formats the counters
     * @throws ErrnoException EADDRINUSE, EACCES, ENOENT (no such folder)
     */
    static <M> MetricsSocket<M> listen(
            Path path,
            EventLoop loop,
            Supplier<CompletableFuture<M>> counters,
            Function<M, String> text) {
        Path file = path.toAbsolutePath();
        TrustedFolder.requireForSocket(file.resolveSibling(""));
        return new MetricsSocket<>(
                loop,
                UnixListener.listen(UnixAddress.path(file), SocketType.STREAM, BACKLOG, FOR_OWNER),
                counters,
                text);
    }

    // ---- on the loop

    private void accept() {
        try {
            while (serving < AT_ONCE) {
                Optional<UnixSocket> client = listener.tryAccept();
                if (client.isEmpty()) {
                    return;
                }
                serving++;
                var _ = Thread.ofVirtual().start(() -> serve(client.get()));
            }
            watch.events(0); // until a client is served
        } catch (ErrnoException e) {
            LOG.log(Level.WARNING, "metrics socket: accept failed, retrying: {0}", e.toString());
            watch.events(0);
            EventLoop.Timer _ = loop.after(PAUSE, () -> watch.events(Readiness.IN));
        }
    }

    private void served() {
        serving--;
        watch.events(Readiness.IN);
    }

    // ---- on a thread for each client

    private void serve(UnixSocket client) {
        try (client) {
            String request = request(client);
            if (request.startsWith("GET ") || request.startsWith("HEAD ")) {
                answer(client, request.startsWith("GET "));
            } else if (!request.isEmpty()) {
                answer(client, "405 Method Not Allowed", "text/plain", new byte[0], true);
            }
        } catch (ErrnoException | IllegalStateException e) {
            // the client has disconnected, or the daemon ends
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            loop.postEnding(this::served);
        }
    }

    /** Receives the head of a request; empty if it does not arrive in time, or is too long. */
    private static String request(UnixSocket client) throws InterruptedException {
        byte[] bytes = new byte[LONGEST_REQUEST];
        ByteBuffer head = ByteBuffer.wrap(bytes);
        long deadline = deadline();
        while (!hasEnd(bytes, head.position())) {
            if (!head.hasRemaining()
                    || Readiness.await(client.fd(), Readiness.IN, until(deadline)) == Readiness.NONE
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

    private void answer(UnixSocket client, boolean withBody) throws InterruptedException {
        try {
            M counted = counters.get().get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
            byte[] body = text.apply(counted).getBytes(StandardCharsets.UTF_8);
            answer(client, "200 OK", TYPE, body, withBody);
        } catch (TimeoutException
                | ExecutionException
                | RejectedExecutionException e) { // the daemon is busy, or ends
            answer(client, "503 Service Unavailable", "text/plain", new byte[0], true);
        }
    }

    private static void answer(
            UnixSocket client, String status, String type, byte[] body, boolean withBody)
            throws InterruptedException {
        String head =
                "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
                        .formatted(status, type, body.length);
        long deadline = deadline();
        send(client, head.getBytes(StandardCharsets.US_ASCII), deadline);
        if (withBody) {
            send(client, body, deadline);
        }
    }

    /** Sends all bytes, or as many as the client reads in time. */
    private static void send(UnixSocket client, byte[] bytes, long deadline)
            throws InterruptedException {
        ByteBuffer remaining = ByteBuffer.wrap(bytes);
        while (remaining.hasRemaining()) {
            if (client.trySend(remaining) == UnixSocket.WOULD_BLOCK
                    && Readiness.await(client.fd(), Readiness.OUT, until(deadline))
                            == Readiness.NONE) {
                return;
            }
        }
    }

    private static long deadline() {
        return System.nanoTime() + TIMEOUT.toNanos();
    }

    private static Duration until(long deadline) {
        return Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
    }

    /** Stops listening and removes the file. Call it on the loop, or when the loop does not run. */
    @Override
    public void close() {
        boolean _ = watch.cancel();
        listener.close();
    }
}
