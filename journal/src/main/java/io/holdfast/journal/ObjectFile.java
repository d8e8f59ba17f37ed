package io.holdfast.journal;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.journal.format.Bytes;
import io.holdfast.journal.format.Layout;
import io.holdfast.journal.format.Lookup3;
import io.holdfast.journal.format.SipHash;
import java.nio.file.Path;

/**
 * The objects of a journal file, for readers. Every offset and size is checked against the file
 * before it is used, since the file may be damaged, hostile, or under change by its writer.
 *
 * <p>It is a snapshot: {@link #refresh} takes the next one. {@link #locate} makes a part of the
 * file available in {@link #bytes} until the next call. Not thread-safe.
 */
final class ObjectFile implements AutoCloseable {
    final Path path;
    final WindowCache cache;

    /** Distinguishes this file from all others that share the cache. */
    final int number;

    private final Fd fd;
    private final FileStatus status;
    private final byte[] headerBytes = new byte[Layout.NEWEST_HEADER];
    private int key;
    private FileHeader header;
    private boolean isCompact;
    private long end;
    private byte[] bridge = new byte[0];

    /** The array that holds what {@link #locate} was asked for. */
    byte[] bytes = bridge;

    private long windowStart = -1;
    private long windowKey;
    private WindowCache.Window window = new WindowCache.Window();

    private ObjectFile(Path path, Fd fd, FileStatus status, WindowCache cache)
            throws JournalException {
        this.path = path;
        this.fd = fd;
        this.status = status;
        this.cache = cache;
        this.number = cache.newFile();
        this.key = number;
        this.header = refresh();
    }

    /** Opens a file. */
    static ObjectFile open(Path path, WindowCache cache) throws JournalException {
        OpenedFile opened;
        try {
            opened = OpenedFile.open(path.toAbsolutePath(), OpenHow.reading());
        } catch (FileException e) {
            throw new JournalException(path, reason(e, path), e);
        }
        Fd fd = opened.fd().move();
        try {
            return new ObjectFile(path, fd, opened.stat(), cache);
        } catch (JournalException | RuntimeException | Error e) {
            fd.close();
            throw e;
        } finally {
            opened.close();
        }
    }

    private static String reason(FileException e, Path path) {
        String message = String.valueOf(e.getMessage());
        String prefix = path.toAbsolutePath() + ": ";
        return message.startsWith(prefix) ? message.substring(prefix.length()) : message;
    }

    /** Reads the header again and forgets what was cached. */
    FileHeader refresh() throws JournalException {
        key = cache.newFile();
        windowStart = -1;
        int length = readAt(headerBytes, 0, headerBytes.length, 0);
        header = FileHeader.parse(path, headerBytes, length);
        isCompact = header.isCompact();
        long size = size();
        long used = header.headerSize() + header.arenaSize();
        end = used < header.headerSize() ? size : Math.min(size, used);
        return header;
    }

    /** Returns the number of entries that the file has now, without a new snapshot. */
    long entriesNow() throws JournalException {
        byte[] count = new byte[8];
        return readAt(count, 0, 8, Layout.N_ENTRIES) < 8 ? 0 : Bytes.getLong(count, 0);
    }

    private long size() throws JournalException {
        try {
            return SysStat.stat(fd).size();
        } catch (ErrnoException e) {
            throw new JournalException(path, "fstat failed", e);
        }
    }

    FileHeader header() {
        return header;
    }

    /** Returns the header as it is in the file. */
    byte[] headerBytes() {
        return headerBytes;
    }

    boolean isCompact() {
        return isCompact;
    }

    /** Returns whether both are the same file by device and inode. */
    boolean isSameFile(FileStatus other) {
        return status.isSameFile(other);
    }

    /** Returns whether no name leads to the file any more. */
    boolean isRemoved() {
        return SysStat.stat(fd).links() == 0;
    }

    /** Returns the end of the part that the file uses, or of the file if that is shorter. */
    long end() {
        return end;
    }

    /** Returns the offset of the payload in a DATA object. */
    int dataPayload() {
        return isCompact ? Layout.DATA_PAYLOAD_COMPACT : Layout.DATA_PAYLOAD;
    }

    /** Returns the size of an offset in an array. */
    int itemSize() {
        return isCompact ? 4 : 8;
    }

    /** Returns the hash of a payload in this file. */
    long hash(byte[] payload, int from, int length) {
        if (!header.isKeyed()) {
            return Lookup3.of(payload, from, length);
        }
        Id128 id = header.fileId();
        return SipHash.of(
                Long.reverseBytes(id.high()), Long.reverseBytes(id.low()), payload, from, length);
    }

