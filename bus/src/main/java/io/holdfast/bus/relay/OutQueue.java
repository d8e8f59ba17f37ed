package io.holdfast.bus.relay;

import io.holdfast.bus.account.Quota.Share;
import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.socket.SysSocket;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The messages that one connection has not received yet. Small messages lie one behind the other
 * and leave in one call; a message with descriptors leaves in a call of its own, the descriptors
 * with its first byte.
 *
 * <p>Every byte is charged to a share: the queue keeps runs of bytes with their share, and reports
 * when they have left.
 */
public final class OutQueue {
    /** Receives the amounts that left the queue, by share. */
    public interface Ledger {
        /**
         * @param messages the number of messages of which the last byte has left
         */
        void release(Share share, int messages, long bytes, int fds);
    }

    /** A buffer of the queue; one with descriptors takes no further message. */
    private static final class Chunk {
        final Buffers.Buffer buffer;
        final @Nullable PassedFds fds;
        final Share share; // charged with its descriptors
        boolean fdsSent;
        int start;
        int end;

        Chunk(Buffers.Buffer buffer, @Nullable PassedFds fds, Share share) {
            this.buffer = buffer;
            this.fds = fds;
            this.share = share;
        }

        int room() {
            return fds != null ? 0 : buffer.size() - end;
        }
    }

    /** Messages that follow each other and are charged to one share. */
    private static final class Run {
        final Share share;
        int messages;
        long bytes; // that have not left

        Run(Share share) {
            this.share = share;
        }
    }

    private final Buffers buffers;
    private final Ledger ledger;
    private final ArrayDeque<Chunk> chunks = new ArrayDeque<>(1);
    private final ArrayDeque<Run> runs = new ArrayDeque<>(1);
    private long bytes;
    private int descriptors;

    public OutQueue(Buffers buffers, Ledger ledger) {
        this.buffers = buffers;
        this.ledger = ledger;
    }

    public boolean isEmpty() {
        return bytes == 0;
    }

    /** Returns the bytes that wait. */
    public long bytes() {
        return bytes;
    }

    /** Returns the number of descriptors that wait. */
    public int descriptors() {
        return descriptors;
    }

    /** Adds one message at the end. */
    public void add(
            Share share,
            MemorySegment from,
            long offset,
            int length,
            @Nullable PassedFds passedFds) {
        if (passedFds != null) {
            passedFds.keep();
            descriptors += passedFds.size();
        }
        append(share, from, offset, length, passedFds);
        remember(share, length);
    }

    private void append(
            Share share,
            MemorySegment from,
            long offset,
            int length,
            @Nullable PassedFds passedFds) {
        Chunk last = chunks.peekLast();
        if (last == null || passedFds != null || last.room() < length) {
            last = new Chunk(buffers.take(length), passedFds, share);
            chunks.addLast(last);
        }
        MemorySegment.copy(from, offset, last.buffer.memory, last.end, length);
        last.end += length;
        bytes += length;
    }

    private void remember(Share share, long length) {
        Run run = runs.peekLast();
        if (run == null || run.share != share) {
            run = new Run(share);
            runs.addLast(run);
        }
        run.bytes += length;
        run.messages++;
    }

    /**
     * Sends what the socket takes.
     *
     * @return 0 if nothing is left, -EAGAIN if the socket is full, another -errno if it is broken
     */
    public int flush(Fd socket) {
        for (Chunk chunk = chunks.peekFirst(); chunk != null; chunk = chunks.peekFirst()) {
            int sent = send(socket, chunk);
            if (sent < 0) {
                return sent;
            }
            chunk.start += sent;
            uncharge(sent);
            if (chunk.start < chunk.end) {
                return -Errno.EAGAIN; // the socket took less than that: it is full
            }
            drop(chunk);
        }
        return 0;
    }

    private int send(Fd socket, Chunk chunk) {
        PassedFds passed = chunk.fds;
        if (passed == null || chunk.fdsSent) {
            return SysSocket.send(
                    socket, chunk.buffer.memory, chunk.start, chunk.end - chunk.start);
        }
        MemorySegment data = chunk.buffer.memory.asSlice(chunk.start, chunk.end - chunk.start);
        int sent = SysSocket.sendmsg(socket, data, null, passed.fds(), null);
        if (sent > 0) {
            chunk.fdsSent = true;
        }
        return sent;
    }

    private void uncharge(int count) {
        bytes -= count;
        long remaining = count;
        while (remaining > 0) {
            Run run = runs.element();
            long part = Math.min(remaining, run.bytes);
            remaining -= part;
            run.bytes -= part;
            if (run.bytes == 0) {
                runs.remove();
            }
            ledger.release(run.share, run.bytes == 0 ? run.messages : 0, part, 0);
        }
    }

    /** Drops the first chunk, all of which has left. */
    private void drop(Chunk chunk) {
        chunks.remove();
        if (chunk.fds != null) {
            // At once: the messages behind it may take long, and are charged separately.
            descriptors -= chunk.fds.size();
            ledger.release(chunk.share, 0, 0, chunk.fds.size());
            chunk.fds.drop();
        }
        buffers.release(chunk.buffer);
    }

    /** Discards all messages; the ledger receives the amounts. */
    public void clear() {
        for (Chunk chunk = chunks.peekFirst(); chunk != null; chunk = chunks.peekFirst()) {
            uncharge(chunk.end - chunk.start);
            drop(chunk);
        }
    }
}
