package io.holdfast.receiver;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.SysMman;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.journal.Id128;
import io.holdfast.receiver.input.StreamLines.Header;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The part of a stream that was received and is not in the journal yet, in memory that outlives the
 * receiver.
 *
 * <p><b>How no byte gets lost or counts twice.</b> A receive takes bytes off the socket and puts
 * them into memory; a SIGKILL just afterwards must not leave it unknown how many there were. So the
 * kernel receives directly into this memory, which is a mapped file, and the kernel itself counts:
 * the peek offset of a socket (SO_PEEK_OFF), set to a large number, is lowered by every receive by
 * what it took, within the same system call. The receiver never peeks. Position <i>p</i> of the
 * stream was received if <i>p</i> is less than
 *
 * <pre>
 *     zero - getsockopt(SO_PEEK_OFF)
 * </pre>
 *
 * where {@code zero} is the position at which the offset would be 0.
 *
 * <p>The memory is a ring: position <i>p</i> is at {@code (p - origin) % DATA}. All before {@code
 * base} is in the journal's files, or was dropped on purpose; {@code base} is behind a line. The
 * entries of later lines have sequence numbers larger than {@code sequence}, which is how the next
 * receiver finds out which of them were stored nevertheless ({@link StreamRecovery}). When all is
 * stored, {@code origin} moves to the end, so that a quiet stream uses the first page only. Where
 * another process has begun to write in the middle of a line, the line was cut, which the bytes do
 * not show: such positions are written down before the line is stored.
 *
 * <p>These numbers change together: there are two copies of the state, and a word that says which
 * of them counts, written last. What is stored before that word is in memory before it (release); a
 * SIGKILL loses no store that was executed.
 *
 * <pre>
 *   0 cookie of the socket     8 number of the state (0, 1)   16 stream id
 *  32 header: sizes, priority, prefix    64 state 0           128 state 1
 * 192 first and next cut     200 cuts                        1024 identifier, 2048 unit
 * 4096 data
 * </pre>
 */
final class StreamWindow {
    private static final int PAGE = 4096;

    /** The data that a window may hold. */
    static final int DATA = 128 << 10;

    /** The data that a window may hold without {@link StreamWindows#grant}. */
    static final int LITTLE = 2 * PAGE;

    static final int BYTES = PAGE + DATA;
    static final int COOKIE = 0;
    private static final int CURRENT = 8;
    private static final int ID = 16;
    private static final int IDENTIFIER_SIZE = 32;
    private static final int UNIT_SIZE = 36;
    private static final int PRIORITY = 40;
    private static final int LEVEL_PREFIX = 44;
    private static final int STATES = 64;
    private static final int STATE_BYTES = 64;
    private static final int CUTS_BEGIN = 192;
    private static final int CUTS_END = 196;
    private static final int CUTS = 200;
    private static final int MOST_CUTS = 64;
    private static final int IDENTIFIER = 1024;
    private static final int UNIT = 2048;
    private static final int MOST_TEXT = 1024;

    private static final int OFFSET = 1 << 30; // to which the peek offset is set
    private static final int LEAST_OFFSET = 1 << 20;
    private static final long KNOWN = -1; // the position is what the kernel has counted

    private static final VarHandle LONG = JAVA_LONG.varHandle();
    private static final VarHandle INT = JAVA_INT.varHandle();

    private final StreamWindows windows;
    private final int number;
    private final MemorySegment memory;
    private final ByteBuffer data;
    private final UnixSocket socket;
    private long base;
    private long origin;
    private long sequence;
    private long zero;
    private long total;
    private @Nullable String grantedTo;

    StreamWindow(StreamWindows windows, int number, MemorySegment memory, UnixSocket socket) {
        this.windows = windows;
        this.number = number;
        this.memory = memory;
        this.socket = socket;
        this.data = memory.asSlice(PAGE, DATA).asByteBuffer();
    }

    static long cookie(UnixSocket socket) {
        byte[] cookie = SysSocket.optionBytes(socket.fd(), SysSocket.SO_COOKIE);
        return cookie == null
                ? 0
                : ByteBuffer.wrap(cookie).order(ByteOrder.nativeOrder()).getLong();
    }

    /** Begins the window of a stream of which nothing was received. */
    void begin() {
        memory.set(JAVA_LONG, COOKIE, 0);
        Id128 id = Id128.random();
        memory.set(JAVA_LONG, ID, id.high());
        memory.set(JAVA_LONG, ID + Long.BYTES, id.low());
        memory.set(JAVA_INT, CUTS_BEGIN, 0);
        memory.set(JAVA_INT, CUTS_END, 0);
        count();
        LONG.setRelease(memory, (long) COOKIE, cookie(socket));
    }

