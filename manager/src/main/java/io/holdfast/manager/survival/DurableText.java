package io.holdfast.manager.survival;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysSendfile;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysMemfd;
import java.nio.ByteBuffer;
import java.util.zip.CRC32;

/**
 * A text in a memfd that outlives its manager, if the memfd is kept ({@link Survival#keep}), with a
 * few numbers that are replaced atomically.
 *
 * <pre>
 *   0        4096          position
 *   | header | given back  |   text  |
 * </pre>
 *
 * <p>Text is added at ever greater offsets, and its oldest pages are freed. The position is the
 * file offset: the kernel moves it by exactly as much as a pipe has delivered ({@link #fill}) or a
 * reader has taken ({@link #send}), even if this process is killed in the middle. The numbers
 * ({@link #commit}) are written into two places in turn, each with a checksum: the older numbers
 * count until the newer ones are complete.
 *
 * <p>Not safe for use by several threads, except that one thread may use the position while another
 * writes and commits.
 */
public final class DurableText implements AutoCloseable {
    /** The offset of the beginning of the text. */
    public static final long START = 4096;

    private static final int PAGE = 4096;
    private static final int PLACE_SIZE = PAGE / 2;
    private static final int FREED_AT_ONCE = 64 << 10;

    // offsets in a place of the header
    private static final long FORMAT = 0x486f_6c64_5431L; // "HoldT1"
    private static final int SEQUENCE = 8;
    private static final int COUNT = 16;
    private static final int NUMBERS = 24;
    private static final int MOST_NUMBERS = 16;

    private final Fd file;
    private long sequence;
    private long[] committed = {};
    private long position;
    private long freed = START;

    private DurableText(Fd file) {
        this.file = file;
    }

    /**
     * Makes an empty text.
     *
     * @param name shown in {@code /proc/PID/fd}
     * @param numbers the first numbers
     * @throws ErrnoException EMFILE, ENOMEM
     */
    public static DurableText make(String name, long... numbers) {
        DurableText made = new DurableText(SysMemfd.make(name));
        try {
            made.position(START);
            made.commit(numbers);
            return made;
        } catch (ErrnoException e) {
            made.close();
            throw e;
        }
    }

    /**
     * Opens the text of an earlier manager.
     *
     * @param file owned from now on: closed with the result, or if this fails
     * @throws IllegalArgumentException if it is not such a text, or one of another version
     */
    public static DurableText open(Fd file) {
        DurableText found = new DurableText(file);
        try {
            found.read();
            return found;
        } catch (RuntimeException e) {
            found.close();
            throw e;
        }
    }

    private void read() {
        for (int place = 0; place < 2; place++) {
            byte[] bytes = new byte[PLACE_SIZE];
            int n = Unistd.pread(file, bytes, 0, PLACE_SIZE, (long) place * PLACE_SIZE);
            if (n > 0) { // less than a page while there is no text
                read(bytes);
            }
        }
        position = Unistd.position(file);
        if (sequence == 0 || position < START) {
            throw new IllegalArgumentException("no known header");
        }
    }

    private void read(byte[] bytes) {
        ByteBuffer place = ByteBuffer.wrap(bytes);
        long number = place.getLong(SEQUENCE);
        int count = place.getInt(COUNT);
        boolean counts =
                place.getLong(0) == FORMAT
                        && number > sequence
                        && count >= 0
                        && count <= MOST_NUMBERS
                        && place.getLong(NUMBERS + Long.BYTES * count)
                                == checksum(bytes, NUMBERS + Long.BYTES * count);
        if (counts) {
            sequence = number;
            committed = new long[count];
            place.position(NUMBERS).asLongBuffer().get(committed);
        }
    }

    private static long checksum(byte[] bytes, int length) {
        CRC32 sum = new CRC32();
        sum.update(bytes, 0, length);
        return sum.getValue();
    }

    /** Returns the descriptor to keep; the caller must not close it. */
    public Fd file() {
        return file;
    }

    /** Returns the numbers in effect. */
    public long[] committed() {
        return committed.clone();
    }

