package io.holdfast.manager.survival;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.socket.SysSocket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;

/**
 * A store of descriptors, by key, that outlives this process. The descriptors are in flight: they
 * are attached (SCM_RIGHTS) to messages that are never received, in a pair of sockets of which
 * another process, the keeper, holds both ends. A process that inherits the pair finds all of them
 * by peeking at the queue (MSG_PEEK), which leaves them there.
 *
 * <pre>
 *   manager ── put ──▶ [ begin 7 ][ put a: fd fd ][ whole ][ put b: fd ][ remove a ] ◀── peek ── next manager
 * </pre>
 *
 * <p>A queue only grows, so there are two: when half of the messages in one are stale, the live
 * ones are written into the other, with the next number, then {@code whole}, and the first queue is
 * emptied. A queue without {@code whole} was being written when its manager was killed, and is
 * ignored; of two whole queues the higher number counts.
 *
 * <p>A removed descriptor stays in flight until its queue is rewritten. Where a peer waits for the
 * close, as of a connection, that would be too late, and rewriting the queue at once would cost as
 * much as all that is stored. So such descriptors are in flight in a pair of sockets of their own,
 * the cell: the queue holds the receiving end, and receiving the cell's only message closes them.
 *
 * <p>Not safe for use by several threads.
 */
public final class DescriptorStore implements AutoCloseable {
    /** The number of descriptors that {@link #make} makes. */
    static final int SOCKETS = 4;

    /** The number of stale messages at which the queue is rewritten. */
    private static final int COMPACTED_AT = 64;

    private static final int MOST_PER_RECORD = 253; // per message (SCM_MAX_FD)
    private static final int RECORD_SIZE = 8192;

    private static final byte BEGIN = 'b';
    private static final byte WHOLE = 'w';
    private static final byte PUT = 'p';
    private static final byte CELL = 'c';
    private static final byte REMOVE = 'r';

    private final List<Queue> queues;
    private final Set<String> live = new HashSet<>(); // keys
    private final Map<String, UnixSocket> cells = new HashMap<>(); // the receiving ends, by key
    private int current;
    private long generation;
    private int stale;

    /** One pair of sockets. */
    private record Queue(UnixSocket in, UnixSocket out) {
        boolean send(byte kind, String text, List<Fd> descriptors) {
            byte[] bytes = text.getBytes(UTF_8);
            if (bytes.length + 1 > RECORD_SIZE) {
                throw new IllegalArgumentException("too long to be kept: " + text);
            }
            ByteBuffer data = ByteBuffer.allocate(bytes.length + 1).put(kind).put(bytes).flip();
            return in.trySend(data, descriptors) != UnixSocket.WOULD_BLOCK;
        }

        void empty() {
            ByteBuffer into = ByteBuffer.allocate(RECORD_SIZE);
            while (out.tryReceive(into.clear()) > 0) {
                // received descriptors are closed
            }
        }
    }

    /** A message of a queue; the receiver of this object closes the descriptors. */
    private record Message(byte kind, String text, List<Fd> descriptors) {
        void close() {
            descriptors.forEach(Fd::close);
        }
    }

    private DescriptorStore(List<Queue> queues) {
        this.queues = queues;
    }