    /**
     * Continues the window of an earlier receiver.
     *
     * @return false if it contains nonsense
     */
    boolean recover() {
        long at = STATES + (memory.get(JAVA_INT, CURRENT) & 1) * (long) STATE_BYTES;
        base = memory.get(JAVA_LONG, at);
        origin = memory.get(JAVA_LONG, at + 8);
        sequence = memory.get(JAVA_LONG, at + 16);
        zero = memory.get(JAVA_LONG, at + 24);
        total = memory.get(JAVA_LONG, at + 32);
        if (total == KNOWN) {
            total = zero - SysSocket.option(socket.fd(), SysSocket.SO_PEEK_OFF);
        }
        int cuts = memory.get(JAVA_INT, CUTS_END) - memory.get(JAVA_INT, CUTS_BEGIN);
        boolean isSound =
                origin >= 0
                        && base >= origin
                        && total >= base
                        && total - base <= DATA
                        && cuts >= 0
                        && cuts <= MOST_CUTS
                        && isSize(IDENTIFIER_SIZE)
                        && isSize(UNIT_SIZE);
        if (isSound) {
            count();
            if (total - origin > LITTLE) {
                grantedTo = "recovered"; // it has the memory already
                windows.take(this, grantedTo);
            }
        }
        return isSound;
    }

    private boolean isSize(int offset) {
        int size = memory.get(JAVA_INT, offset);
        return size >= 0 && size <= MOST_TEXT;
    }

    /** Has the kernel count from here on. Nothing is received meanwhile, so the total is known. */
    private void count() {
        write(total);
        int r = SysSocket.setOption(socket.fd(), SysSocket.SO_PEEK_OFF, OFFSET);
        ErrnoException.check(r, "setsockopt(SO_PEEK_OFF)", socket);
        zero = total + OFFSET;
        write(KNOWN);
    }

    private void write(long knownTotal) {
        int next = 1 - (memory.get(JAVA_INT, CURRENT) & 1);
        long at = STATES + next * (long) STATE_BYTES;
        memory.set(JAVA_LONG, at, base);
        memory.set(JAVA_LONG, at + 8, origin);
        memory.set(JAVA_LONG, at + 16, sequence);
        memory.set(JAVA_LONG, at + 24, zero);
        memory.set(JAVA_LONG, at + 32, knownTotal);
        INT.setRelease(memory, (long) CURRENT, next);
    }

    /** {@return the number of this window, by which the service manager knows the stream} */
    int number() {
        return number;
    }

    /** {@return the identifier of the stream} */
    Id128 id() {
        return new Id128(memory.get(JAVA_LONG, ID), memory.get(JAVA_LONG, ID + Long.BYTES));
    }

    /** Writes down the header of the stream, before {@link #settle} passes it. */
    void header(Header header) {
        put(header.identifier(), IDENTIFIER, IDENTIFIER_SIZE);
        put(header.unit(), UNIT, UNIT_SIZE);
        memory.set(JAVA_INT, PRIORITY, header.priority());
        memory.set(JAVA_INT, LEVEL_PREFIX, header.levelPrefix() ? 1 : 0);
    }

    private void put(String text, int offset, int sizeOffset) {
        byte[] bytes = text.getBytes(UTF_8);
        int size = Math.min(bytes.length, MOST_TEXT);
        MemorySegment.copy(bytes, 0, memory, JAVA_BYTE, offset, size);
        memory.set(JAVA_INT, sizeOffset, size);
    }

    /** {@return the header that an earlier receiver wrote down; null if it is still in the data} */
    @Nullable Header header() {
        return base == 0
                ? null
                : new Header(
                        text(IDENTIFIER, IDENTIFIER_SIZE),
                        text(UNIT, UNIT_SIZE),
                        memory.get(JAVA_INT, PRIORITY),
                        memory.get(JAVA_INT, LEVEL_PREFIX) == 1);
    }

    private String text(int offset, int sizeOffset) {
        byte[] bytes = memory.asSlice(offset, memory.get(JAVA_INT, sizeOffset)).toArray(JAVA_BYTE);
        return new String(bytes, UTF_8);
    }

    /** {@return how many bytes of the stream were received} */
    long total() {
        return total;
    }

    /** {@return the last sequence number of the journal when {@link #settle} was called last} */
    long sequence() {
        return sequence;
    }

    /** {@return whether all that was received is stored} */
    boolean isEmpty() {
        return base == total;
    }

