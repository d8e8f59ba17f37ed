package io.holdfast.journal;

import io.holdfast.core.sys.SysRandom;
import io.holdfast.journal.format.Bytes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A 128-bit identifier of a machine, a boot, a file or a sequence. Its text has 32 hexadecimal
 * digits.
 *
 * @param high the first 8 bytes, big-endian
 * @param low the last 8 bytes, big-endian
 */
public record Id128(long high, long low) implements Comparable<Id128> {
    /** The identifier that means "none". */
    public static final Id128 NULL = new Id128(0, 0);

    private static final int DIGITS = 32;

    /**
     * Parses 32 hexadecimal digits, with or without the hyphens of a UUID.
     *
     * @param text the digits
     * @return the identifier
     * @throws IllegalArgumentException if the text is anything else
     */
    public static Id128 parse(String text) {
        String digits = text.length() == 36 ? text.replace("-", "") : text;
        for (int i = 0; i < digits.length(); i++) {
            if (Character.digit(digits.charAt(i), 16) < 0 || digits.charAt(i) > 'f') {
                throw malformed(text);
            }
        }
        if (digits.length() != DIGITS) {
            throw malformed(text);
        }
        return new Id128(
                Long.parseUnsignedLong(digits, 0, 16, 16),
                Long.parseUnsignedLong(digits, 16, DIGITS, 16));
    }

    private static IllegalArgumentException malformed(String text) {
        return new IllegalArgumentException(
                "\"" + text + "\" is not an identifier of 32 hexadecimal digits");
    }

    /** {@return a new random identifier, a UUID of version 4} */
    public static Id128 random() {
        long high = (SysRandom.bits() & ~0xf000L) | 0x4000L;
        long low = (SysRandom.bits() & 0x3fffffffffffffffL) | 0x8000000000000000L;
        return new Id128(high, low);
    }

    /**
     * {@return the identifier of this boot}
     *
     * @throws IOException if /proc cannot be read
     */
    public static Id128 boot() throws IOException {
        return read(Path.of("/proc/sys/kernel/random/boot_id"));
    }

    /**
     * {@return the identifier of this machine, {@link #NULL} if /etc/machine-id is missing or
     * empty}
     *
     * @throws IOException if the file cannot be read
     */
    public static Id128 machine() throws IOException {
        Path file = Path.of("/etc/machine-id");
        return Files.exists(file) && Files.size(file) > 0 ? read(file) : NULL;
    }

    private static Id128 read(Path file) throws IOException {
        String text = Files.readString(file).strip();
        try {
            return parse(text);
        } catch (IllegalArgumentException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
    }

    static Id128 get(byte[] bytes, int at) {
        return new Id128(
                Long.reverseBytes(Bytes.getLong(bytes, at)),
                Long.reverseBytes(Bytes.getLong(bytes, at + 8)));
    }

    /** Compares as unsigned numbers. */
    @Override
    public int compareTo(Id128 other) {
        int order = Long.compareUnsigned(high, other.high);
        return order != 0 ? order : Long.compareUnsigned(low, other.low);
    }

    /** Returns 32 hexadecimal digits in lower case. */
    @Override
    public String toString() {
        char[] digits = new char[DIGITS];
        for (int i = 0; i < 16; i++) {
            digits[i] = Character.forDigit((int) (high >>> (60 - 4 * i)) & 15, 16);
            digits[16 + i] = Character.forDigit((int) (low >>> (60 - 4 * i)) & 15, 16);
        }
        return new String(digits);
    }
}
