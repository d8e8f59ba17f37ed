package io.holdfast.varlink.wire;

import io.holdfast.core.limit.Charge;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a stream of bytes into frames, each ended by a NUL. Bytes are put into {@link #space()} as
 * they come; each is looked at once, however small the pieces.
 *
 * <p>Not thread-safe.
 */
public final class FrameDecoder {
    /** Bytes asked of the stream at once. */
    public static final int CHUNK = 16 << 10;

    private static final byte END = 0;

    private final int maxFrame;
    private final Charge<?> held;
    private byte[] buffer = new byte[CHUNK];

    /** The frame under way begins here; everything before has been given out. */
    private int start;

    /** No NUL lies between {@link #start} and here. */
    private int scanned;

    /** Bytes that have come end here. */
    private int end;

    /**
     * @param maxFrame bytes of the longest frame, without its NUL
     * @param held where memory beyond the first {@link #CHUNK} is counted
     */
    FrameDecoder(int maxFrame, Charge<?> held) {
        this.maxFrame = maxFrame;
        this.held = held;
    }

    /**
     * Room for the bytes that come next, at least one; {@link #received} tells how many came.
     *
     * @throws MalformedMessageException if so long a frame cannot be held
     */
    ByteBuffer space() throws MalformedMessageException {
        if (start == end) {
            start = scanned = end = 0;
            if (buffer.length > CHUNK) {
                held.shrink(buffer.length - CHUNK);
                buffer = new byte[CHUNK];
            }
        } else if (end == buffer.length) {
            makeRoom();
        }
        return ByteBuffer.wrap(buffer, end, Math.min(buffer.length - end, CHUNK));
    }

    private void makeRoom() throws MalformedMessageException {
        int pending = end - start;
        // Moving at most half, else doubling, keeps the copying in proportion to the bytes.
        byte[] roomy = pending <= buffer.length / 2 ? buffer : grown();
        System.arraycopy(buffer, start, roomy, 0, pending);
        buffer = roomy;
        scanned -= start;
        start = 0;
        end = pending;
    }

    private byte[] grown() throws MalformedMessageException {
        int size = buffer.length;
        int doubled = (int) Math.min(2L * size, Math.max(size + 1L, maxFrame + 1L));
        if (!held.grow(doubled - size)) {
            throw new MalformedMessageException("the message has no room: " + held.refusal());
        }
        return new byte[doubled];
    }

    /**
     * Takes over what was put into {@link #space()}.
     *
     * @return NULs that came, without one at the very end: how many frames after the one under way
     *     the last byte belongs to
     */
    int received(int count) {
        int complete = 0;
        for (int i = end; i < end + count - 1; i++) {
            if (buffer[i] == END) {
                complete++;
            }
        }
        end += count;
        return complete;
    }

    /**
     * The next whole frame without its NUL, or null if more bytes are needed; its bytes are valid
     * until {@link #space()} is called.
     *
     * @throws MalformedMessageException if the frame is longer than the limit
     */
    @Nullable ByteBuffer next() throws MalformedMessageException {
        while (scanned < end && buffer[scanned] != END) {
            scanned++;
        }
        int length = scanned - start;
        if (length > maxFrame) {
            throw new MalformedMessageException(
                    "the message is longer than the limit of " + maxFrame + " bytes");
        }
        if (scanned == end) {
            return null;
        }
        ByteBuffer frame = ByteBuffer.wrap(buffer, start, length);
        scanned++;
        start = scanned;
        return frame;
    }

    /** Whether the stream stands between two frames. */
    boolean isBetweenFrames() {
        return start == end;
    }
}