    /**
     * {@return where the next receive is to put its bytes, from the position to the limit; nothing
     * remains if there is no room until more is stored}
     *
     * @param owner whose share of the memory is used if the stream is ahead of the disk
     */
    ByteBuffer room(String owner) {
        if (grantedTo == null && left() < LITTLE / 2 && !compact() && windows.grant(this, owner)) {
            grantedTo = owner;
        }
        int at = (int) ((total - origin) % DATA);
        int room = Math.min(DATA - (int) (total - base), DATA - at);
        if (grantedTo == null) {
            room = Math.min(room, left());
        }
        if (cuts() >= MOST_CUTS) {
            room = 0;
        }
        return data.limit(at + room).position(at);
    }

    private int left() {
        return (int) Math.max(0, LITTLE - (total - origin));
    }

    /**
     * Moves a small rest to the beginning; returns false if it is not small, or is there in part: a
     * receiver that is killed before the move counts must leave the old place unchanged.
     */
    private boolean compact() {
        int rest = (int) (total - base);
        int at = (int) ((base - origin) % DATA);
        if (rest > LITTLE / 4 || at < LITTLE / 2 || at + rest > DATA) {
            return false;
        }
        MemorySegment.copy(part(base, total), 0, memory, JAVA_BYTE, PAGE, rest);
        origin = base;
        write(KNOWN);
        return true;
    }

    /** Notes what a receive has put into {@link #room}, and returns it. */
    byte[] received(int count) {
        byte[] bytes = new byte[count];
        data.get((int) ((total - origin) % DATA), bytes);
        total += count;
        if (zero - total < LEAST_OFFSET) {
            count();
        }
        return bytes;
    }

    private int cuts() {
        return memory.get(JAVA_INT, CUTS_END) - memory.get(JAVA_INT, CUTS_BEGIN);
    }

    /** Notes that a line ends at a position, though no byte there says so. */
    void cut(long position) {
        int end = memory.get(JAVA_INT, CUTS_END);
        memory.set(JAVA_LONG, CUTS + Math.floorMod(end, MOST_CUTS) * (long) Long.BYTES, position);
        INT.setRelease(memory, (long) CUTS_END, end + 1);
    }

    private long cutAt(int index) {
        return memory.get(JAVA_LONG, CUTS + Math.floorMod(index, MOST_CUTS) * (long) Long.BYTES);
    }

    /**
     * Notes that all before a position is in the journal's files.
     *
     * @param position behind a line
     * @param last sequence number of the journal, before those of all later lines
     */
    void settle(long position, long last) {
        base = position;
        sequence = last;
        if (base == total) {
            origin = total;
        }
        write(KNOWN);
        int begin = memory.get(JAVA_INT, CUTS_BEGIN);
        while (begin != memory.get(JAVA_INT, CUTS_END) && cutAt(begin) <= base) {
            begin++;
        }
        memory.set(JAVA_INT, CUTS_BEGIN, begin);
    }

    /** {@return what was received and is not known to be stored, cut where lines were cut} */
    List<byte[]> unsettled() {
        List<byte[]> parts = new ArrayList<>();
        long from = base;
        for (int i = memory.get(JAVA_INT, CUTS_BEGIN); i != memory.get(JAVA_INT, CUTS_END); i++) {
            if (cutAt(i) > from && cutAt(i) <= total) {
                parts.add(part(from, cutAt(i)));
                from = cutAt(i);
            }
        }
        parts.add(part(from, total));
        return parts;
    }

    private byte[] part(long from, long to) {
        byte[] bytes = new byte[(int) (to - from)];
        int at = (int) ((from - origin) % DATA);
        int first = Math.min(bytes.length, DATA - at);
        MemorySegment.copy(memory, JAVA_BYTE, PAGE + (long) at, bytes, 0, first);
        MemorySegment.copy(memory, JAVA_BYTE, PAGE, bytes, first, bytes.length - first);
        return bytes;
    }

    /** Gives back the memory beyond {@link #LITTLE}, if that is not needed. */
    void shrink() {
        if (isEmpty() || compact()) {
            revoke();
        }
    }

    private void revoke() {
        String owner = grantedTo;
        if (owner != null) {
            grantedTo = null;
            int _ = SysMman.remove(memory.asSlice(PAGE + LITTLE, DATA - LITTLE));
            windows.revoke(this, owner);
        }
    }

    /** Gives back all memory: the stream has ended, and all its lines are stored. */
    void close() {
        revoke();
        windows.release(number);
    }
}
