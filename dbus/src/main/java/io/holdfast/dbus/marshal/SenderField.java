package io.holdfast.dbus.marshal;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The SENDER field that a bus adds to the messages of a peer, prebuilt once per peer. The bus
 * relays a message with a new header, followed by its body byte for byte. The new header keeps all
 * fields in their order, except that the peer's own SENDER, CONTAINER_INSTANCE and fields of
 * unknown code are dropped, and this SENDER is appended.
 *
 * <p>Immutable; writing allocates nothing.
 */
public final class SenderField {
    private static final ValueLayout.OfLong WORD =
            JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int FIELDS_LENGTH = 12;

    /** The length of field code, signature, and length of the text. */
    private static final int FRONT = 8;

    private final byte[] little;
    private final byte[] big;

    /**
     * Prepares the field of one sender.
     *
     * @param name a bus name, such as {@code :1.42}
     * @throws IllegalArgumentException if the name is no valid bus name
     */
    public SenderField(String name) {
        if (!Syntax.isBusName(name)) {
            throw new IllegalArgumentException("not a bus name: '" + name + "'");
        }
        byte[] text = name.getBytes(StandardCharsets.US_ASCII);
        little = new byte[FRONT + text.length + 1];
        little[0] = HeaderField.SENDER;
        little[1] = 1;
        little[2] = 's';
        System.arraycopy(text, 0, little, FRONT, text.length);
        big = little.clone();
        little[4] = (byte) text.length;
        big[7] = (byte) text.length;
    }

    /**
     * {@return the length of the relayed message's header with its padding, where its body starts}
     */
    public int headerLength(MessageView view) {
        int kept = view.hasForeignFields() ? keptOf(view) : kept(view);
        return TypeCode.align(TypeCode.align(kept, 8) + little.length, 8);
    }

    /**
     * {@return the length of the whole relayed message} It may exceed {@link
     * WireLimits#MAX_MESSAGE} by up to a SENDER field; such a message must not be relayed.
     */
    public int relayedLength(MessageView view) {
        return headerLength(view) + view.bodyLength();
    }

    /**
     * Writes the header of the relayed message.
     *
     * @param target the memory to write to, with room for {@link #headerLength} bytes; must not
     *     overlap the message
     * @param offset where in the target to write
     * @return the number of bytes written; the body comes next
     */
    public int writeHeader(MessageView view, MemorySegment target, long offset) {
        int kept =
                view.hasForeignFields() ? copyOf(view, target, offset) : copy(view, target, offset);
        byte[] sender = view.isLittleEndian() ? little : big;
        int start = zeros(target, offset, kept);
        MemorySegment.copy(sender, 0, target, JAVA_BYTE, offset + start, sender.length);
        int end = start + sender.length;
        int fields = end - MessageView.FIXED_LENGTH;
        boolean swapped =
                view.isLittleEndian() != (ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN);
        target.set(
                JAVA_INT_UNALIGNED,
                offset + FIELDS_LENGTH,
                swapped ? Integer.reverseBytes(fields) : fields);
        return zeros(target, offset, end);
    }

    /** Returns the length of the header up to its last field, without the peer's own SENDER. */
    private static int kept(MessageView view) {
        int end = view.fieldsEnd() - view.offset();
        if (!view.has(HeaderField.SENDER)) {
            return end;
        }
        int from = view.senderFieldStart() - view.offset();
        int to = TypeCode.align(view.senderFieldEnd() - view.offset(), 8);
        return to >= end ? from : end - (to - from);
    }

    private static int copy(MessageView view, MemorySegment target, long offset) {
        int base = view.offset();
        int kept = kept(view);
        if (!view.has(HeaderField.SENDER)) {
            MemorySegment.copy(view.bytes(), base, target, offset, kept);
            return kept;
        }
        // Fields start at multiples of 8, so the fields behind it move by whole words.
        int from = view.senderFieldStart() - base;
        int to = TypeCode.align(view.senderFieldEnd() - base, 8);
        MemorySegment.copy(view.bytes(), base, target, offset, from);
        MemorySegment.copy(view.bytes(), base + (long) to, target, offset + from, kept - from);
        return kept;
    }

    /** Returns the same length as {@link #kept}, but field by field. */
    private static int keptOf(MessageView view) {
        int base = view.offset();
        int kept = MessageView.FIXED_LENGTH;
        int end = view.fieldsEnd();
        for (int at = base + kept; at < end; ) {
            int after = view.endOfField(at);
            if (stays(view, at)) {
                kept = TypeCode.align(kept, 8) + after - at;
            }
            at = base + TypeCode.align(after - base, 8);
        }
        return kept;
    }

    private static int copyOf(MessageView view, MemorySegment target, long offset) {
        int base = view.offset();
        int kept = MessageView.FIXED_LENGTH;
        int end = view.fieldsEnd();
        MemorySegment.copy(view.bytes(), base, target, offset, kept);
        for (int at = base + kept; at < end; ) {
            int after = view.endOfField(at);
            if (stays(view, at)) {
                kept = zeros(target, offset, kept);
                MemorySegment.copy(view.bytes(), at, target, offset + kept, after - at);
                kept += after - at;
            }
            at = base + TypeCode.align(after - base, 8);
        }
        return kept;
    }

    private static boolean stays(MessageView view, int field) {
        int code = view.bytes().get(JAVA_BYTE, field) & 0xff;
        return code < HeaderField.CONTAINER_INSTANCE && code != HeaderField.SENDER;
    }

    /** Pads a header to a multiple of 8; at least 8 bytes lie before the end. */
    private static int zeros(MemorySegment target, long offset, int from) {
        int to = TypeCode.align(from, 8);
        if (from < to) {
            long at = offset + to - 8;
            long kept = (1L << (8 * (8 - (to - from)))) - 1;
            target.set(WORD, at, target.get(WORD, at) & kept);
        }
        return to;
    }
}
