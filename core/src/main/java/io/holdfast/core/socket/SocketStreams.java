package io.holdfast.core.socket;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.sys.SysIoctl;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;

/** The streams of a socket. */
final class SocketStreams {
    private SocketStreams() {}

    /** A call whose exceptions are translated to those of java.io. */
    private interface Call {
        int run() throws InterruptedException;
    }

    private static int io(Call call) throws IOException {
        try {
            return call.run();
        } catch (ErrnoException | IllegalStateException e) {
            throw new IOException(e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException();
        }
    }

    static final class In extends InputStream {
        private final UnixSocket socket;

        In(UnixSocket socket) {
            this.socket = socket;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            return io(() -> socket.receive(ByteBuffer.wrap(into, offset, length)));
        }

        @Override
        public int available() throws IOException {
            return io(() -> Math.max(0, SysIoctl.readable(socket.fd())));
        }
    }

    static final class Out extends OutputStream {
        private final UnixSocket socket;

        Out(UnixSocket socket) {
            this.socket = socket;
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] from, int offset, int length) throws IOException {
            int ignored =
                    io(() -> {
                        socket.sendFully(ByteBuffer.wrap(from, offset, length));
                        return length;
                    });
        }
    }
}
