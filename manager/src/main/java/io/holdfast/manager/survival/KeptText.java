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
 * Text in a file in memory that outlives its manager, if it is kept ({@link Survival#keep}), with a
 * few numbers that are replaced together.
 *
 * <pre>
 *   0        4096          position
 *   | header | given back  |   text  |
 * </pre>
 *
 * <p>Text is added at ever greater offsets, and its oldest pages are given back. The position is
 * that of the open file: the kernel moves it by exactly as much as a pipe has given ({@link #fill})
 * or a reader has taken ({@link #give}), also when this process is killed in the middle. The
 * numbers ({@link #commit}) are written into one of two places in turn, each with a checksum: the
 * older ones hold until the newer ones are there as a whole.
 *
 * <p>Not safe for use by several threads, but one may use the position while another writes and
 * commits.
 */
public final class KeptText implements AutoCloseable {
    /** Where the text begins. */
    public static final long START = 4096;

    private static final int PAGE = 4096;
    private static final int PLACE_SIZE = PAGE / 2;
    private static final int FREED_AT_ONCE = 64 << 10;

    // of a place in the header
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

    private KeptText(Fd file) {
        this.file = file;
    }

    /**
     * An empty one.
     *
     * @param name for people, in {@code /proc/PID/fd}
     * @param numbers the first ones
     * @throws ErrnoException EMFILE, ENOMEM
     */
    public static KeptText make(String name, long... numbers) {
        KeptText made = new KeptText(SysMemfd.make(name));
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
     * That of an earlier manager.
     *
     * @param file owned from now on
     * @throws IllegalArgumentException if it is none, or one of another version
     */
    public static KeptText open(Fd file) {
        KeptText found = new KeptText(file);
        try {
            found.read();
            return found;
        } catch (IllegalArgumentException e) {
            found.close();
            throw e;
        }
    }

    private void read() {
        for (int place = 0; place < 2; place++) {
            byte[] bytes = new byte[PLACE_SIZE];
            int n = Unistd.pread(file, bytes, 0, PLACE_SIZE, (long) place * PLACE_SIZE);
            if (n > 0) { // less than a page, while there is no text
                read(bytes);
            }
        }
        position = Unistd.position(file);
        if (sequence == 0 || position < START) {
            throw new IllegalArgumentException("it has no header that is known here");
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

    /** The descriptor to be kept; lent. */
    public Fd file() {
        return file;
    }

    /** The numbers that hold. */
    public long[] committed() {
        return committed.clone();
    }

    /** Replaces the numbers: for a manager after this one all of them are these, or none. */
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

    /** Reads text, at most 64 KiB of it: how much, 0 at the end. */
    public int read(long at, byte[] into, int length) {
        int n = Unistd.pread(file, into, 0, length, at);
        return ErrnoException.check(n, "pread", file);
    }

    /**
     * Writes text; the position stays.
     *
     * @throws ErrnoException ENOMEM, or EFBIG beyond RLIMIT_FSIZE: some of it may be there
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

    // ---- what moves the position

    /** The offset up to which a pipe has filled this, or a reader has taken it. */
    public long position() {
        return position;
    }

    /** Goes to another offset. */
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
     * Adds what is in a pipe, without waiting: bytes, 0 at its end, or -errno, EAGAIN if there is
     * nothing.
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

    /** Gives the next text to a reader, for whom it waits: bytes, or -errno. */
    public int give(Fd reader, long most) {
        FaultPoint.OUTPUT.pass();
        return moved(SysSendfile.send(reader, file, (int) Math.min(most, Integer.MAX_VALUE)));
    }

    /**
     * The same for a reader who takes nothing in this way (EINVAL): it is told twice to him if this
     * process is killed before it has noted down that he has it.
     */
    public int giveCopy(Fd reader, long most) {
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

    /** Gives the memory of text before an offset back, now or later. */
    public void free(long before) {
        long to = before / PAGE * PAGE; // 0 or less at the beginning
        if (to - freed >= FREED_AT_ONCE) {
            FaultPoint.OUTPUT.pass();
            int r = Fcntl.punchHole(file, freed, to - freed);
            if (r < 0 && r != -Errno.ENOMEM) {
                throw new ErrnoException("fallocate", file.toString(), -r);
            }
            freed = to;
        }
    }

    @Override
    public void close() {
        file.close();
    }
}
