package io.holdfast.bus.relay;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;

/**
 * Native memory for messages that wait to be sent or completed, pooled by size. Only for the bus's
 * thread. Idle memory beyond a small reserve is returned to the system.
 */
public final class Buffers implements AutoCloseable {
    /** The size of most buffers: for many small messages, or one of common size. */
    static final int SMALLEST = 64 << 10;

    private static final int POOLED_SIZES = 5; // 64 KiB to 1 MiB
    private static final int KEPT = 16; // of each size, idle

    /** A piece of native memory and the arena that frees it. */
    public static final class Buffer {
        public final MemorySegment memory;
        private final Arena arena; // closed when the buffer is given back

        @SuppressWarnings("MustBeClosedChecker")
        private Buffer(long size) {
            arena = Arena.ofConfined();
            memory = arena.allocate(size, 8);
        }

        public int size() {
            return (int) memory.byteSize();
        }
    }

    private final ArrayDeque<Buffer>[] idle;
    private long inUse;

    public Buffers() {
        @SuppressWarnings({"unchecked", "rawtypes"})
        ArrayDeque<Buffer>[] queues = new ArrayDeque[POOLED_SIZES];
        for (int i = 0; i < POOLED_SIZES; i++) {
            queues[i] = new ArrayDeque<>(KEPT);
        }
        idle = queues;
    }

    /** Returns a buffer of at least that many bytes, with any content. */
    public Buffer take(int atLeast) {
        int sizeClass = sizeClass(atLeast);
        Buffer pooled = sizeClass < POOLED_SIZES ? idle[sizeClass].pollLast() : null;
        Buffer buffer =
                pooled != null
                        ? pooled
                        : new Buffer(
                                sizeClass < POOLED_SIZES
                                        ? (long) SMALLEST << sizeClass
                                        : atLeast + 7L & -8);
        inUse += buffer.size();
        return buffer;
    }

    public void release(Buffer buffer) {
        inUse -= buffer.size();
        int sizeClass = sizeClass(buffer.size());
        if (sizeClass < POOLED_SIZES && idle[sizeClass].size() < KEPT >> sizeClass) {
            idle[sizeClass].addLast(buffer);
        } else {
            buffer.arena.close();
        }
    }

    /** Returns the bytes of all buffers in use. */
    public long inUse() {
        return inUse;
    }

    private static int sizeClass(int size) {
        return size <= SMALLEST ? 0 : 32 - Integer.numberOfLeadingZeros((size - 1) / SMALLEST);
    }

    /** Frees the idle buffers; those in use must be released before. */
    @Override
    public void close() {
        for (ArrayDeque<Buffer> queue : idle) {
            queue.forEach(buffer -> buffer.arena.close());
            queue.clear();
        }
    }
}
