package io.holdfast.receiver.input;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.holdfast.journal.Field;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Parses a message of the native protocol: fields as {@code NAME=value} lines, or as a line with
 * the name, the size of the value in 8 bytes (little-endian), the value, and a line feed. An empty
 * line begins another entry.
 *
 * <p>A sender may not set fields whose name begins with an underscore: they are left out, as are
 * fields with invalid names, and everything from a wrong size on.
 *
 * @see <a href="https://systemd.io/JOURNAL_NATIVE_PROTOCOL/">Native Journal Protocol</a>
 */
public final class NativeMessage {
    private static final int SIZE_BYTES = Long.BYTES;

    private final byte[] data;
    private final int mostFields;
    private final int mostEntries;
    private final List<List<Field>> entries = new ArrayList<>();
    private List<Field> fields = new ArrayList<>();
    private int dropped;
    private int at;

    private NativeMessage(byte[] data, int mostFields, int mostEntries) {
        this.data = data;
        this.mostFields = mostFields;
        this.mostEntries = mostEntries;
    }

    /**
     * Parses a message.
     *
     * @param data the whole message
     * @param mostFields of one entry; more are left out
     * @param mostEntries of the message; the rest is left out
     */
    public static NativeMessage parse(byte[] data, int mostFields, int mostEntries) {
        NativeMessage message = new NativeMessage(data, mostFields, mostEntries);
        message.read();
        return message;
    }

    /** {@return the fields of each entry, without empty entries} */
    public List<List<Field>> entries() {
        return entries;
    }

    /** {@return how many fields were left out} */
    public int dropped() {
        return dropped;
    }

    private void read() {
        while (at < data.length) {
            if (entries.size() >= mostEntries) {
                dropped++;
                break; // an entry takes much more memory than its four bytes here
            }
            int end = lineEnd();
            if (end == at) {
                endEntry();
                at = end + 1;
            } else if (!field(end)) {
                dropped++;
                break; // the rest cannot be found
            }
        }
        endEntry();
    }

    private int lineEnd() {
        int end = at;
        while (end < data.length && data[end] != '\n') {
            end++;
        }
        return end;
    }

    /** Reads a field whose first line ends here; returns false if its size is wrong. */
    private boolean field(int end) {
        int equals = at;
        while (equals < end && data[equals] != '=') {
            equals++;
        }
        if (equals < end) {
            if (maySet(equals)) {
                fields.add(Field.parse(data, at, end));
            }
            at = end + 1;
            return true;
        }
        int value = end + 1 + SIZE_BYTES;
        if (value > data.length) {
            return false;
        }
        long size = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).getLong(end + 1);
        if (size < 0 || size >= data.length - value || data[value + (int) size] != '\n') {
            return false;
        }
        if (maySet(end)) {
            String name = new String(data, at, end - at, US_ASCII);
            fields.add(Field.of(name, Arrays.copyOfRange(data, value, value + (int) size)));
        }
        at = value + (int) size + 1;
        return true;
    }

    /** Returns whether a sender may set the field whose name ends here; counts it if not. */
    private boolean maySet(int nameEnd) {
        boolean may =
                fields.size() < mostFields
                        && data[at] != '_'
                        && Field.isValidName(data, at, nameEnd);
        dropped += may ? 0 : 1;
        return may;
    }

    private void endEntry() {
        if (!fields.isEmpty()) {
            entries.add(fields);
            fields = new ArrayList<>();
        }
    }
}
