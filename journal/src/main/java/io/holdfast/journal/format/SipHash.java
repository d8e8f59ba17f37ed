package io.holdfast.journal.format;

/** SipHash-2-4 (Aumasson and Bernstein), the keyed hash of journal files. */
public final class SipHash {
    private SipHash() {}

    /**
     * Returns the hash of a part of an array.
     *
     * @param k0 the first half of the key, little-endian
     * @param k1 the second half
     */
    public static long of(long k0, long k1, byte[] bytes, int from, int length) {
        long v0 = k0 ^ 0x736f6d6570736575L;
        long v1 = k1 ^ 0x646f72616e646f6dL;
        long v2 = k0 ^ 0x6c7967656e657261L;
        long v3 = k1 ^ 0x7465646279746573L;
        int words = length >>> 3;
        for (int step = 0;
                step < words + 3;
                step++) { // the whole words, the rest, and the end twice
            long m =
                    step < words
                            ? Bytes.getLong(bytes, from + step * Long.BYTES)
                            : step == words ? last(bytes, from + words * Long.BYTES, length) : 0;
            if (step == words + 1) {
                v2 ^= 0xff;
            }
            v3 ^= m;
            v0 += v1;
            v2 += v3;
            v1 = Long.rotateLeft(v1, 13) ^ v0;
            v3 = Long.rotateLeft(v3, 16) ^ v2;
            v0 = Long.rotateLeft(v0, 32);
            v2 += v1;
            v0 += v3;
            v1 = Long.rotateLeft(v1, 17) ^ v2;
            v3 = Long.rotateLeft(v3, 21) ^ v0;
            v2 = Long.rotateLeft(v2, 32);
            v0 += v1;
            v2 += v3;
            v1 = Long.rotateLeft(v1, 13) ^ v0;
            v3 = Long.rotateLeft(v3, 16) ^ v2;
            v0 = Long.rotateLeft(v0, 32);
            v2 += v1;
            v0 += v3;
            v1 = Long.rotateLeft(v1, 17) ^ v2;
            v3 = Long.rotateLeft(v3, 21) ^ v0;
            v2 = Long.rotateLeft(v2, 32);
            v0 ^= m;
        }
        return v0 ^ v1 ^ v2 ^ v3;
    }

    private static long last(byte[] bytes, int at, int length) {
        long m = (long) length << 56;
        for (int i = 0; i < (length & 7); i++) {
            m |= (bytes[at + i] & 0xffL) << (8 * i);
        }
        return m;
    }
}
