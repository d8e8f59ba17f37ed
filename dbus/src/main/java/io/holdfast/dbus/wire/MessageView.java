package io.holdfast.dbus.wire;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * One message where it lies in memory, checked in a single pass and then asked for its parts. Meant
 * to be reused: {@link #read} moves it to the next message. Reading and asking allocate nothing,
 * except for the methods that return a String.
 *
 * <p>Every rule of the D-Bus Specification on bytes holds for a message that was read: framing,
 * padding, the fields that its type requires, names, and a body that fits its signature exactly.
 * Not checked here: whether the descriptors that it declares came with it.
 *
 * <p>Offsets are of the memory segment, lengths in bytes; they hold until the bytes change or
 * another message is read. Not safe for use by several threads.
 */
public final class MessageView {
    /** The fixed part of a header with the length of the field array. */
    public static final int FIXED_LENGTH = 16;

    private static final boolean NATIVE_IS_LITTLE =
            ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
    private static final byte[] LOCAL_PATH =
            "/org/freedesktop/DBus/Local".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] LOCAL_INTERFACE =
            "org.freedesktop.DBus.Local".getBytes(StandardCharsets.US_ASCII);

    /** The largest code of a field that we know. */
    private static final int KNOWN = HeaderField.CONTAINER_INSTANCE;

    /** How deep the value of a header field lies: array, struct, variant. */
    private static final int FIELD_DEPTH = 3;

    private MemorySegment bytes = MemorySegment.NULL;
    private int base;
    private int length;
    private boolean little;
    private int type;
    private int flags;
    private int serial;
    private int bodyStart;
    private int fieldsEnd;
    private int replySerial;
    private int unixFds;
    private int senderStart;
    private int senderEnd;
    private boolean foreign;

    /** Bit n: field n is present. */
    private int present;

    /** Of each text field: where its text starts, from the start of the message, and its length. */
    private final int[] starts = new int[KNOWN + 1];

    private final int[] lengths = new int[KNOWN + 1];
    private final BodyCheck check = new BodyCheck();
    private final BodySkip skip = new BodySkip();
    private final Arguments arguments = new Arguments(skip);

    /** A view of nothing yet. */
    public MessageView() {}

    /**
     * The length of a message whose first 16 bytes are there.
     *
     * @return header, padding and body together
     * @throws ProtocolException if they start no message that may be
     */
    public static int lengthOf(MemorySegment bytes, long offset) {
        byte order = bytes.get(JAVA_BYTE, offset);
        if (order != 'l' && order != 'B') {
            throw new ProtocolException("header", 0, "neither 'l' nor 'B' for the byte order");
        }
        if (bytes.get(JAVA_BYTE, offset + 1) == 0) {
            throw new ProtocolException("header", 1, "message type 0");
        }
        if (bytes.get(JAVA_BYTE, offset + 3) != 1) {
            throw new ProtocolException(
                    "header",
                    3,
                    "protocol version " + (bytes.get(JAVA_BYTE, offset + 3) & 0xff) + ", not 1");
        }
        boolean swapped = (order == 'l') != NATIVE_IS_LITTLE;
        int body = bytes.get(JAVA_INT_UNALIGNED, offset + 4);
        int fields = bytes.get(JAVA_INT_UNALIGNED, offset + 12);
        if (swapped) {
            body = Integer.reverseBytes(body);
            fields = Integer.reverseBytes(fields);
        }
        if (fields < 0 || fields > WireLimits.MAX_ARRAY) {
            throw new ProtocolException(
                    "header",
                    12,
                    "a field array of " + Integer.toUnsignedLong(fields) + " bytes, over 2^26");
        }
        int header = TypeCode.align(FIXED_LENGTH + fields, 8);
        if (body < 0 || body > WireLimits.MAX_MESSAGE - header) {
            throw new ProtocolException(
                    "header",
                    4,
                    "a message of "
                            + (header + Integer.toUnsignedLong(body))
                            + " bytes, over 2^27");
        }
        return header + body;
    }

    /**
     * Reads and checks the message in these bytes.
     *
     * @param length of the message, as {@link #lengthOf} told it
     * @throws ProtocolException if it is no valid message; this view must then be read anew before
     *     it is asked for anything
     */
    public void read(MemorySegment memory, long offset, int length) {
        if (length < FIXED_LENGTH || length != lengthOf(memory, offset)) {
            throw new ProtocolException("header", 0, "of another length than its " + length);
        }
        bytes = memory;
        base = Math.toIntExact(offset);
        Math.addExact(base, length);
        this.length = length;
        little = memory.get(JAVA_BYTE, offset) == 'l';
        type = memory.get(JAVA_BYTE, offset + 1) & 0xff;
        flags = memory.get(JAVA_BYTE, offset + 2) & 0xff;
        serial = word(8);
        if (serial == 0) {
            throw new ProtocolException("header", 8, "serial 0");
        }
        fieldsEnd = FIXED_LENGTH + word(12);
        bodyStart = TypeCode.align(fieldsEnd, 8);
        replySerial = 0;
        unixFds = 0;
        senderStart = -1;
        senderEnd = -1;
        foreign = false;
        present = 0;
        arguments.forget();
        check.begin(memory, offset, little);
        fields();
        zeros("header", fieldsEnd, bodyStart);
        requireFields();
        if (has(HeaderField.SIGNATURE)) {
            check.body(
                    starts[HeaderField.SIGNATURE],
                    lengths[HeaderField.SIGNATURE],
                    bodyStart,
                    length);
        } else if (bodyStart != length) {
            throw new ProtocolException(
                    "body", bodyStart, (length - bodyStart) + " bytes without a signature");
        }
    }

    private void fields() {
        int end = fieldsEnd;
        int at = FIXED_LENGTH;
        while (at < end) {
            int aligned = TypeCode.align(at, 8);
            if (aligned >= end) {
                throw new ProtocolException("header", at, "padding after the last field");
            }
            zeros("header", at, aligned);
            at = field(aligned, end);
        }
    }

    private int field(int start, int end) {
        if (end - start < 4) {
            throw new ProtocolException("header", start, "ends within a field");
        }
        int code = bytes.get(JAVA_BYTE, base + (long) start) & 0xff;
        if (code == 0) {
            throw new ProtocolException("header", start, "a field of code 0");
        }
        if (code > KNOWN) {
            foreign = true;
            return check.field(code, start + 1, end, FIELD_DEPTH);
        }
        int expected = HeaderField.typeOf(code);
        if (bytes.get(JAVA_BYTE, base + start + 1L) != 1
                || bytes.get(JAVA_BYTE, base + start + 2L) != expected
                || bytes.get(JAVA_BYTE, base + start + 3L) != 0) {
            throw refuse(code, start + 1, "not of type " + (char) expected);
        }
        if (has(code)) {
            throw refuse(code, start, "a second time");
        }
        present |= 1 << code;
        int value = start + 4;
        return switch (expected) {
            case 'u' -> number(code, value, end);
            case 'g' -> signature(code, value, end);
            default -> {
                int after = text(code, value, end);
                if (code == HeaderField.SENDER) {
                    senderStart = start;
                    senderEnd = after;
                }
                yield after;
            }
        };
    }

    private int number(int code, int at, int end) {
        if (end - at < 4) {
            throw refuse(code, at, "ends within its number");
        }
        int number = word(at);
        if (code == HeaderField.REPLY_SERIAL) {
            if (number == 0) {
                throw refuse(code, at, "serial 0");
            }
            replySerial = number;
        } else {
            if (number < 0 || number > WireLimits.MAX_DESCRIPTORS) {
                throw refuse(
                        code,
                        at,
                        Integer.toUnsignedLong(number)
                                + " descriptors, over "
                                + WireLimits.MAX_DESCRIPTORS);
            }
            unixFds = number;
        }
        return at + 4;
    }

    private int signature(int code, int at, int end) {
        int size = end > at ? bytes.get(JAVA_BYTE, base + (long) at) & 0xff : 0;
        int nul = at + 1 + size;
        if (nul >= end) {
            throw refuse(code, at, "longer than the header");
        }
        int error = Signature.check(bytes, base + at + 1L, size);
        if (error >= 0) {
            throw refuse(code, at + 1 + error, "not a signature");
        }
        if (bytes.get(JAVA_BYTE, base + (long) nul) != 0) {
            throw refuse(code, nul, "no NUL after it");
        }
        starts[code] = at + 1;
        lengths[code] = size;
        return nul + 1;
    }

    private int text(int code, int at, int end) {
        if (end - at < 5) {
            throw refuse(code, at, "ends within its text");
        }
        int size = word(at);
        if (size < 0 || size > end - at - 5) {
            throw refuse(code, at, "longer than the header");
        }
        int start = at + 4;
        if (bytes.get(JAVA_BYTE, base + (long) start + size) != 0) {
            throw refuse(code, start + size, "no NUL after it");
        }
        name(code, start, size);
        starts[code] = start;
        lengths[code] = size;
        return start + size + 1;
    }

    private void name(int code, int start, int size) {
        long from = base + (long) start;
        switch (code) {
            case HeaderField.PATH -> {
                if (!Syntax.isObjectPath(bytes, from, size)) {
                    throw refuse(code, start, "not an object path");
                }
                if (Text.equal(bytes, from, size, LOCAL_PATH)) {
                    throw refuse(code, start, "a path that is reserved");
                }
            }
            case HeaderField.INTERFACE -> {
                if (!Syntax.isInterface(bytes, from, size)) {
                    throw refuse(code, start, "not an interface name");
                }
                if (Text.equal(bytes, from, size, LOCAL_INTERFACE)) {
                    throw refuse(code, start, "an interface that is reserved");
                }
            }
            case HeaderField.MEMBER -> {
                if (!Syntax.isMember(bytes, from, size)) {
                    throw refuse(code, start, "not a member name");
                }
            }
            case HeaderField.ERROR_NAME -> {
                if (!Syntax.isErrorName(bytes, from, size)) {
                    throw refuse(code, start, "not an error name");
                }
            }
            case HeaderField.CONTAINER_INSTANCE -> {
                if (!Syntax.isObjectPath(bytes, from, size)) {
                    throw refuse(code, start, "not an object path");
                }
                foreign = true;
            }
            default -> {
                if (!Syntax.isBusName(bytes, from, size)) {
                    throw refuse(code, start, "not a bus name");
                }
            }
        }
    }

    private void requireFields() {
        int required =
                switch (type) {
                    case MessageType.METHOD_CALL -> 1 << HeaderField.PATH | 1 << HeaderField.MEMBER;
                    case MessageType.METHOD_RETURN -> 1 << HeaderField.REPLY_SERIAL;
                    case MessageType.ERROR ->
                            1 << HeaderField.ERROR_NAME | 1 << HeaderField.REPLY_SERIAL;
                    case MessageType.SIGNAL ->
                            1 << HeaderField.PATH
                                    | 1 << HeaderField.INTERFACE
                                    | 1 << HeaderField.MEMBER;
                    default -> 0;
                };
        int missing = required & ~present;
        if (missing != 0) {
            throw new ProtocolException(
                    "header",
                    FIXED_LENGTH,
                    "a "
                            + MessageType.nameOf(type)
                            + " without "
                            + HeaderField.nameOf(Integer.numberOfTrailingZeros(missing)));
        }
    }

    private void zeros(String place, int from, int to) {
        for (int at = from; at < to; at++) {
            if (bytes.get(JAVA_BYTE, base + (long) at) != 0) {
                throw new ProtocolException(place, at, "padding that is not zero");
            }
        }
    }

    private int word(int at) {
        int word = bytes.get(JAVA_INT_UNALIGNED, base + (long) at);
        return little == NATIVE_IS_LITTLE ? word : Integer.reverseBytes(word);
    }

    private static ProtocolException refuse(int code, int at, String reason) {
        return new ProtocolException("header field " + HeaderField.nameOf(code), at, reason);
    }

    /** The memory that holds the message. */
    public MemorySegment bytes() {
        return bytes;
    }

    /** Where the message starts. */
    public int offset() {
        return base;
    }

    /** Of the whole message. */
    public int length() {
        return length;
    }

    public boolean isLittleEndian() {
        return little;
    }

    public ByteOrder order() {
        return little ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
    }

    /** One of {@link MessageType}, or another number up to 255. */
    public int type() {
        return type;
    }

    /** Bits of {@link MessageFlags}. */
    public int flags() {
        return flags;
    }

    /** Unsigned, never 0. */
    public int serial() {
        return serial;
    }

    public int bodyOffset() {
        return base + bodyStart;
    }

    public int bodyLength() {
        return length - bodyStart;
    }

    /** The end of the last header field, before the padding that leads to the body. */
    public int fieldsEnd() {
        return base + fieldsEnd;
    }

    /** The serial of the call that this answers, unsigned; 0 if there is none. */
    public int replySerial() {
        return replySerial;
    }

    /** How many descriptors the message says that it carries. */
    public int unixFds() {
        return unixFds;
    }

    /** Where the struct of the SENDER field starts, -1 if there is none. */
    public int senderFieldStart() {
        return senderStart < 0 ? -1 : base + senderStart;
    }

    /** Where the struct of the SENDER field ends (without padding), -1 if there is none. */
    public int senderFieldEnd() {
        return senderEnd < 0 ? -1 : base + senderEnd;
    }

    /** Whether there are fields that a bus takes away: of unknown code, or CONTAINER_INSTANCE. */
    public boolean hasForeignFields() {
        return foreign;
    }

    /** The end of the header field whose struct starts at an offset. */
    int endOfField(int start) {
        skip.begin(bytes, base, little);
        return skip.variant(start + 1);
    }

    private boolean has(int code) {
        return (present & 1 << code) != 0;
    }

    private int start(int code) {
        return has(code) ? base + starts[code] : -1;
    }

    private int lengthOf(int code) {
        return has(code) ? lengths[code] : 0;
    }

    private @Nullable String text(int code) {
        return has(code) ? Text.ascii(bytes, base + (long) starts[code], lengths[code]) : null;
    }

    public boolean hasPath() {
        return has(HeaderField.PATH);
    }

    public int pathOffset() {
        return start(HeaderField.PATH);
    }

    public int pathLength() {
        return lengthOf(HeaderField.PATH);
    }

    public @Nullable String path() {
        return text(HeaderField.PATH);
    }

    public boolean hasInterface() {
        return has(HeaderField.INTERFACE);
    }

    public int interfaceOffset() {
        return start(HeaderField.INTERFACE);
    }

    public int interfaceLength() {
        return lengthOf(HeaderField.INTERFACE);
    }

    public @Nullable String interfaceName() {
        return text(HeaderField.INTERFACE);
    }

    public boolean hasMember() {
        return has(HeaderField.MEMBER);
    }

    public int memberOffset() {
        return start(HeaderField.MEMBER);
    }

    public int memberLength() {
        return lengthOf(HeaderField.MEMBER);
    }

    public @Nullable String member() {
        return text(HeaderField.MEMBER);
    }

    public boolean hasErrorName() {
        return has(HeaderField.ERROR_NAME);
    }

    public int errorNameOffset() {
        return start(HeaderField.ERROR_NAME);
    }

    public int errorNameLength() {
        return lengthOf(HeaderField.ERROR_NAME);
    }

    public @Nullable String errorName() {
        return text(HeaderField.ERROR_NAME);
    }

    public boolean hasDestination() {
        return has(HeaderField.DESTINATION);
    }

    public int destinationOffset() {
        return start(HeaderField.DESTINATION);
    }

    public int destinationLength() {
        return lengthOf(HeaderField.DESTINATION);
    }

    public @Nullable String destination() {
        return text(HeaderField.DESTINATION);
    }

    public boolean hasSender() {
        return has(HeaderField.SENDER);
    }

    public int senderOffset() {
        return start(HeaderField.SENDER);
    }

    public int senderLength() {
        return lengthOf(HeaderField.SENDER);
    }

    public @Nullable String sender() {
        return text(HeaderField.SENDER);
    }

    public boolean hasSignature() {
        return has(HeaderField.SIGNATURE);
    }

    public int signatureOffset() {
        return start(HeaderField.SIGNATURE);
    }

    public int signatureLength() {
        return lengthOf(HeaderField.SIGNATURE);
    }

    /** Empty if the message has none. */
    public String signature() {
        String text = text(HeaderField.SIGNATURE);
        return text == null ? "" : text;
    }

    /** Whether the text at an offset of this message's memory is this one. */
    public boolean equalsText(int offset, int length, byte[] text) {
        return Text.equal(bytes, offset, length, text);
    }

    /** A hash of bytes for tables that are keyed by them; the same wherever the bytes lie. */
    public static int hash(MemorySegment bytes, long offset, int length) {
        return Text.hash(bytes, offset, length);
    }

    /** As {@link #hash(MemorySegment, long, int)}. */
    public static int hash(byte[] text) {
        return Text.hash(MemorySegment.ofArray(text), 0, text.length);
    }

    /**
     * The type code of the nth argument of the body, 0 if there is none.
     *
     * @param n from 0 to 63
     */
    public int argKind(int n) {
        arguments.walkTo(this, n);
        return arguments.kind(n);
    }

    /**
     * Where the text of the nth argument starts, -1 if it is neither string, path nor signature.
     */
    public int argOffset(int n) {
        arguments.walkTo(this, n);
        return arguments.start(n);
    }

    /** The length of that text without NUL, -1 if there is none. */
    public int argLength(int n) {
        arguments.walkTo(this, n);
        return arguments.length(n);
    }

    /** For logs: type, serial, addresses and names. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(MessageType.nameOf(type));
        text.append(" serial ").append(Integer.toUnsignedString(serial));
        append(text, " from ", sender());
        append(text, " to ", destination());
        append(text, " path ", path());
        append(text, " interface ", interfaceName());
        append(text, " member ", member());
        append(text, " error ", errorName());
        if (replySerial != 0) {
            text.append(" for ").append(Integer.toUnsignedString(replySerial));
        }
        append(text, " signature ", text(HeaderField.SIGNATURE));
        return text.toString();
    }

    private static void append(StringBuilder text, String label, @Nullable String value) {
        if (value != null) {
            text.append(label).append(value);
        }
    }
}
