package io.holdfast.authority.agent;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Readiness;
import io.holdfast.core.socket.UnixSocket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * A link over a connected socket. Bytes that are read into a direct buffer are copied there by the
 * kernel, and to no other memory.
 */
record SocketLink(UnixSocket socket) implements ByteLink {
    @Override
    public int read(ByteBuffer into, Duration limit) throws IOException, InterruptedException {
        long deadline = deadline(limit);
        try {
            int n = socket.tryReceive(into);
            while (n == UnixSocket.WOULD_BLOCK) {
                await(Readiness.IN, deadline, limit, "nothing was received");
                n = socket.tryReceive(into);
            }
            return n == UnixSocket.END ? END : n;
        } catch (ErrnoException | IllegalStateException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    @Override
    public void write(ByteBuffer from, Duration limit) throws IOException, InterruptedException {
        long deadline = deadline(limit);
        try {
            while (from.hasRemaining()) {
                if (socket.trySend(from) == UnixSocket.WOULD_BLOCK) {
                    await(Readiness.OUT, deadline, limit, "nothing was read");
                }
            }
        } catch (ErrnoException | IllegalStateException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private static long deadline(Duration limit) {
        return System.nanoTime() + Math.min(Readiness.nanos(limit), Long.MAX_VALUE / 2);
    }

    private void await(int events, long deadline, Duration limit, String what)
            throws IOException, InterruptedException {
        long left = deadline - System.nanoTime();
        if (left <= 0
                || Readiness.await(socket.fd(), events, Duration.ofNanos(left)) == Readiness.NONE) {
            throw new IOException(what + " within " + limit.toMillis() + " ms");
        }
    }
}