    /** Replaces the numbers: a later manager sees all of them, or none. */
    public void commit(long... numbers) {
        int length = NUMBERS + Long.BYTES * numbers.length;
        ByteBuffer place = ByteBuffer.allocate(length + Long.BYTES);
        place.putLong(FORMAT).putLong(sequence + 1).putInt(COUNT, numbers.length);
        place.position(NUMBERS).asLongBuffer().put(numbers);
        place.putLong(length, checksum(place.array(), length));
        FaultPoint.OUTPUT.pass();
        writeAll((sequence + 1) % 2 * PLACE_SIZE, place.array(), place.capacity());
        sequence++;
        committed = numbers.clone();
    }

    // ---- text

    /** Reads at most 64 KiB of text. Returns the number of bytes, 0 at the end. */
    public int read(long at, byte[] into, int length) {
        int n = Unistd.pread(file, into, 0, length, at);
        return ErrnoException.check(n, "pread", file);
    }

    /**
     * Writes text; the position stays.
     *
     * @throws ErrnoException ENOMEM, or EFBIG beyond RLIMIT_FSIZE: some of it may be written
     */
    public void write(long at, byte[] text, int length) {
        FaultPoint.OUTPUT.pass();
        writeAll(at, text, length);
    }

    private void writeAll(long at, byte[] bytes, int length) {
        for (int written = 0; written < length; ) {
            int n = Unistd.pwrite(file, bytes, written, length - written, at + written);
            written += ErrnoException.check(n, "pwrite", file);
        }
    }

    // ---- calls that move the position

    /** Returns the offset up to which a pipe has filled the text, or a reader has taken it. */
    public long position() {
        return position;
    }

    /** Moves the position to another offset. */
    public void position(long to) {
        FaultPoint.OUTPUT.pass();
        position = to;
        freed = Math.min(freed, to);
        long r = Unistd.position(file, to);
        if (r < 0) {
            throw new ErrnoException("lseek", file.toString(), (int) -r);
        }
    }

    /**
     * Adds what is in a pipe, without waiting. Returns the number of bytes, 0 at the end of the
     * pipe, or -errno: EAGAIN if the pipe is empty.
     */
    public int fill(Fd pipe, int most) {
        FaultPoint.OUTPUT.pass();
        return moved(Fcntl.splice(pipe, file, most));
    }

    /** Adds one byte. */
    public int fill(byte single) {
        FaultPoint.OUTPUT.pass();
        return moved(Unistd.write(file, new byte[] {single}, 0, 1));
    }

    /**
     * Sends the next text to a reader, and waits for the reader. Returns the number of bytes, or
     * -errno.
     */
    public int send(Fd reader, long most) {
        FaultPoint.OUTPUT.pass();
        return moved(SysSendfile.send(reader, file, (int) Math.min(most, Integer.MAX_VALUE)));
    }

    /**
     * Sends text by write(2) to a reader that does not support sendfile(2) (EINVAL). The reader
     * gets the text twice if this process is killed before it has moved the position.
     */
    public int sendCopy(Fd reader, long most) {
        byte[] bytes = new byte[(int) Math.min(most, PAGE)];
        int length = read(position, bytes, bytes.length);
        FaultPoint.OUTPUT.pass();
        int n = Unistd.write(reader, bytes, 0, length);
        if (n > 0) {
            position(position + n);
        }
        return n;
    }

    private int moved(int n) {
        position += Math.max(0, n);
        return n;
    }

    /** Returns the offset of the oldest text that takes memory. */
    public long freed() {
        return freed;
    }

    /** Frees the memory of the text before an offset, now or later. */
    public void free(long before) {
        if (before / PAGE * PAGE - freed >= FREED_AT_ONCE) { // 0 or less at the beginning
            freeNow(before);
        }
    }

    /** Frees the whole pages of the text before an offset. */
    public void freeNow(long before) {
        long to = before / PAGE * PAGE;
        if (to <= freed) {
            return;
        }
        FaultPoint.OUTPUT.pass();
        int r = Fcntl.punchHole(file, freed, to - freed);
        if (r < 0 && r != -Errno.ENOMEM) {
            throw new ErrnoException("fallocate", file.toString(), -r);
        }
        freed = to;
    }

    @Override
    public void close() {
        file.close();
    }
}
