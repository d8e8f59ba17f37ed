package io.holdfast.journal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.journal.format.Lookup3;
import java.util.Arrays;

/**
 * A field of an entry: a name such as {@code MESSAGE} and a value, which is any sequence of bytes.
 *
 * <p>A valid name has up to 64 of the characters A to Z, 0 to 9 and {@code _}, and does not begin
 * with a digit. Names that begin with {@code _} are those of trusted fields, which only the
 * receiver of messages adds. Immutable.
 */
public final class Field {
    /** The largest number of characters of a name: 64. */
    public static final int MAX_NAME = 64;

    private static final byte UNKNOWN = 0;
    private static final byte TEXT = 1;
    private static final byte BINARY = 2;

    private final byte[] payload; // NAME=value
    private final int nameLength;
    private byte kind; // racy, idempotent
    private long checksum; // the same; 0 is computed each time

    /** Takes over an array that contains the name, "=" and the value. */
    Field(byte[] payload, int nameLength) {
        this.payload = payload;
        this.nameLength = nameLength;
    }

    /**
     * Makes a field of a text.
     *
     * @param name the name
     * @param value the value, which is encoded in UTF-8
     * @return the field
     * @throws IllegalArgumentException if the name is not valid
     */
    public static Field of(String name, String value) {
        return of(name, value.getBytes(UTF_8));
    }

    /**
     * Makes a field of bytes.
     *
     * @param name the name
     * @param value the value, which is copied
     * @return the field
     * @throws IllegalArgumentException if the name is not valid
     */
    public static Field of(String name, byte[] value) {
        if (!isValidName(name)) {
            throw new IllegalArgumentException(
                    "\"" + name + "\" is not a name of a field: A-Z, 0-9 and _, at most 64");
        }
        byte[] payload = Arrays.copyOf(name.getBytes(ISO_8859_1), name.length() + 1 + value.length);
        payload[name.length()] = '=';
        System.arraycopy(value, 0, payload, name.length() + 1, value.length);
        return new Field(payload, name.length());
    }

    /**
     * Parses {@code NAME=value}.
     *
     * @param assignment the name, "=" and the value
     * @return the field
     * @throws IllegalArgumentException if there is no "=" or the name is not valid
     */
    public static Field parse(String assignment) {
        int equals = assignment.indexOf('=');
        if (equals < 0) {
            throw new IllegalArgumentException("\"" + assignment + "\" is not NAME=value");
        }
        return of(assignment.substring(0, equals), assignment.substring(equals + 1));
    }

    /**
     * Parses {@code NAME=value}, of which the value is any sequence of bytes.
     *
     * @param bytes the array that has it; the part is copied
     * @param from where it begins
     * @param to where it ends
     * @return the field
     * @throws IllegalArgumentException if there is no "=" or the name is not valid
     */
    public static Field parse(byte[] bytes, int from, int to) {
        int equals = from;
        while (equals < to && bytes[equals] != '=') {
            equals++;
        }
        if (equals == to || !isValidName(bytes, from, equals)) {
            throw new IllegalArgumentException("not NAME=value");
        }
        return new Field(Arrays.copyOfRange(bytes, from, to), equals - from);
    }

    /**
     * {@return whether a part of an array is a valid name of a field}
     *
     * @param bytes the array
     * @param from where the part begins
     * @param to where it ends
     */
    public static boolean isValidName(byte[] bytes, int from, int to) {
        if (from == to || to - from > MAX_NAME || (bytes[from] >= '0' && bytes[from] <= '9')) {
            return false;
        }
        for (int i = from; i < to; i++) {
            byte c = bytes[i];
            if ((c < 'A' || c > 'Z') && c != '_' && (c < '0' || c > '9')) {
                return false;
            }
        }
        return true;
    }

    /**
     * {@return whether a text is a valid name of a field}
     *
     * @param name the text
     */
    public static boolean isValidName(String name) {
        byte[] bytes = name.getBytes(ISO_8859_1); // another character becomes a question mark
        return isValidName(bytes, 0, bytes.length);
    }

    /** {@return the name} */
    public String name() {
        return new String(payload, 0, nameLength, UTF_8);
    }

    /**
     * {@return whether the field has this name}
     *
     * @param name the name
     */
    public boolean hasName(String name) {
        if (name.length() != nameLength) {
            return false;
        }
        for (int i = 0; i < nameLength; i++) {
            if (payload[i] != name.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /** {@return a copy of the value} */
    public byte[] value() {
        return Arrays.copyOfRange(payload, nameLength + 1, payload.length);
    }

    /** {@return the number of bytes of the value} */
    public int size() {
        return payload.length - nameLength - 1;
    }

    /** {@return the value as text; bytes that are not UTF-8 are replaced by U+FFFD} */
    public String text() {
        return new String(payload, nameLength + 1, size(), UTF_8);
    }

    /**
     * {@return whether the value is text that the export format writes on one line} That is: valid
     * UTF-8 without control characters, except for tabs.
     */
    public boolean isText() {
        byte known = kind;
        if (known == UNKNOWN) {
            known = Utf8.isPrintable(payload, nameLength + 1, payload.length) ? TEXT : BINARY;
            kind = known;
        }
        return known == TEXT;
    }

    byte[] payload() {
        return payload;
    }

    /** Returns the hash that the checksum of an entry is made of. */
    long checksum() {
        long known = checksum;
        if (known == 0) {
            known = Lookup3.of(payload, 0, payload.length);
            checksum = known;
        }
        return known;
    }

    int nameLength() {
        return nameLength;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Field field
                && nameLength == field.nameLength
                && Arrays.equals(payload, field.payload);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(payload);
    }

    /** Returns {@code NAME=value}, the value as {@link #text}. */
    @Override
    public String toString() {
        return name() + "=" + text();
    }
}
