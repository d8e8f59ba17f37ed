package io.holdfast.dbus.marshal;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.holdfast.core.text.PrintableText;
import io.holdfast.dbus.wire.MessageFlags;
import io.holdfast.dbus.wire.MessageType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * A view of one message where it lies in memory, checked in a single pass. Meant for reuse: {@link
 * #read} moves it to the next message. Reading and the accessors allocate nothing, except for the
 * methods that return a String.
 *
 * <p>A message that was read obeys every rule of the D-Bus Specification on bytes: framing,
 * padding, the fields that its type requires, names, and a body that fits its signature exactly.
 * Not checked: whether the descriptors that it declares arrived with it.
 *
 * <p>Offsets are offsets in the memory segment, lengths are in bytes; they hold until the bytes
 * change or another message is read. Not safe for use by several threads.
 */
public final class MessageView {
    /** The length of the fixed part of a header, with the length of the field array. */
    public static final int FIXED_LENGTH = 16;

    private static final int PATH_IN_LOGS = 255; // bytes, the limit of a name

    private final BodyCheck body = new BodyCheck();
    private final HeaderCheck header = new HeaderCheck(body);
    private final BodySkip skip = new BodySkip();
    private final Arguments arguments = new Arguments(skip);
    private MemorySegment bytes = MemorySegment.NULL;
    private int base;
    private int length;

    /** Makes a view without a message. */
    public MessageView() {}

    /**
     * Returns the length of a message whose first 16 bytes have arrived.
     *
     * @param bytes the memory
     * @return the length of header, padding and body together
     * @throws ProtocolException if no valid message starts with these bytes
     */
    public static int lengthOf(MemorySegment bytes, long offset) {
        return HeaderCheck.lengthOf(bytes, offset);
    }

    /**
     * {@return the length of the header alone, with the padding behind it, of a message that {@link
     * #lengthOf} has accepted}
     *
     * @param bytes the memory
     */
    public static int headerLengthOf(MemorySegment bytes, long offset) {
        return HeaderCheck.headerLengthOf(bytes, offset);
    }

    /**
     * Reads and checks the message in these bytes.
     *
     * @param memory the memory that holds the message
     * @param length the length of the message, from {@link #lengthOf}
     * @throws ProtocolException if the message is invalid; read this view anew before calling any
     *     accessor
     */
    public void read(MemorySegment memory, long offset, int length) {
        if (length < FIXED_LENGTH || length != lengthOf(memory, offset)) {
            throw new ProtocolException("header", 0, "of another length than its " + length);
        }
        bytes = memory;
        base = Math.toIntExact(offset);
        Math.addExact(base, length);
        this.length = length;
        arguments.forget();
        body.begin(memory, offset, memory.get(JAVA_BYTE, offset) == 'l');
        header.read(memory, base);
        if (has(HeaderField.SIGNATURE)) {
            body.body(
                    header.starts[HeaderField.SIGNATURE],
                    header.lengths[HeaderField.SIGNATURE],
                    header.bodyStart,
                    length);
        } else if (header.bodyStart != length) {
            throw new ProtocolException(
                    "body",
                    header.bodyStart,
                    (length - header.bodyStart) + " bytes without a signature");
        }
    }

    /**
     * Reads and checks a header without its body. The view is then that of a message without a
     * body; do not call the accessors of arguments.
     *
     * @param memory the memory that holds the message
     * @param length the length of the header, from {@link #headerLengthOf}
     * @throws ProtocolException if the header is invalid; read this view anew before calling any
     *     accessor
     */
    public void readHeader(MemorySegment memory, long offset, int length) {
        bytes = memory;
        base = Math.toIntExact(offset);
        Math.addExact(base, length);
        this.length = length;
        arguments.forget();
        body.begin(memory, offset, memory.get(JAVA_BYTE, offset) == 'l');
        header.read(memory, base);
    }

    /** {@return the memory that holds the message} */
    public MemorySegment bytes() {
        return bytes;
    }

    /** {@return where the message starts} */
    public int offset() {
        return base;
    }

    /** {@return the length of the whole message} */
    public int length() {
        return length;
    }

    /** Returns a number that changes when the header is not recognized as the last one. */
    long headerVersion() {
        return header.version;
    }

    /** {@return whether the numbers are little-endian; else they are big-endian} */
    public boolean isLittleEndian() {
        return header.little;
    }

    /** {@return the byte order of the numbers} */
    public ByteOrder order() {
        return header.little ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
    }

    /** {@return one of {@link MessageType}, or another number up to 255} */
    public int type() {
        return header.type;
    }

    /** {@return the bits of {@link MessageFlags}} */
    public int flags() {
        return header.flags;
    }

    /** {@return the serial, unsigned, never 0} */
    public int serial() {
        return header.serial;
    }

    /** {@return where the body starts: the end of the message if it has none} */
    public int bodyOffset() {
        return base + header.bodyStart;
    }

    /** {@return the length of the body; 0 if it has none} */
    public int bodyLength() {
        return length - header.bodyStart;
    }

    /** {@return the end of the last header field, before the padding that leads to the body} */
    public int fieldsEnd() {
        return base + header.fieldsEnd;
    }

    /**
     * {@return the serial of the call to which this message replies, unsigned; 0 if there is none}
     */
    public int replySerial() {
        return header.replySerial;
    }

    /** {@return the number of descriptors that the message declares} */
    public int unixFds() {
        return header.unixFds;
    }

    /** {@return where the struct of the SENDER field starts, -1 if there is none} */
    public int senderFieldStart() {
        return header.senderStart < 0 ? -1 : base + header.senderStart;
    }

    /**
     * {@return where the struct of the SENDER field ends (without padding), -1 if there is none}
     */
    public int senderFieldEnd() {
        return header.senderEnd < 0 ? -1 : base + header.senderEnd;
    }

    /**
     * {@return whether there are fields that a bus removes: of unknown code, or CONTAINER_INSTANCE}
     */
    public boolean hasForeignFields() {
        return header.foreign;
    }

    /** Returns the end of the header field whose struct starts at an offset. */
    int endOfField(int start) {
        skip.begin(bytes, base, header.little);
        return skip.variant(start + 1);
    }

    /**
     * {@return whether there is a header field}
     *
     * @param field one of {@link HeaderField}
     */
    public boolean has(int field) {
        return (header.present & 1 << field) != 0;
    }

    /**
     * {@return where the text of a header field starts, -1 if there is none}
     *
     * @param field one of {@link HeaderField}
     */
    public int offset(int field) {
        return has(field) ? base + header.starts[field] : -1;
    }

    /**
     * {@return the length of that text without NUL, 0 if there is none}
     *
     * @param field one of {@link HeaderField}
     */
    public int length(int field) {
        return has(field) ? header.lengths[field] : 0;
    }

    /** {@return the text of a header field as a new String, null if there is none} */
    private @Nullable String text(int field) {
        return has(field) ? TextBytes.ascii(bytes, offset(field), length(field)) : null;
    }

    /**
     * {@return whether the text of a header field equals the given text}
     *
     * @param field one of {@link HeaderField}
     * @param text the text in UTF-8
     */
    public boolean equalsText(int field, byte[] text) {
        return has(field) && equalsText(offset(field), length(field), text);
    }

    /**
     * {@return a hash of the text of a header field, as {@link #hash(byte[])}; 0 if there is none}
     *
     * @param field one of {@link HeaderField}
     */
    public int hash(int field) {
        return has(field) ? hash(bytes, offset(field), length(field)) : 0;
    }

    /** {@return the text of the field PATH, null if there is none} */
    public @Nullable String path() {
        return text(HeaderField.PATH);
    }

    /** {@return the text of the field INTERFACE, null if there is none} */
    public @Nullable String interfaceName() {
        return text(HeaderField.INTERFACE);
    }

    /** {@return the text of the field MEMBER, null if there is none} */
    public @Nullable String member() {
        return text(HeaderField.MEMBER);
    }

    /** {@return the text of the field ERROR_NAME, null if there is none} */
    public @Nullable String errorName() {
        return text(HeaderField.ERROR_NAME);
    }

    /** {@return the text of the field DESTINATION, null if there is none} */
    public @Nullable String destination() {
        return text(HeaderField.DESTINATION);
    }

    /** {@return the text of the field SENDER, null if there is none} */
    public @Nullable String sender() {
        return text(HeaderField.SENDER);
    }

    /** {@return the text of the field SIGNATURE as a new String, empty if there is none} */
    public String signature() {
        String text = text(HeaderField.SIGNATURE);
        return text == null ? "" : text;
    }

    /**
     * {@return whether the text at an offset of the memory equals the given text}
     *
     * @param offset the offset of the first byte
     * @param length the number of bytes
     * @param text the text in UTF-8
     */
    public boolean equalsText(int offset, int length, byte[] text) {
        return TextBytes.equal(bytes, offset, length, text);
    }

    /**
     * Returns a hash of bytes, for hash tables; equal bytes have the same hash at every position.
     *
     * @param bytes the memory
     * @param offset the offset of the first byte
     * @param length the number of bytes
     */
    public static int hash(MemorySegment bytes, long offset, int length) {
        return TextBytes.hash(bytes, offset, length);
    }

    /**
     * Returns the same hash as {@link #hash(MemorySegment, long, int)}.
     *
     * @param text the text in UTF-8
     */
    public static int hash(byte[] text) {
        return TextBytes.hash(MemorySegment.ofArray(text), 0, text.length);
    }

    /**
     * {@return the type code of the nth argument of the body, 0 if there is none}
     *
     * @param n the index, from 0 to 63
     */
    public int argKind(int n) {
        arguments.walkTo(this, n);
        return arguments.kind(n);
    }

    /**
     * {@return where the text of the nth argument starts, -1 if the argument is neither string,
     * path nor signature}
     *
     * @param n the index, from 0 to 63
     */
    public int argOffset(int n) {
        arguments.walkTo(this, n);
        return arguments.start(n);
    }

    /**
     * {@return the length of that text without NUL, -1 if there is none}
     *
     * @param n the index, from 0 to 63
     */
    public int argLength(int n) {
        arguments.walkTo(this, n);
        return arguments.length(n);
    }

    /** Returns a text for logs: type, serial, addresses and names. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(MessageType.nameOf(header.type));
        text.append(" serial ").append(Integer.toUnsignedString(header.serial));
        append(text, " from ", sender());
        append(text, " to ", destination());
        append(text, " path ", beginningOfPath());
        append(text, " interface ", interfaceName());
        append(text, " member ", member());
        append(text, " error ", errorName());
        if (header.replySerial != 0) {
            text.append(" for ").append(Integer.toUnsignedString(header.replySerial));
        }
        append(text, " signature ", text(HeaderField.SIGNATURE));
        return text.toString();
    }

    /**
     * Returns the path, cut for logs: names have a limit, but a path may be as long as a message.
     */
    private @Nullable String beginningOfPath() {
        int length = length(HeaderField.PATH);
        return length <= PATH_IN_LOGS
                ? path()
                : TextBytes.ascii(bytes, offset(HeaderField.PATH), PATH_IN_LOGS)
                        + PrintableText.CUT;
    }

    private static void append(StringBuilder text, String label, @Nullable String value) {
        if (value != null) {
            text.append(label).append(value);
        }
    }
}
