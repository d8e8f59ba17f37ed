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
        int at = from;
        for (int round = 0; round < 2 * words + 2 + 4; round++) {
            // rounds come in pairs for each word, one pair for the last partial word, then four
            long m = 0;
            boolean isWord = round < 2 * words + 2;
            if (isWord) {
                m =
                        round < 2 * words
                                ? Bytes.getLong(bytes, at)
                                : last(bytes, from + words * 8, length);
            }
            if (isWord && (round & 1) == 0) {
                v3 ^= m;
            }
            if (round == 2 * words + 2) {
                v2 ^= 0xff;
            }
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
            if (isWord && (round & 1) == 1) {
                v0 ^= m;
                at += 8;
            }
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
