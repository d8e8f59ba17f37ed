package io.holdfast.authority.agent;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.time.Duration;

/** A link with fixed input, which records its output. */
final class MemoryLink implements ByteLink {
    private final ByteBuffer in;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    MemoryLink(byte[] in) {
        this.in = ByteBuffer.wrap(in);
    }

    MemoryLink(String in) {
        this(in.getBytes(ISO_8859_1));
    }

    @Override
    public int read(ByteBuffer into, Duration limit) {
        int n = Math.min(into.remaining(), in.remaining());
        if (n == 0) {
            return END;
        }
        into.put(in.slice(in.position(), n));
        in.position(in.position() + n);
        return n;
    }

    @Override
    public void write(ByteBuffer from, Duration limit) {
        while (from.hasRemaining()) {
            out.write(from.get());
        }
    }

    String written() {
        return out.toString(ISO_8859_1);
    }

    /** Returns the input that has not been read. */
    String unread() {
        return ISO_8859_1.decode(in.duplicate()).toString();
    }
}
