package io.holdfast.dbus.marshal;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.dbus.wire.Signature;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/** A growing buffer for the bytes of a message; each value is appended after its zeroed padding. */
final class WireBuffer {
    private static final int FIRST = 512;

    /** The largest capacity that {@link #clear} keeps for the next message. */
    private static final int KEPT = 1 << 16;

    private final ValueLayout.OfShort shorts;
    private final ValueLayout.OfInt ints;
    private final ValueLayout.OfLong longs;
    private byte[] bytes = new byte[FIRST];
    private MemorySegment memory = MemorySegment.ofArray(bytes);
    private int length;

    WireBuffer(ByteOrder order) {
        shorts = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(order);
        ints = ValueLayout.JAVA_INT_UNALIGNED.withOrder(order);
        longs = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(order);
    }

    void clear() {
        length = 0;
        if (bytes.length > KEPT) {
            bytes = new byte[FIRST];
            memory = MemorySegment.ofArray(bytes);
        }
    }

    int length() {
        return length;
    }

    /** Returns the bytes so far, valid until more are appended. */
    MemorySegment memory() {
        return memory.asSlice(0, length);
    }

    void align(int alignment) {
        int aligned = TypeCode.align(length, alignment);
        if (aligned != length) {
            ensure(aligned - length);
            Arrays.fill(bytes, length, aligned, (byte) 0);
            length = aligned;
        }
    }

    void putByte(int value) {
        ensure(1);
        bytes[length++] = (byte) value;
    }

    void putShort(int value) {
        align(2);
        ensure(2);
        memory.set(shorts, length, (short) value);
        length += 2;
    }

    void putInt(int value) {
        align(4);
        ensure(4);
        memory.set(ints, length, value);
        length += 4;
    }

    void putLong(long value) {
        align(8);
        ensure(8);
        memory.set(longs, length, value);
        length += 8;
    }

    void patchByte(int at, int value) {
        bytes[at] = (byte) value;
    }

    void patchInt(int at, int value) {
        memory.set(ints, at, value);
    }

    /** Appends a length of four bytes, the text, and a NUL. */
    void putText(byte[] text) {
        putInt(text.length);
        putBytes(text);
        putByte(0);
    }

    /**
     * Appends the text in UTF-8, as {@link #putText(byte[])} does.
     *
     * @throws IllegalArgumentException if the text has a NUL or half a surrogate pair
     */
    void putText(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean isPair =
                    Character.isSurrogate(c)
                            && Character.isSupplementaryCodePoint(text.codePointAt(i));
            if (c == 0 || (Character.isSurrogate(c) && !isPair)) {
                throw new IllegalArgumentException(
                        "text that D-Bus cannot carry: character "
                                + i
                                + (c == 0 ? " is NUL" : " is half of a surrogate pair"));
            }
            i += isPair ? 1 : 0;
        }
        putText(text.getBytes(UTF_8));
    }

    /** Appends a length of one byte, the codes, and a NUL. */
    void putSignature(Signature signature) {
        byte[] codes = SignatureCheck.codes(signature);
        putByte(codes.length);
        putBytes(codes);
        putByte(0);
    }

    void putBytes(byte[] source) {
        ensure(source.length);
        System.arraycopy(source, 0, bytes, length, source.length);
        length += source.length;
    }

    private void ensure(int more) {
        if (more > bytes.length - length) {
            if (more > WireLimits.MAX_MESSAGE - length) {
                throw new IllegalArgumentException(
                        "a message of more than " + WireLimits.MAX_MESSAGE + " bytes");
            }
            int twice = Math.min(2 * bytes.length, WireLimits.MAX_MESSAGE);
            bytes = Arrays.copyOf(bytes, Math.max(length + more, twice));
            memory = MemorySegment.ofArray(bytes);
        }
    }
}
