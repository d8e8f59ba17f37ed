package io.holdfast.bus.relay;

import io.holdfast.core.Fd;
import io.holdfast.core.wait.FdCloser;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Descriptors that came from one connection and belong to a message that is not handled yet. Linux
 * ends a read behind the bytes that carried descriptors, so they belong to the message with the
 * last byte of that read. Descriptors that this message does not take are closed: none ever moves
 * on to a later message.
 *
 * <p>Bytes are counted from the first of the connection.
 */
public final class ReceivedFds implements AutoCloseable {
    /** The descriptors of one read; its last byte was the one before {@code end}. */
    private record Batch(long end, List<Fd> fds) {}

    private final ArrayDeque<Batch> batches = new ArrayDeque<>(0);
    private final FdCloser<Long> closer;
    private final long user;
    private int count;

    /**
     * @param user the uid of the connection
     */
    public ReceivedFds(FdCloser<Long> closer, long user) {
        this.closer = closer;
        this.user = user;
    }

    public boolean isEmpty() {
        return count == 0;
    }

    /** Returns how many descriptors wait. */
    public int size() {
        return count;
    }

    public void add(long end, List<Fd> fds) {
        batches.addLast(new Batch(end, fds));
        count += fds.size();
    }

    /**
     * Takes the descriptors of the message with these bytes.
     *
     * @return as many as wanted, or null if fewer came
     */
    @Nullable
    public List<Fd> take(long first, long end, int wanted) {
        List<Fd> taken = new ArrayList<>(wanted);
        while (taken.size() < wanted) {
            Batch batch = batches.peekFirst();
            if (batch == null || batch.end <= first || batch.end > end) {
                closer.close(user, taken);
                return null;
            }
            batches.removeFirst();
            count -= batch.fds.size();
            for (Fd fd : batch.fds) {
                if (taken.size() < wanted) {
                    taken.add(fd);
                } else {
                    closer.close(user, fd);
                }
            }
        }
        return taken;
    }

    /** Closes the descriptors that came with bytes before {@code end} and were not taken. */
    public void passed(long end) {
        for (Batch batch = batches.peekFirst();
                batch != null && batch.end <= end;
                batch = batches.peekFirst()) {
            batches.removeFirst();
            count -= batch.fds.size();
            closer.close(user, batch.fds);
        }
    }

    @Override
    public void close() {
        passed(Long.MAX_VALUE);
    }
}
