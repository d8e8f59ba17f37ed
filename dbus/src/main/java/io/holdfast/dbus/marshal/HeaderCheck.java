package io.holdfast.dbus.marshal;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.holdfast.dbus.wire.MessageType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Checks a message's header and remembers where its parts are. Positions count from the start of
 * the message. Allocates nothing unless it refuses.
 */
final class HeaderCheck {
    private static final int FIXED_LENGTH = MessageView.FIXED_LENGTH;
    private static final boolean NATIVE_IS_LITTLE =
            ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
    private static final byte[] LOCAL_PATH =
            "/org/freedesktop/DBus/Local".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] LOCAL_INTERFACE =
            "org.freedesktop.DBus.Local".getBytes(StandardCharsets.US_ASCII);

    private static final ValueLayout.OfLong WORD =
            JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** The largest known field code. */
    private static final int KNOWN = HeaderField.CONTAINER_INSTANCE;

    /** The depth of a header field's value: within array, struct and variant. */
    private static final int FIELD_DEPTH = 3;

    private MemorySegment bytes = MemorySegment.NULL;
    private int base;

    /** Checks the values of unknown fields. */
    private final BodyCheck values;

    private final KnownHeader known = new KnownHeader();
    private int replyField;

    /** See {@link MessageView#headerVersion}. */
    long version;

    boolean little;
    int type;
    int flags;
    int serial;
    int bodyStart;
    int fieldsEnd;
    int replySerial;
    int unixFds;
    int senderStart;
    int senderEnd;
    boolean foreign;

    /** Bit n: field n is present. */
    int present;

    /** For each text field, where its text starts; {@link #lengths} holds its length. */
    final int[] starts = new int[KNOWN + 1];

    final int[] lengths = new int[KNOWN + 1];

    HeaderCheck(BodyCheck values) {
        this.values = values;
    }

    /** See {@link MessageView#lengthOf}. */
    static int lengthOf(MemorySegment bytes, long offset) {
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
     * See {@link MessageView#headerLengthOf}; only for a message that {@link #lengthOf} accepts.
     */
    static int headerLengthOf(MemorySegment bytes, long offset) {
        boolean little = bytes.get(JAVA_BYTE, offset) == 'l';
        int fields = bytes.get(JAVA_INT_UNALIGNED, offset + 12);
        if (little != NATIVE_IS_LITTLE) {
            fields = Integer.reverseBytes(fields);
        }
        return TypeCode.align(FIXED_LENGTH + fields, 8);
    }

    /** Reads the header of a message whose length is known to be right. */
    void read(MemorySegment memory, int start) {
        bytes = memory;
        base = start;
        little = memory.get(JAVA_BYTE, start) == 'l';
        type = memory.get(JAVA_BYTE, start + 1L) & 0xff;
        flags = memory.get(JAVA_BYTE, start + 2L) & 0xff;
        serial = word(8);
        if (serial == 0) {
            throw new ProtocolException("header", 8, "serial 0");
        }
        if (!known.matches(memory, start)) {
            readFields();
        } else if (replyField >= 0) {
            int ignored = number(HeaderField.REPLY_SERIAL, replyField + 4, fieldsEnd);
        }
    }

    private void readFields() {
        version++;
        known.forget();
        fieldsEnd = FIXED_LENGTH + word(12);
        bodyStart = TypeCode.align(fieldsEnd, 8);
        replySerial = 0;
        replyField = -1;
        unixFds = 0;
        senderStart = -1;
        senderEnd = -1;
        foreign = false;
        present = 0;
        fields();
        zeros(fieldsEnd, bodyStart);
        requireFields();
        if (!foreign) {
            known.keep(bytes, base, bodyStart, replyField);
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
            zeros(at, aligned);
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
            return values.field(code, start + 1, end, FIELD_DEPTH);
        }
        int expected = HeaderField.typeOf(code);
        if (bytes.get(JAVA_BYTE, base + start + 1L) != 1
                || bytes.get(JAVA_BYTE, base + start + 2L) != expected
                || bytes.get(JAVA_BYTE, base + start + 3L) != 0) {
            throw refuse(code, start + 1, "not of type " + (char) expected);
        }
        if ((present & 1 << code) != 0) {
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
            replyField = at - 4;
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
        int error = SignatureCheck.check(bytes, base + at + 1L, size);
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
                if (TextBytes.equal(bytes, from, size, LOCAL_PATH)) {
                    throw refuse(code, start, "a path that is reserved");
                }
            }
            case HeaderField.INTERFACE -> {
                if (!Syntax.isInterface(bytes, from, size)) {
                    throw refuse(code, start, "not an interface name");
                }
                if (TextBytes.equal(bytes, from, size, LOCAL_INTERFACE)) {
                    throw refuse(code, start, "an interface that is reserved");
                }
            }
            case HeaderField.MEMBER -> {
                if (!Syntax.isMember(bytes, from, size)) {
                    throw refuse(code, start, "not a member name");
                }
            }
            case HeaderField.ERROR_NAME -> {
                if (!Syntax.isInterface(bytes, from, size)) {
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
                    MessageType.nameOf(type)
                            + " without "
                            + HeaderField.nameOf(Integer.numberOfTrailingZeros(missing)));
        }
    }

    /**
     * Checks that the padding is zero.
     *
     * @param to a multiple of 8, less than 8 behind {@code from}
     */
    private void zeros(int from, int to) {
        if (from == to) {
            return;
        }
        long word = bytes.get(WORD, base + to - 8L);
        long padding = word >>> (8 * (8 - (to - from)));
        if (padding != 0) {
            int at = from + Long.numberOfTrailingZeros(padding) / 8;
            throw new ProtocolException("header", at, "padding that is not zero");
        }
    }

    private int word(int at) {
        int word = bytes.get(JAVA_INT_UNALIGNED, base + (long) at);
        return little == NATIVE_IS_LITTLE ? word : Integer.reverseBytes(word);
    }

    private static ProtocolException refuse(int code, int at, String reason) {
        return new ProtocolException("header field " + HeaderField.nameOf(code), at, reason);
    }
}
