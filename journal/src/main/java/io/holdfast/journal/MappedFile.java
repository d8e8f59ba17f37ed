package io.holdfast.journal;

import static java.nio.channels.FileChannel.MapMode.READ_WRITE;

import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import io.holdfast.core.FdChannel;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysMman;
import io.holdfast.core.sys.Unistd;
import io.holdfast.journal.format.Bytes;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The file that a writer writes, mapped in windows. Blocks are allocated before they are mapped, so
 * a full disk is an error of {@link #allocate} and no SIGBUS. Only a program that truncates the
 * file while it is written causes one, which the JVM turns into an {@link InternalError}.
 *
 * <p>Pages of at most {@link #MAX_RESIDENT} windows, and of those that were reserved for the hash
 * tables, count as memory of this process: 10 MiB. The array of each field of an entry has a
 * window, so fewer would be exchanged all the time. To exchange a window takes as long as dozens of
 * system calls, so numbers are read and written by pread(2) and pwrite(2) where windows are used
 * rarely: entries may refer to fields all over the file. Not thread-safe.
 */
final class MappedFile implements AutoCloseable {
    static final int WINDOW_SHIFT = 18;
    static final int WINDOW = 1 << WINDOW_SHIFT;
    static final int MAX_RESIDENT = 40;
    private static final int RARE = 128; // visits of a window for which none is exchanged
    private static final int SHORT = 1024; // bytes that are compared without exchanging a window

    /** A mapped part of the file. */
    private static final class Window implements AutoCloseable {
        final Arena arena = Arena.ofShared(); // any thread may close it
        final int index;
        final MemorySegment memory;
        final ByteBuffer bytes;
        long used;
        boolean isResident;
        int visits; // since it was resident

        Window(FileChannel channel, int index) throws IOException {
            this.index = index;
            try {
                memory = channel.map(READ_WRITE, (long) index << WINDOW_SHIFT, WINDOW, arena);
                bytes = memory.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
            } catch (IOException | RuntimeException | Error e) {
                arena.close();
                throw e;
            }
        }

        @Override
        public void close() {
            arena.close();
        }
    }

    private final Path path;
    private final Fd fd;
    private final FileChannel channel;
    private @Nullable Window[] windows = new Window[16];
    private int resident;
    private int mostResident = MAX_RESIDENT;
    private long clock;
    private @Nullable Window first;
    private @Nullable Window last;
    private long size;

    /**
     * @param fd the file, open for reading and writing; owned by this object
     * @param size its size
     */
    MappedFile(Path path, Fd fd, long size) throws IOException {
        this.path = path;
        this.fd = fd;
        this.size = size;
        this.channel = FdChannel.file(fd, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    long size() {
        return size;
    }

    /**
     * Allocates the blocks of the file up to a size.
     *
     * @throws JournalException if the disk is full, or by another cause
     */
    void allocate(long upTo) throws JournalException {
        if (upTo > size) {
            int r = Fcntl.allocate(fd, size, upTo - size);
            if (r < 0) {
                String problem = "cannot allocate " + (upTo - size) + " bytes: " + Errno.text(-r);
                throw r == -Errno.ENOSPC || r == -Errno.EDQUOT
                        ? JournalException.diskFull(path, size, problem)
                        : new JournalException(path, size, problem);
            }
            size = upTo;
        }
    }

    /** Cuts the file. What is behind the new end must not be used afterwards. */
    void truncate(long to) throws IOException {
        unmap();
        var _ = channel.truncate(to);
        size = to;
    }

    /** Returns the window at an offset; null if other windows are used more. */
    private @Nullable ByteBuffer frequent(long offset) throws JournalException {
        int index = (int) (offset >>> WINDOW_SHIFT);
        Window window = index < windows.length ? windows[index] : null;
        if (window == null
                || window.isResident
                || resident < mostResident
                || ++window.visits > RARE) {
            return window(offset);
        }
        return null;
    }

    private byte[] read(long offset, int length) throws JournalException {
        byte[] bytes = new byte[length];
        if (Unistd.pread(fd, bytes, 0, length, offset) != length) {
            throw new JournalException(path, offset, "read failed");
        }
        return bytes;
    }

    private void write(long offset, byte[] bytes) throws JournalException {
        if (Unistd.pwrite(fd, bytes, 0, bytes.length, offset) != bytes.length) {
            throw new JournalException(path, offset, "write failed");
        }
    }

    private ByteBuffer window(long offset) throws JournalException {
        int index = (int) (offset >>> WINDOW_SHIFT);
        Window window = index == 0 ? first : last;
        if (window != null && window.index == index) {
            return window.bytes;
        }
        return window(index);
    }

    private ByteBuffer window(int index) throws JournalException {
        if (index >= windows.length) {
            windows = Arrays.copyOf(windows, Math.max(2 * windows.length, index + 1));
        }
        Window window = windows[index];
        if (window == null) {
            try {
                window = new Window(channel, index);
            } catch (IOException e) {
                throw new JournalException(path, "mmap failed", e);
            }
            windows[index] = window;
        }
        if (!window.isResident) {
            if (resident >= mostResident) {
                releaseOldest();
            }
            window.isResident = true;
            window.visits = 0;
            resident++;
        }
        window.used = ++clock;
        if (index == 0) { // the header, which is in constant use
            first = window;
            window.used = Long.MAX_VALUE;
        } else {
            last = window;
        }
        return window.bytes;
    }

    /** Raises the number of windows whose pages may be resident, for parts in constant use. */
    void reserveResident(long bytes) {
        mostResident = MAX_RESIDENT + (int) (bytes >>> WINDOW_SHIFT) + 1;
    }

    /** Gives the pages of a window back to the page cache; the next access maps them again. */
    private void releaseOldest() {
        Window oldest = null;
        for (Window window : windows) {
            boolean isOlder = oldest == null || (window != null && window.used < oldest.used);
            if (window != null && window.isResident && isOlder) {
                oldest = window;
            }
        }
        if (oldest != null) {
            oldest.isResident = false;
            resident--;
            var _ = SysMman.release(oldest.memory); // a failure costs memory only
        }
    }

    private static int within(long offset) {
        return (int) offset & (WINDOW - 1);
    }

    long getLong(long offset) throws JournalException {
        ByteBuffer window = frequent(offset);
        return window != null
                ? window.getLong(within(offset))
                : Bytes.getLong(read(offset, Long.BYTES), 0);
    }

    void putLong(long offset, long value) throws JournalException {
        ByteBuffer window = frequent(offset);
        if (window != null) {
            var _ = window.putLong(within(offset), value);
        } else {
            byte[] bytes = new byte[Long.BYTES];
            Bytes.putLong(bytes, 0, value);
            write(offset, bytes);
        }
    }

    int getInt(long offset) throws JournalException {
        ByteBuffer window = frequent(offset);
        return window != null
                ? window.getInt(within(offset))
                : Bytes.getInt(read(offset, Integer.BYTES), 0);
    }

    void putInt(long offset, int value) throws JournalException {
        ByteBuffer window = frequent(offset);
        if (window != null) {
            var _ = window.putInt(within(offset), value);
        } else {
            byte[] bytes = new byte[Integer.BYTES];
            Bytes.putInt(bytes, 0, value);
            write(offset, bytes);
        }
    }

    int getByte(long offset) throws JournalException {
        ByteBuffer window = frequent(offset);
        return window != null ? window.get(within(offset)) : read(offset, 1)[0];
    }

    void putByte(long offset, int value) throws JournalException {
        var _ = window(offset).put(within(offset), (byte) value);
    }

    void put(long offset, byte[] bytes, int from, int length) throws JournalException {
        int done = 0;
        while (done < length) {
            int at = within(offset + done);
            int room = Math.min(length - done, WINDOW - at);
            var _ = window(offset + done).put(at, bytes, from + done, room);
            done += room;
        }
    }

    void get(long offset, byte[] into, int length) throws JournalException {
        int done = 0;
        while (done < length) {
            int at = within(offset + done);
            int room = Math.min(length - done, WINDOW - at);
            var _ = window(offset + done).get(at, into, done, room);
            done += room;
        }
    }

    /**
     * Copies a few bytes that are not needed again soon: of a window that is not resident by
     * pread(2), which leaves it so.
     */
    void peek(long offset, byte[] into) throws JournalException {
        if (isResident(offset, into.length)) {
            get(offset, into, into.length);
        } else if (Unistd.pread(fd, into, 0, into.length, offset) != into.length) {
            throw new JournalException(path, offset, "read failed");
        }
    }

    /** Stores a number, as {@link #peek} reads. */
    void poke(long offset, long value) throws JournalException {
        if (isResident(offset, Long.BYTES)) {
            putLong(offset, value);
            return;
        }
        byte[] bytes = new byte[Long.BYTES];
        Bytes.putLong(bytes, 0, value);
        write(offset, bytes);
    }

    private boolean isResident(long offset, int length) {
        int index = (int) (offset >>> WINDOW_SHIFT);
        Window window = index < windows.length ? windows[index] : null;
        return window != null && window.isResident && within(offset) + length <= WINDOW;
    }

    /** Returns whether the file has these bytes at an offset. */
    boolean equals(long offset, byte[] bytes) throws JournalException {
        if (bytes.length <= SHORT && frequent(offset) == null) {
            return Arrays.equals(read(offset, bytes.length), bytes);
        }
        int done = 0;
        while (done < bytes.length) {
            int at = within(offset + done);
            int room = Math.min(bytes.length - done, WINDOW - at);
            ByteBuffer part = window(offset + done).slice(at, room);
            if (part.mismatch(ByteBuffer.wrap(bytes, done, room)) >= 0) {
                return false;
            }
            done += room;
        }
        return true;
    }

    /** Writes one byte by pwrite(2): unlike a store into a mapping, that wakes inotify(7). */
    void touch(long offset, byte[] one) {
        var _ = Unistd.pwrite(fd, one, 0, 1, offset); // a failure costs a wake-up only
    }

    /** {@code fdatasync(2)}. */
    void sync() throws IOException {
        channel.force(false);
    }

    private void unmap() {
        first = null;
        last = null;
        for (Window window : windows) {
            if (window != null) {
                window.close();
            }
        }
        Arrays.fill(windows, null);
        resident = 0;
    }

    @Override
    public void close() {
        unmap();
        try (fd) {
            channel.close();
        } catch (IOException e) {
            throw new AssertionError(e); // it closes descriptors only
        }
    }
}