    /**
     * Makes a part of the file available; returns its index in {@link #bytes}.
     *
     * @throws JournalException if the file ends before, or cannot be read
     */
    int locate(long offset, int length) throws JournalException {
        long within = offset - windowStart;
        boolean isCurrent = windowStart >= 0 && window.key == windowKey; // else another file has it
        if (isCurrent && within >= 0 && within + length <= window.length) {
            bytes = window.bytes;
            return (int) within;
        }
        select(offset);
        within = offset - windowStart;
        if (within + length <= window.length) {
            bytes = window.bytes;
            return (int) within;
        }
        if (bridge.length < length) {
            bridge = new byte[Math.max(length, 4096)];
        }
        copy(offset, bridge, length);
        bytes = bridge;
        return 0;
    }

    private void select(long offset) throws JournalException {
        long index = offset / WindowCache.WINDOW;
        windowStart = index * WindowCache.WINDOW;
        WindowCache.Window cached = cache.find(key, index);
        if (cached == null) {
            cached = cache.replace(key, index);
            cached.length = readAt(cached.bytes, 0, WindowCache.WINDOW, windowStart);
        }
        window = cached;
        windowKey = cached.key;
        bytes = cached.bytes;
    }

    /** Copies a part of the file. */
    void copy(long offset, byte[] into, int length) throws JournalException {
        int done = 0;
        while (done < length) {
            select(offset + done);
            int within = (int) (offset + done - windowStart);
            int room = Math.min(length - done, window.length - within);
            if (room <= 0) {
                throw new JournalException(path, offset + done, "the file ends here unexpectedly");
            }
            System.arraycopy(window.bytes, within, into, done, room);
            done += room;
        }
    }

    private int readAt(byte[] into, int from, int length, long offset) throws JournalException {
        int done = 0;
        while (done < length) {
            int n = Unistd.pread(fd, into, from + done, length - done, offset + done);
            if (n < 0) {
                throw new JournalException(path, offset, "read failed: " + Errno.text(-n));
            }
            if (n == 0) {
                break;
            }
            done += n;
        }
        return done;
    }

    /**
     * Returns the size of an object; -1 if there is no valid object of this type. {@link #bytes}
     * then holds its header.
     */
    long sizeOf(long offset, int type) throws JournalException {
        if ((offset & 7) != 0
                || offset < header.headerSize()
                || offset > end - Layout.OBJECT_HEADER) {
            return -1;
        }
        int at = locate(offset, Layout.OBJECT_HEADER);
        if (bytes[at + Layout.OBJECT_TYPE] != type) {
            return -1;
        }
        long size = Bytes.getLong(bytes, at + Layout.OBJECT_SIZE);
        return size < Layout.minimumSize(type) || size > end - offset ? -1 : size;
    }

    /** Describes why {@link #sizeOf} returned -1. */
    JournalException invalid(long offset, int type) throws JournalException {
        String name = Layout.name(type);
        if ((offset & 7) != 0 || offset < header.headerSize()) {
            return damage(offset, "this is no offset of an object (" + name + ")");
        }
        if (offset > end - Layout.OBJECT_HEADER) {
            return damage(offset, "the " + name + " object is behind the end at " + end);
        }
        int at = locate(offset, Layout.OBJECT_HEADER);
        int actual = bytes[at] & 0xff;
        if (actual != type) {
            return damage(
                    offset,
                    "a " + name + " object is expected, and this is " + Layout.name(actual));
        }
        long size = Bytes.getLong(bytes, at + Layout.OBJECT_SIZE);
        return damage(
                offset, "the " + name + " object has the size " + Long.toUnsignedString(size));
    }

    JournalException damage(long offset, String problem) {
        return new JournalException(path, offset, problem);
    }

    /** Returns a number at an offset that has been checked. */
    long longAt(long offset) throws JournalException {
        int at = locate(offset, 8);
        return Bytes.getLong(bytes, at);
    }

    /** Returns the item of an array that has been checked. */
    long itemAt(long offset) throws JournalException {
        int at = locate(offset, itemSize());
        return isCompact ? Bytes.getUnsigned(bytes, at) : Bytes.getLong(bytes, at);
    }

    /** Reads the fixed part of an entry; returns whether there is a valid one. */
    boolean head(long offset, EntryHead head) throws JournalException {
        long size = sizeOf(offset, Layout.ENTRY);
        if (size < 0) {
            return false;
        }
        int at = locate(offset, Layout.ENTRY_ITEMS);
        head.offset = offset;
        head.size = size;
        head.seqnum = Bytes.getLong(bytes, at + Layout.ENTRY_SEQNUM);
        head.realtime = Bytes.getLong(bytes, at + Layout.ENTRY_REALTIME);
        head.monotonic = Bytes.getLong(bytes, at + Layout.ENTRY_MONOTONIC);
        head.bootHigh = Long.reverseBytes(Bytes.getLong(bytes, at + Layout.ENTRY_BOOT_ID));
        head.bootLow = Long.reverseBytes(Bytes.getLong(bytes, at + Layout.ENTRY_BOOT_ID + 8));
        head.xorHash = Bytes.getLong(bytes, at + Layout.ENTRY_XOR_HASH);
        head.seqnumId = header.seqnumId();
        return head.seqnum > 0 && head.realtime >= 0 && head.monotonic >= 0;
    }

    @Override
    public void close() {
        fd.close();
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
