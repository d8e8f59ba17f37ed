package io.holdfast.core.socket;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.Fd;
import io.holdfast.core.sys.Unistd;
import java.nio.ByteBuffer;

/** Converts texts to buffers and back. */
final class Messages {
    private static final int ROOM = 1024;

    private Messages() {}

    static ByteBuffer of(String text) {
        return ByteBuffer.wrap(text.getBytes(UTF_8));
    }

    /** Returns the text that a receive has put into the buffer. */
    static String text(ByteBuffer received) {
        byte[] bytes = new byte[received.position()];
        received.get(0, bytes);
        return new String(bytes, UTF_8);
    }

    /** Receives once. */
    static String receive(UnixSocket socket) throws InterruptedException {
        ByteBuffer room = ByteBuffer.allocate(ROOM);
        int n = socket.receive(room);
        return n == UnixSocket.END ? "(end)" : text(room);
    }

    /** Receives once, with the ancillary data. */
    static String receive(UnixSocket socket, Ancillary ancillary) throws InterruptedException {
        ByteBuffer room = ByteBuffer.allocate(ROOM);
        int n = socket.receive(room, ancillary);
        return n == UnixSocket.END ? "(end)" : text(room);
    }

    /** Returns the read end of a pipe that holds a text, and whose write end is closed. */
    static Fd pipeWith(String text) {
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd out = pipe[1]) {
            byte[] bytes = text.getBytes(UTF_8);
            int n = Unistd.write(out, bytes, 0, bytes.length);
            if (n != bytes.length) {
                throw new AssertionError("wrote " + n);
            }
        }
        return pipe[0];
    }

    /** Reads a descriptor to its end. */
    static String textOf(Fd pipe) {
        byte[] bytes = new byte[ROOM];
        int n = Unistd.read(pipe, bytes, 0, bytes.length);
        return n < 0 ? "errno " + -n : new String(bytes, 0, n, UTF_8);
    }
}
