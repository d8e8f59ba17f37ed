package io.holdfast.journal.format;

/** Jenkins' lookup3, the hash of old journal files and of the checksum of each entry. */
public final class Lookup3 {
    private Lookup3() {}

    /** Returns the 64-bit hash of a part of an array; the first result is the high half. */
    public static long of(byte[] bytes, int from, int length) {
        int a = 0xdeadbeef + length;
        int b = a;
        int c = a;
        int at = from;
        int left = length;
        while (left > 12) {
            a += Bytes.getInt(bytes, at);
            b += Bytes.getInt(bytes, at + 4);
            c += Bytes.getInt(bytes, at + 8);
            a = (a - c) ^ Integer.rotateLeft(c, 4);
            c += b;
            b = (b - a) ^ Integer.rotateLeft(a, 6);
            a += c;
            c = (c - b) ^ Integer.rotateLeft(b, 8);
            b += a;
            a = (a - c) ^ Integer.rotateLeft(c, 16);
            c += b;
            b = (b - a) ^ Integer.rotateLeft(a, 19);
            a += c;
            c = (c - b) ^ Integer.rotateLeft(b, 4);
            b += a;
            at += 12;
            left -= 12;
        }
        if (left > 0) {
            a += word(bytes, at, Math.min(left, 4));
            b += word(bytes, at + 4, Math.clamp(left - 4, 0, 4));
            c += word(bytes, at + 8, Math.max(left - 8, 0));
            c = (c ^ b) - Integer.rotateLeft(b, 14);
            a = (a ^ c) - Integer.rotateLeft(c, 11);
            b = (b ^ a) - Integer.rotateLeft(a, 25);
            c = (c ^ b) - Integer.rotateLeft(b, 16);
            a = (a ^ c) - Integer.rotateLeft(c, 4);
            b = (b ^ a) - Integer.rotateLeft(a, 14);
            c = (c ^ b) - Integer.rotateLeft(b, 24);
        }
        return ((long) c << 32) | Integer.toUnsignedLong(b);
    }

    private static int word(byte[] bytes, int at, int length) {
        int word = 0;
        for (int i = 0; i < length; i++) {
            word |= (bytes[at + i] & 0xff) << (8 * i);
        }
        return word;
    }
}
