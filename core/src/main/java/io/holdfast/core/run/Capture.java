package io.holdfast.core.run;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * A sink that keeps the bytes of a stream up to a limit: the first bytes, the last bytes, or all,
 * failing beyond the limit.
 */
final class Capture implements Sink {
    private static final int CHUNK = 64 << 10; // once the stream has turned out not to be short
    private static final int LARGE_CHUNK = 1 << 20;

    private final String stream;
    private final String remedy;
    private final long limit;
    private final Overflow overflow;
    private final Deque<byte[]> full = new ArrayDeque<>();
    private byte[] chunk = new byte[0]; // the chunk that is being filled
    private int used; // bytes of the chunk
    private long kept;
    private long dropped;

    /**
     * @param stream the name of the stream, for people
     * @param remedy how to raise the limit, for people
     */
    Capture(String stream, String remedy, long limit, Overflow overflow) {
        this.stream = stream;
        this.remedy = remedy;
        this.limit = limit;
        this.overflow = overflow;
    }

    @Override
    public void take(byte[] bytes, int length) {
        int taken = length;
        if (overflow != Overflow.KEEP_LAST && length > limit - kept) {
            taken = (int) (limit - kept);
            dropped += length - taken;
        }
        append(bytes, taken);
        if (overflow == Overflow.FAIL && dropped > 0) {
            throw new RunFailedException(
                    stream + ": it has more than " + limit + " bytes; " + remedy, (RunResult) null);
        }
        if (overflow == Overflow.KEEP_LAST) {
            dropWholeChunks();
        }
    }

    private void append(byte[] bytes, int length) {
        int from = 0;
        while (from < length) {
            if (used == chunk.length) {
                next(length - from);
            }
            int n = Math.min(length - from, chunk.length - used);
            System.arraycopy(bytes, from, chunk, used, n);
            used += n;
            from += n;
        }
        kept += length;
    }

    /**
     * Begins a new chunk. The first chunk is as large as the first read, so a short output needs
     * only one.
     */
    private void next(int atLeast) {
        if (used > 0) {
            full.add(chunk);
        }
        int size = kept == 0 ? atLeast : kept < LARGE_CHUNK ? CHUNK : LARGE_CHUNK;
        chunk = new byte[size];
        used = 0;
    }

    private void dropWholeChunks() {
        for (byte[] first = full.peek();
                first != null && kept - first.length >= limit;
                first = full.peek()) {
            byte[] _ = full.remove();
            kept -= first.length;
            dropped += first.length;
        }
    }

    @Override
    public Captured end() {
        int surplus = (int) Math.max(0, kept - limit); // bytes of the oldest chunk
        if (surplus == 0 && full.isEmpty() && used == chunk.length) {
            return new Captured(chunk, dropped);
        }
        byte[] all = new byte[(int) kept - surplus];
        int skip = surplus;
        int at = 0;
        for (byte[] each = full.poll(); each != null; each = full.poll()) {
            int n = each.length - skip;
            System.arraycopy(each, skip, all, at, n);
            at += n;
            skip = 0;
        }
        System.arraycopy(chunk, skip, all, at, used - skip);
        return new Captured(all, dropped + surplus);
    }
}
