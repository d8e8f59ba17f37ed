package io.holdfast.dbus.marshal;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The bytes of the last header that was found valid. Senders repeat themselves: a header that
 * differs from it only in flags, serials and the length of the body is valid too.
 */
final class KnownHeader {
    /** The limit in words of eight bytes, without the fixed part; a longer header is not kept. */
    private static final int MOST = 64;

    private static final ValueLayout.OfInt INT =
            JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong WORD =
            JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int NO_FLAGS = 0xff00ffff;
    private static final int FIELDS_LENGTH = 12;

    private final long[] words = new long[MOST];
    private int count = -1;
    private int begin;
    private int fieldsLength;

    /** The index of the word that ends with the reply serial; -1 if there is none. */
    private int reply;

    /**
     * Keeps a header that was found valid.
     *
     * @param replyField the position of the REPLY_SERIAL field in the message; -1 if there is none
     */
    void keep(MemorySegment bytes, long base, int bodyStart, int replyField) {
        int needed = (bodyStart - MessageView.FIXED_LENGTH) >> 3;
        if (needed > MOST) {
            return;
        }
        begin = bytes.get(INT, base) & NO_FLAGS;
        fieldsLength = bytes.get(INT, base + FIELDS_LENGTH);
        for (int i = 0; i < needed; i++) {
            words[i] = word(bytes, base, i);
        }
        reply = replyField < 0 ? -1 : (replyField - MessageView.FIXED_LENGTH) >> 3;
        count = needed;
    }

    void forget() {
        count = -1;
    }

    /** Returns whether the header equals the kept one; the memory must have room for it. */
    boolean matches(MemorySegment bytes, long base) {
        if (count < 0
                || bytes.get(INT, base + FIELDS_LENGTH) != fieldsLength
                || (bytes.get(INT, base) & NO_FLAGS) != begin) {
            return false;
        }
        for (int i = 0; i < count; i++) {
            long changed = word(bytes, base, i) ^ words[i];
            if (changed != 0 && (i != reply || (int) changed != 0)) {
                return false;
            }
        }
        return true;
    }

    private static long word(MemorySegment bytes, long base, int i) {
        return bytes.get(WORD, base + MessageView.FIXED_LENGTH + 8L * i);
    }
}