    /**
     * Makes the sockets of a store. Another process keeps them, and each process that uses the
     * store in turn passes them to {@link #open}.
     *
     * @param bytes how much kernel memory its messages may take; limited by wmem_max without
     *     CAP_NET_ADMIN
     * @return four descriptors
     */
    public static List<Fd> make(int bytes) {
        List<Fd> all = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            UnixSocket[] pair = UnixSocket.pair(SocketType.SEQPACKET);
            for (UnixSocket end : pair) {
                if (SysSocket.setOption(end.fd(), SysSocket.SO_SNDBUFFORCE, bytes) < 0) {
                    int _ = SysSocket.setOption(end.fd(), SysSocket.SO_SNDBUF, bytes);
                }
                all.add(end.fd());
            }
        }
        return all;
    }

    /**
     * Opens the store in these sockets, with its content.
     *
     * @param sockets the result of {@link #make}, in its order; closed with the store
     */
    public static DescriptorStore open(List<Fd> sockets) {
        List<Queue> queues = new ArrayList<>();
        for (int i = 0; i < sockets.size(); i += 2) {
            queues.add(
                    new Queue(
                            UnixSocket.adopt(sockets.get(i)),
                            UnixSocket.adopt(sockets.get(i + 1))));
        }
        DescriptorStore store = new DescriptorStore(queues);
        store.find();
        return store;
    }

    /** Finds out which queue counts, and what it contains. */
    private void find() {
        long[] numbers = new long[queues.size()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = numberOf(queues.get(i));
        }
        current = numbers[1] > numbers[0] ? 1 : 0;
        generation = numbers[current];
        queues.get(1 - current).empty();
        if (generation == 0) {
            queues.get(current).empty(); // its manager was killed while it began
            begin(1);
            return;
        }
        stale = 0;
        walk(
                queues.get(current),
                message -> {
                    count(message.kind(), message.text());
                    if (message.kind() == CELL) {
                        cells.put(
                                message.text(), UnixSocket.adopt(message.descriptors().getFirst()));
                    } else {
                        message.close();
                    }
                });
    }

    /** Counts a message that has been sent; closes what it removes or replaces. */
    private void count(byte kind, String key) {
        switch (kind) {
            case PUT, CELL -> {
                if (!live.add(key)) {
                    stale++;
                }
                emptyCell(key);
            }
            case REMOVE -> {
                stale += live.remove(key) ? 2 : 1;
                emptyCell(key);
            }
            default -> {}
        }
    }

    private void emptyCell(String key) {
        UnixSocket cell = cells.remove(key);
        if (cell != null) {
            int _ = cell.tryReceive(ByteBuffer.allocate(1)); // without room for descriptors
            cell.close();
        }
    }

    /** Returns the number of a queue; 0 if it is empty, or not whole. */
    private static long numberOf(Queue queue) {
        long[] number = new long[1];
        boolean[] whole = new boolean[1];
        walk(
                queue,
                message -> {
                    if (message.kind() == BEGIN) {
                        number[0] = Long.parseLong(message.text());
                    } else if (message.kind() == WHOLE) {
                        whole[0] = true;
                    }
                    message.close();
                });
        return whole[0] ? number[0] : 0;
    }

    private interface Visitor {
        /** Takes a message, and closes its descriptors. */
        void visit(Message message);
    }

    /** Passes all messages of a queue to a visitor, and leaves them in the queue. */
    private static void walk(Queue queue, Visitor visitor) {
        int r = SysSocket.setOption(queue.out().fd(), SysSocket.SO_PEEK_OFF, 0);
        ErrnoException.check(r, "setsockopt(SO_PEEK_OFF)", queue.out().fd());
        try (Ancillary beside = Ancillary.ofDescriptors(MOST_PER_RECORD)) {
            ByteBuffer into = ByteBuffer.allocate(RECORD_SIZE);
            while (queue.out().tryPeek(into.clear(), beside) > 0) {
                into.flip();
                byte kind = into.get();
                String text = UTF_8.decode(into).toString();
                if (beside.areDescriptorsCut()) {
                    throw new ErrnoException("recvmsg", text, Errno.EMFILE);
                }
                visitor.visit(new Message(kind, text, beside.takeDescriptors()));
            }
        } finally {
            int _ = SysSocket.setOption(queue.out().fd(), SysSocket.SO_PEEK_OFF, -1);
        }
    }

    private void begin(long number) {
        Queue queue = queues.get(current);
        generation = number;
        boolean begun =
                queue.send(BEGIN, Long.toString(number), List.of())
                        && queue.send(WHOLE, "", List.of());
        if (!begun) {
            throw new IllegalStateException("an empty queue takes nothing");
        }
    }

    /**
     * Returns a number that identifies the store within this boot, the same for all processes that
     * open it.
     */
    long id() {
        return SysStat.inode(queues.getFirst().in().fd());
    }

    /** Returns the number of the present queue. */
    long generation() {
        return generation;
    }

    public boolean isEmpty() {
        return live.isEmpty();
    }

    /**
     * Reads everything in the store.
     *
     * @param taker receives each key with duplicates of its descriptors, and closes them
     */
    public void read(BiConsumer<String, List<Fd>> taker) {
        messages()
                .forEach((key, message) -> {
                    UnixSocket cell = cells.get(key);
                    if (cell == null) {
                        taker.accept(key, message.descriptors());
                    } else {
                        message.close();
                        taker.accept(key, content(cell));
                    }
                });
    }

    /** Returns the messages that count, by key. */
    private Map<String, Message> messages() {
        Map<String, Message> found = new LinkedHashMap<>();
        walk(
                queues.get(current),
                message -> {
                    Message before =
                            switch (message.kind()) {
                                case PUT, CELL -> found.put(message.text(), message);
                                case REMOVE -> found.remove(message.text());
                                default -> null;
                            };
                    if (before != null) {
                        before.close();
                    }
                });
        return found;
    }

    private static List<Fd> content(UnixSocket cell) {
        try (Ancillary beside = Ancillary.ofDescriptors(MOST_PER_RECORD)) {
            int _ = cell.tryPeek(ByteBuffer.allocate(1), beside);
            if (beside.areDescriptorsCut()) {
                throw new ErrnoException("recvmsg", cell.toString(), Errno.EMFILE);
            }
            return beside.takeDescriptors();
        }
    }

    /**
     * Returns duplicates of the descriptors of a key, which the caller closes; empty if there are
     * none.
     */
    public List<Fd> read(String key) {
        List<Fd> found = new ArrayList<>();
        read((each, descriptors) -> {
            if (each.equals(key)) {
                found.addAll(descriptors);
            } else {
                descriptors.forEach(Fd::close);
            }
        });
        return found;
    }

    /**
     * Stores descriptors, in place of those that the key had before. The caller still closes its
     * own. After {@link #remove} they are closed some time later.
     *
     * @return why not all can be stored; empty if they are
     * @throws IllegalArgumentException if the key has more than a few thousand bytes, or there are
     *     more than 253 descriptors
     * @throws ErrnoException ETOOMANYREFS: more than RLIMIT_NOFILE descriptors are in flight
     */
    public Optional<String> put(String key, List<Fd> descriptors) {
        return put(PUT, key, descriptors);
    }

    /**
     * Stores descriptors like {@link #put}, so that {@link #remove} closes them at once. Each key
     * takes one more descriptor of this process.
     *
     * @return why they cannot be stored; empty if they are
     * @throws IllegalArgumentException as {@link #put} throws it
     * @throws ErrnoException EMFILE, and those of {@link #put}
     */
    public Optional<String> putInCell(String key, List<Fd> descriptors) {
        requireFew(key, descriptors);
        UnixSocket[] pair = UnixSocket.pair(SocketType.SEQPACKET);
        UnixSocket cell = pair[0];
        boolean stored = false;
        try (UnixSocket in = pair[1]) {
            int _ = in.trySend(ByteBuffer.wrap(new byte[] {CELL}), descriptors);
            Optional<String> why = put(CELL, key, List.of(cell.fd()));
            stored = why.isEmpty();
            if (stored) {
                cells.put(key, cell);
            }
            return why;
        } finally {
            if (!stored) {
                cell.close();
            }
        }
    }

    private static void requireFew(String key, List<Fd> descriptors) {
        if (descriptors.size() > MOST_PER_RECORD) {
            throw new IllegalArgumentException(descriptors.size() + " descriptors for " + key);
        }
    }

    private Optional<String> put(byte kind, String key, List<Fd> descriptors) {
        requireFew(key, descriptors);
        compactIfWorthIt();
        if (!send(kind, key, descriptors)) {
            compact();
            if (!send(kind, key, descriptors)) {
                return Optional.of(
                        "%d records fill the send buffer of the keeper's socket (net.core.wmem_max)"
                                .formatted(live.size()));
            }
        }
        count(kind, key);
        return Optional.empty();
    }

    private boolean send(byte kind, String key, List<Fd> descriptors) {
        return queues.get(current).send(kind, key, descriptors);
    }

    /** Removes the descriptors of a key, in constant time on average. */
    public void remove(String key) {
        if (live.contains(key)) {
            boolean sent = send(REMOVE, key, List.of());
            count(REMOVE, key);
            if (!sent) {
                compact(); // drops it as well
            }
            compactIfWorthIt();
        }
    }

    /**
     * Closes all removed descriptors at once, in as much time as it takes to rewrite all that is
     * stored.
     */
    void closeRemoved() {
        compact();
    }

    /** Removes everything, for good. */
    void clear() {
        queues.forEach(Queue::empty);
        List.copyOf(cells.keySet()).forEach(this::emptyCell);
        live.clear();
        stale = 0;
    }

    private void compactIfWorthIt() {
        if (stale >= COMPACTED_AT && stale > live.size()) {
            compact();
        }
    }

    /** Writes the live messages into the other queue. If they do not fit there, nothing changes. */
    private void compact() {
        if (stale == 0) {
            return;
        }
        Queue other = queues.get(1 - current);
        other.empty();
        boolean[] fits = {other.send(BEGIN, Long.toString(generation + 1), List.of())};
        messages()
                .forEach((key, message) -> {
                    boolean isLive = live.contains(key);
                    fits[0] =
                            fits[0]
                                    && (!isLive
                                            || other.send(
                                                    message.kind(), key, message.descriptors()));
                    message.close();
                });
        if (!fits[0] || !other.send(WHOLE, "", List.of())) {
            other.empty();
            return;
        }
        Queue before = queues.get(current);
        current = 1 - current;
        generation++;
        stale = 0;
        before.empty();
    }

    /** Closes the sockets of this process; the keeper still holds its own. */
    @Override
    public void close() {
        for (Queue queue : queues) {
            queue.in().close();
            queue.out().close();
        }
        cells.values().forEach(UnixSocket::close);
        cells.clear();
    }
}
