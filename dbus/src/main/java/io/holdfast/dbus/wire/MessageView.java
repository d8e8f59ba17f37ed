package io.holdfast.dbus.wire;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.holdfast.core.text.PrintableText;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
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

    private static final int PATH_IN_LOGS = 255; // bytes, as many as a name may have

    private final BodyCheck body = new BodyCheck();
    private final HeaderCheck header = new HeaderCheck(body);
    private final BodySkip skip = new BodySkip();
    private final Arguments arguments = new Arguments(skip);
    private MemorySegment bytes = MemorySegment.NULL;
    private int base;
    private int length;

    /** A view of nothing yet. */
    public MessageView() {}

    /**
     * The length of a message whose first 16 bytes are there.
     *
     * @param bytes the memory
     * @param offset where the bytes start
     * @return header, padding and body together
     * @throws ProtocolException if they start no message that may be
     */
    public static int lengthOf(MemorySegment bytes, long offset) {
        return HeaderCheck.lengthOf(bytes, offset);
    }

    /**
     * {@return the length of the header alone, with the padding behind it, of a message whose
     * length {@link #lengthOf} has told}
     *
     * @param bytes the memory
     * @param offset where the bytes start
     */
    public static int headerLengthOf(MemorySegment bytes, long offset) {
        return HeaderCheck.headerLengthOf(bytes, offset);
    }

    /**
     * Reads and checks the message in these bytes.
     *
     * @param memory the memory that holds the message
     * @param offset where the bytes start
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
     * Reads and checks a header whose body is not there. The view is then that of a message without
     * a body; its arguments must not be asked for.
     *
     * @param memory the memory that holds the message
     * @param offset where the bytes start
     * @param length of the header, as {@link #headerLengthOf} told it
     * @throws ProtocolException if it is no valid header; this view must then be read anew before
     *     it is asked for anything
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

    /**
     * {@return another number when the header is not that of the message before: while it stays,
     * nothing of the header has changed but flags, serial, reply serial and the length of the body}
     * For those who remember what they found out about a header.
     */
    public long headerVersion() {
        return header.version;
    }

    /** {@return whether its numbers are little-endian; else they are big-endian} */
    public boolean isLittleEndian() {
        return header.little;
    }

    /** {@return the order of the bytes of its numbers} */
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

    /** {@return the serial of the call that this answers, unsigned; 0 if there is none} */
    public int replySerial() {
        return header.replySerial;
    }

    /** {@return how many descriptors the message says that it carries} */
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
     * {@return whether there are fields that a bus takes away: of unknown code, or
     * CONTAINER_INSTANCE}
     */
    public boolean hasForeignFields() {
        return header.foreign;
    }

    /** The end of the header field whose struct starts at an offset. */
    int endOfField(int start) {
        skip.begin(bytes, base, header.little);
        return skip.variant(start + 1);
    }

    private boolean has(int code) {
        return (header.present & 1 << code) != 0;
    }

    private int start(int code) {
        return has(code) ? base + header.starts[code] : -1;
    }

    private int lengthOf(int code) {
        return has(code) ? header.lengths[code] : 0;
    }

    private @Nullable String text(int code) {
        return has(code)
                ? Text.ascii(bytes, base + (long) header.starts[code], header.lengths[code])
                : null;
    }

    /** {@return whether there is a field PATH} */
    public boolean hasPath() {
        return has(HeaderField.PATH);
    }

    /** {@return where the text of the field PATH starts, -1 if there is none} */
    public int pathOffset() {
        return start(HeaderField.PATH);
    }

    /** {@return the length of that text without NUL, 0 if there is none} */
    public int pathLength() {
        return lengthOf(HeaderField.PATH);
    }

    /** {@return the text of the field PATH as a new String, null if there is none} */
    public @Nullable String path() {
        return text(HeaderField.PATH);
    }

    /** {@return whether there is a field INTERFACE} */
    public boolean hasInterface() {
        return has(HeaderField.INTERFACE);
    }

    /** {@return where the text of the field INTERFACE starts, -1 if there is none} */
    public int interfaceOffset() {
        return start(HeaderField.INTERFACE);
    }

    /** {@return the length of that text without NUL, 0 if there is none} */
    public int interfaceLength() {
        return lengthOf(HeaderField.INTERFACE);
    }

    /** {@return the text of the field INTERFACE as a new String, null if there is none} */
    public @Nullable String interfaceName() {
        return text(HeaderField.INTERFACE);
    }

    /** {@return whether there is a field MEMBER} */
    public boolean hasMember() {
        return has(HeaderField.MEMBER);
    }

    /** {@return where the text of the field MEMBER starts, -1 if there is none} */
    public int memberOffset() {
        return start(HeaderField.MEMBER);
    }

    /** {@return the length of that text without NUL, 0 if there is none} */
    public int memberLength() {
        return lengthOf(HeaderField.MEMBER);
    }

    /** {@return the text of the field MEMBER as a new String, null if there is none} */
    public @Nullable String member() {
        return text(HeaderField.MEMBER);
    }

    /** {@return whether there is a field ERROR_NAME} */
    public boolean hasErrorName() {
        return has(HeaderField.ERROR_NAME);
    }

    /** {@return where the text of the field ERROR_NAME starts, -1 if there is none} */
    public int errorNameOffset() {
        return start(HeaderField.ERROR_NAME);
    }

    /** {@return the length of that text without NUL, 0 if there is none} */
    public int errorNameLength() {
        return lengthOf(HeaderField.ERROR_NAME);
    }

    /** {@return the text of the field ERROR_NAME as a new String, null if there is none} */
    public @Nullable String errorName() {
        return text(HeaderField.ERROR_NAME);
    }

    /** {@return whether there is a field DESTINATION} */
    public boolean hasDestination() {
        return has(HeaderField.DESTINATION);
    }

    /** {@return where the text of the field DESTINATION starts, -1 if there is none} */
    public int destinationOffset() {
        return start(HeaderField.DESTINATION);
    }

    /** {@return the length of that text without NUL, 0 if there is none} */
    public int destinationLength() {
        return lengthOf(HeaderField.DESTINATION);
    }

    /** {@return the text of the field DESTINATION as a new String, null if there is none} */
    public @Nullable String destination() {
        return text(HeaderField.DESTINATION);
    }

    /** {@return whether there is a field SENDER} */
    public boolean hasSender() {
        return has(HeaderField.SENDER);
    }

    /** {@return where the text of the field SENDER starts, -1 if there is none} */
    public int senderOffset() {
        return start(HeaderField.SENDER);
    }

    /** {@return the length of that text without NUL, 0 if there is none} */
    public int senderLength() {
        return lengthOf(HeaderField.SENDER);
    }

    /** {@return the text of the field SENDER as a new String, null if there is none} */
    public @Nullable String sender() {
        return text(HeaderField.SENDER);
    }

    /** {@return whether there is a field SIGNATURE} An empty one is there too. */
    public boolean hasSignature() {
        return has(HeaderField.SIGNATURE);
    }

    /** {@return where the text of the field SIGNATURE starts, -1 if there is none} */
    public int signatureOffset() {
        return start(HeaderField.SIGNATURE);
    }

    /** {@return the length of that text without NUL, 0 if there is none} */
    public int signatureLength() {
        return lengthOf(HeaderField.SIGNATURE);
    }

    /** {@return the text of the field SIGNATURE as a new String, empty if there is none} */
    public String signature() {
        String text = text(HeaderField.SIGNATURE);
        return text == null ? "" : text;
    }

    /**
     * {@return whether the text at an offset of this message's memory is this one}
     *
     * @param offset where the bytes start
     * @param length how many bytes
     * @param text the text in UTF-8
     */
    public boolean equalsText(int offset, int length, byte[] text) {
        return Text.equal(bytes, offset, length, text);
    }

    /**
     * A hash of bytes for tables that are keyed by them; the same wherever the bytes lie.
     *
     * @param bytes the memory
     * @param offset where the bytes start
     * @param length how many bytes
     * @return the hash
     */
    public static int hash(MemorySegment bytes, long offset, int length) {
        return Text.hash(bytes, offset, length);
    }

    /**
     * As {@link #hash(MemorySegment, long, int)}.
     *
     * @param text the text in UTF-8
     * @return the hash
     */
    public static int hash(byte[] text) {
        return Text.hash(MemorySegment.ofArray(text), 0, text.length);
    }

    /**
     * {@return the type code of the nth argument of the body, 0 if there is none}
     *
     * @param n from 0 to 63
     */
    public int argKind(int n) {
        arguments.walkTo(this, n);
        return arguments.kind(n);
    }

    /**
     * {@return where the text of the nth argument starts, -1 if it is neither string, path nor
     * signature}
     *
     * @param n the index, from 0
     */
    public int argOffset(int n) {
        arguments.walkTo(this, n);
        return arguments.start(n);
    }

    /**
     * {@return the length of that text without NUL, -1 if there is none}
     *
     * @param n the index, from 0
     */
    public int argLength(int n) {
        arguments.walkTo(this, n);
        return arguments.length(n);
    }

    /** For logs: type, serial, addresses and names. */
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

    /** Names have a limit of their own; a path may be as long as a message. */
    private @Nullable String beginningOfPath() {
        int length = pathLength();
        return length <= PATH_IN_LOGS
                ? path()
                : Text.ascii(bytes, pathOffset(), PATH_IN_LOGS) + PrintableText.CUT;
    }

    private static void append(StringBuilder text, String label, @Nullable String value) {
        if (value != null) {
            text.append(label).append(value);
        }
    }
}
