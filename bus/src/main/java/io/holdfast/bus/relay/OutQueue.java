package io.holdfast.bus.relay;

import static java.util.Objects.requireNonNull;

import io.holdfast.bus.account.Quota.Share;
import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.socket.SysSocket;
import java.lang.foreign.MemorySegment;
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
        private Buffers.@Nullable Buffer buffer;
        @Nullable PassedFds fds;
        private @Nullable Share share; // charged with its descriptors
        boolean fdsSent;
        int start;
        int end;
        @Nullable Chunk next;

        void fill(Buffers.Buffer with, @Nullable PassedFds passed, Share charged) {
            buffer = with;
            fds = passed;
            share = charged;
        }

        void clear() {
            buffer = null;
            fds = null;
            share = null;
            fdsSent = false;
            start = 0;
            end = 0;
            next = null;
        }

        Buffers.Buffer buffer() {
            return requireNonNull(buffer);
        }

        Share share() {
            return requireNonNull(share);
        }

        int room() {
            return fds != null ? 0 : buffer().size() - end;
        }
    }

    private final Buffers buffers;
    private final Ledger ledger;
    private @Nullable Chunk head;
    private @Nullable Chunk tail;
    private @Nullable Chunk spare; // an empty one: mostly the only one that is ever needed
    private long bytes;
    private int descriptors;

    // runs of bytes with their share, in a ring
    private @Nullable Share[] shares = new @Nullable Share[0];
    private long[] lengths = new long[0];
    private int[] messages = new int[0];
    private int firstRun;
    private int runs;

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
        Chunk last = tail;
        if (last == null || passedFds != null || last.room() < length) {
            Chunk chunk = spare != null ? spare : new Chunk();
            spare = null;
            chunk.fill(buffers.take(length), passedFds, share);
            if (last == null) {
                head = chunk;
            } else {
                last.next = chunk;
            }
            tail = chunk;
            last = chunk;
        }
        MemorySegment.copy(from, offset, last.buffer().memory, last.end, length);
        last.end += length;
        bytes += length;
    }

    private void remember(Share share, long length) {
        int mask = shares.length - 1;
        int at = firstRun + runs - 1 & mask;
        if (runs == 0 || shares[at] != share) {
            if (runs == shares.length) {
                growRuns();
                mask = shares.length - 1;
            }
            at = firstRun + runs & mask;
            shares[at] = share;
            lengths[at] = 0;
            messages[at] = 0;
            runs++;
        }
        lengths[at] += length;
        messages[at]++;
    }

    private void growRuns() {
        int size = Math.max(2, runs * 2);
        @Nullable Share[] newShares = new @Nullable Share[size];
        long[] newLengths = new long[size];
        int[] newMessages = new int[size];
        for (int i = 0; i < runs; i++) {
            int at = firstRun + i & shares.length - 1;
            newShares[i] = shares[at];
            newLengths[i] = lengths[at];
            newMessages[i] = messages[at];
        }
        shares = newShares;
        lengths = newLengths;
        messages = newMessages;
        firstRun = 0;
    }

    /**
     * Sends what the socket takes.
     *
     * @return 0 if nothing is left, -EAGAIN if the socket is full, another -errno if it is broken
     */
    public int flush(Fd socket) {
        for (Chunk chunk = head; chunk != null; chunk = head) {
            int sent = send(socket, chunk);
            if (sent < 0) {
                return sent;
            }
            chunk.start += sent;
            uncharge(sent);
            if (chunk.start < chunk.end) {
                return -Errno.EAGAIN; // the socket took less than that: it is full
            }
            dropHead();
        }
        return 0;
    }

    private int send(Fd socket, Chunk chunk) {
        PassedFds passed = chunk.fds;
        if (passed == null || chunk.fdsSent) {
            return SysSocket.send(
                    socket, chunk.buffer().memory, chunk.start, chunk.end - chunk.start);
        }
        MemorySegment data = chunk.buffer().memory.asSlice(chunk.start, chunk.end - chunk.start);
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
            int at = firstRun;
            Share share = requireNonNull(shares[at]);
            long part = Math.min(remaining, lengths[at]);
            remaining -= part;
            lengths[at] -= part;
            if (lengths[at] > 0) {
                ledger.release(share, 0, part, 0);
            } else {
                ledger.release(share, messages[at], part, 0);
                shares[at] = null;
                firstRun = at + 1 & shares.length - 1;
                runs--;
            }
        }
    }

    private void dropHead() {
        Chunk chunk = requireNonNull(head);
        head = chunk.next;
        if (head == null) {
            tail = null;
        }
        if (chunk.fds != null) {
            // At once: the messages behind it may take long, and are charged separately.
            descriptors -= chunk.fds.size();
            ledger.release(chunk.share(), 0, 0, chunk.fds.size());
            chunk.fds.drop();
        }
        buffers.release(chunk.buffer());
        chunk.clear();
        spare = chunk;
    }

    /** Discards all messages; the ledger receives the amounts. */
    public void clear() {
        while (head != null) {
            int unsent = head.end - head.start;
            head.start = head.end;
            uncharge(unsent);
            dropHead();
        }
    }
}
