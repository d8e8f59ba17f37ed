package io.holdfast.varlink.wire;

import io.holdfast.core.limit.Charge;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Splits a stream of bytes into frames, each ended by a NUL. The caller puts received bytes into
 * {@link #space()}; each byte is scanned once, however small the pieces.
 *
 * <p>Not thread-safe.
 */
public final class FrameDecoder {
    /** The greatest number of bytes that are read at once. */
    public static final int CHUNK = 16 << 10;

    private static final byte END = 0;

    private final int maxFrame;
    private final Charge<?> held;
    private byte[] buffer = new byte[CHUNK];

    /** The start of the current frame; all frames before it have been returned. */
    private int start;

    /** The end of the scanned bytes: no NUL lies between {@link #start} and here. */
    private int scanned;

    /** The end of the received bytes. */
    private int end;

    /**
     * @param maxFrame the length of the longest frame, without its NUL
     * @param held charged for the memory beyond the first {@link #CHUNK}
     */
    FrameDecoder(int maxFrame, Charge<?> held) {
        this.maxFrame = maxFrame;
        this.held = held;
    }

    /**
     * Returns room for the next bytes, at least one; the caller then reports their number to {@link
     * #received}.
     *
     * @throws MalformedMessageException if there is no memory for so long a frame
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
        // Moving at most half of the buffer, else doubling it, keeps the copying proportional to
        // the bytes.
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
     * Takes over the bytes that were put into {@link #space()}.
     *
     * @return the number of NULs received, without one at the very end: so many frames behind the
     *     current one is the frame of the last byte
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
     * Returns the next whole frame without its NUL, or null if more bytes are needed; its bytes are
     * valid until {@link #space()} is called.
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

    /** Returns whether no frame is partly received. */
    boolean isBetweenFrames() {
        return start == end;
    }
}
