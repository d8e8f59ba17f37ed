package io.holdfast.journal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.holdfast.journal.format.Bytes;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;

/**
 * Writes entries in the journal export format, byte for byte as {@code journalctl -o export}.
 * Entries that come from no file are written without the fields of the file. Not thread-safe.
 */
public final class ExportWriter implements AutoCloseable {
    private static final int FLUSH = 64 << 10;
    private static final byte[] CURSOR = ascii("__CURSOR=");
    private static final byte[] REALTIME = ascii("__REALTIME_TIMESTAMP=");
    private static final byte[] MONOTONIC = ascii("__MONOTONIC_TIMESTAMP=");
    private static final byte[] SEQNUM = ascii("__SEQNUM=");
    private static final byte[] SEQNUM_ID = ascii("__SEQNUM_ID=");
    private static final byte[] BOOT_ID = ascii("_BOOT_ID=");

    private final OutputStream out;
    private byte[] buffer = new byte[2 * FLUSH];
    private int used;

    /**
     * Makes a writer.
     *
     * @param out the stream, which the writer owns
     */
    public ExportWriter(OutputStream out) {
        this.out = out;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(ISO_8859_1);
    }

    /**
     * Writes an entry and the empty line behind it.
     *
     * @param entry the entry
     * @throws IOException if the stream cannot be written
     */
    public void write(Entry entry) throws IOException {
        boolean isStored = entry.seqnum() != 0;
        if (isStored) {
            line(CURSOR, entry.cursor().toString());
        }
        line(REALTIME, Long.toString(entry.realtimeMicros()));
        line(MONOTONIC, Long.toString(entry.monotonicMicros()));
        if (isStored) {
            line(SEQNUM, Long.toUnsignedString(entry.seqnum()));
            line(SEQNUM_ID, entry.seqnumId().toString());
        }
        line(BOOT_ID, entry.bootId().toString());
        for (Field field : entry.fieldArray()) {
            if (!field.hasName("_BOOT_ID")) {
                field(field);
            }
        }
        room(1)[used++] = '\n';
        if (used >= FLUSH) {
            flushBuffer();
        }
    }

    private void line(byte[] start, String value) throws IOException {
        byte[] into = room(start.length + value.length() + 1);
        System.arraycopy(start, 0, into, used, start.length);
        used += start.length;
        for (int i = 0; i < value.length(); i++) {
            into[used++] = (byte) value.charAt(i);
        }
        into[used++] = '\n';
    }

    private void field(Field field) throws IOException {
        byte[] payload = field.payload();
        if (payload.length > FLUSH) {
            large(field);
            return;
        }
        byte[] into = room(payload.length + 10);
        System.arraycopy(payload, 0, into, used, payload.length);
        if (!field.isText()) {
            int value = field.nameLength() + 1;
            System.arraycopy(payload, value, into, used + value + 8, field.size());
            into[used + value - 1] = '\n';
            Bytes.putLong(into, used + value, field.size());
            used += 8;
        }
        used += payload.length;
        into[used++] = '\n';
    }

    private void large(Field field) throws IOException {
        flushBuffer();
        int value = field.nameLength() + 1;
        if (field.isText()) {
            out.write(field.payload());
        } else {
            byte[] start = Arrays.copyOf(field.payload(), value + 8);
            start[value - 1] = '\n';
            Bytes.putLong(start, value, field.size());
            out.write(start);
            out.write(field.payload(), value, field.size());
        }
        out.write('\n');
    }

    private byte[] room(int bytes) throws IOException {
        if (buffer.length - used < bytes) {
            flushBuffer();
        }
        return buffer;
    }

    private void flushBuffer() throws IOException {
        out.write(buffer, 0, used);
        used = 0;
    }

    /**
     * Writes what is buffered, and flushes the stream.
     *
     * @throws IOException if the stream cannot be written
     */
    public void flush() throws IOException {
        flushBuffer();
        out.flush();
    }

    /** Writes what is buffered, and closes the stream. */
    @Override
    public void close() throws IOException {
        try (out) {
            flush();
        }
    }
}
