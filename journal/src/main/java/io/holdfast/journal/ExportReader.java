package io.holdfast.journal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.holdfast.core.text.PrintableText;
import io.holdfast.journal.format.Bytes;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads entries in the journal export format, as {@code journalctl -o export} and {@link
 * ExportWriter} write them. Fields that begin with two underscores are the times and numbers of the
 * entry; unknown ones are skipped. Not thread-safe.
 *
 * <p>An entry is bounded by the limits {@code io.holdfast.journal.fieldSize}, {@code entrySize} and
 * {@code entryFields}.
 */
public final class ExportReader implements AutoCloseable {
    private final InputStream in;
    private long position;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    // of the entry that is read
    private long realtime;
    private long monotonic;
    private long seqnum;
    private Id128 seqnumId = Id128.NULL;
    private Id128 bootId = Id128.NULL;
    private @Nullable Cursor cursor;

    /**
     * Makes a reader.
     *
     * @param in the stream, which the reader owns
     */
    public ExportReader(InputStream in) {
        this.in = new BufferedInputStream(in, 64 << 10);
    }

    /**
     * Reads the next entry.
     *
     * @return the entry; null at the end
     * @throws IOException if the stream cannot be read, ends within a field, or is malformed; the
     *     message has the offset
     */
    public @Nullable Entry next() throws IOException {
        reset();
        List<Field> fields = new ArrayList<>();
        long left = JournalLimits.ENTRY_SIZE.value();
        boolean isEmpty = true;
        while (true) {
            boolean isEnd = !readLine();
            if (isEnd || line.size() == 0) {
                if (!isEmpty) {
                    return entry(fields);
                }
                if (isEnd) {
                    return null;
                }
                continue;
            }
            isEmpty = false;
            Field field = field(line.toByteArray());
            left -= field.payload().length;
            if (left < 0 || fields.size() >= JournalLimits.ENTRY_FIELDS.value()) {
                throw malformed(
                        "the entry is too large; "
                                + (left < 0 ? JournalLimits.ENTRY_SIZE : JournalLimits.ENTRY_FIELDS)
                                        .remedy());
            }
            if (field.nameLength() > 1 && field.payload()[0] == '_' && field.payload()[1] == '_') {
                meta(field);
            } else {
                if (field.hasName("_BOOT_ID")) {
                    bootId = id(field);
                }
                fields.add(field);
            }
        }
    }

    private void reset() {
        realtime = 0;
        monotonic = 0;
        seqnum = 0;
        seqnumId = Id128.NULL;
        bootId = Id128.NULL;
        cursor = null;
    }

    private Entry entry(List<Field> fields) {
        Cursor known = cursor;
        return new Entry(
                seqnumId,
                seqnum,
                bootId,
                monotonic,
                realtime,
                known == null ? 0 : known.xorHash(),
                fields.toArray(Field[]::new));
    }

    private void meta(Field field) throws IOException {
        switch (field.name()) {
            case "__REALTIME_TIMESTAMP" -> realtime = number(field);
            case "__MONOTONIC_TIMESTAMP" -> monotonic = number(field);
            case "__SEQNUM" -> seqnum = number(field);
            case "__SEQNUM_ID" -> seqnumId = id(field);
            case "__CURSOR" -> {
                try {
                    cursor = Cursor.parse(field.text());
                } catch (IllegalArgumentException e) {
                    throw malformed(e.getMessage());
                }
            }
            default -> {} // a later version may have it
        }
    }

    private long number(Field field) throws IOException {
        try {
            long number = Long.parseLong(field.text());
            if (number >= 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            // below
        }
        throw malformed(field.name() + " is no number");
    }

    private Id128 id(Field field) throws IOException {
        try {
            return Id128.parse(field.text());
        } catch (IllegalArgumentException e) {
            throw malformed(field.name() + " is no identifier");
        }
    }

    private Field field(byte[] text) throws IOException {
        int equals = 0;
        while (equals < text.length && text[equals] != '=') {
            equals++;
        }
        String name = new String(text, 0, equals, ISO_8859_1);
        if (!Field.isValidName(name)) {
            throw malformed("not the name of a field: " + shown(name));
        }
        if (equals < text.length) {
            return new Field(text, equals);
        }
        byte[] sizeBytes = in.readNBytes(8);
        position += sizeBytes.length;
        if (sizeBytes.length < 8) {
            throw new EOFException("offset " + position + ": the stream ends within " + name);
        }
        long size = Bytes.getLong(sizeBytes, 0);
        if (size < 0 || size > JournalLimits.FIELD_SIZE.value()) {
            throw malformed(
                    name
                            + " has "
                            + Long.toUnsignedString(size)
                            + " bytes; "
                            + JournalLimits.FIELD_SIZE.remedy());
        }
        byte[] value = in.readNBytes((int) size); // grows as the bytes arrive
        position += value.length;
        int end = value.length < size ? -1 : in.read();
        if (end < 0) {
            throw new EOFException("offset " + position + ": the stream ends within " + name);
        }
        position++;
        if (end != '\n') {
            throw malformed("there is no newline behind the value of " + name);
        }
        byte[] payload = Arrays.copyOf(text, equals + 1 + value.length);
        payload[equals] = '=';
        System.arraycopy(value, 0, payload, equals + 1, value.length);
        return new Field(payload, equals);
    }

    private static String shown(String name) {
        return PrintableText.of(name, Field.MAX_NAME);
    }

    private IOException malformed(@Nullable String problem) {
        return new IOException("offset " + position + ": " + problem);
    }

    /** Reads a line without its end; returns false at the end of the stream. */
    private boolean readLine() throws IOException {
        line.reset();
        long most = JournalLimits.FIELD_SIZE.value() + Field.MAX_NAME + 1;
        while (true) {
            int b = in.read();
            if (b < 0) {
                if (line.size() > 0) {
                    throw new EOFException(
                            "offset " + position + ": the stream ends within a line");
                }
                return false;
            }
            position++;
            if (b == '\n') {
                return true;
            }
            if (line.size() >= most) {
                throw malformed("a line is too long; " + JournalLimits.FIELD_SIZE.remedy());
            }
            line.write(b);
        }
    }

    /** Closes the stream. */
    @Override
    public void close() throws IOException {
        in.close();
    }
}
