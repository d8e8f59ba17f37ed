package io.holdfast.dbus.marshal;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import io.holdfast.dbus.wire.Signature;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Reads the values of a checked body in the order of its signature, without boxing. Reading a value
 * as another type than its own throws IllegalStateException: check {@link #kind} (or the message's
 * signature) where the peer decides the types. Reusable; not safe for use by several threads.
 */
public final class BodyReader {
    private static final int FRAMES = WireLimits.MAX_DEPTH;

    private final BodySkip skip = new BodySkip();
    private MemorySegment bytes = MemorySegment.NULL;
    private boolean swapped;
    private int at;

    /**
     * The signature that is being read: that of the header, or of the variant that was entered
     * last.
     */
    private MemorySegment program = MemorySegment.NULL;

    private int next;
    private int programEnd;

    private final byte[] kinds = new byte[FRAMES];

    /**
     * For an array, the type of its element; for a variant, where the outer signature continues.
     */
    private final int[] places = new int[FRAMES];

    /** For an array, its end; for a variant, the end of the outer signature. */
    private final int[] ends = new int[FRAMES];

    private final MemorySegment[] outer = new MemorySegment[FRAMES];
    private int depth;

    /** Makes a reader without a message. */
    public BodyReader() {
        Arrays.fill(outer, MemorySegment.NULL);
    }

    /** Starts at the first value of a message's body. */
    public BodyReader read(MessageView view) {
        int types = Math.max(view.offset(HeaderField.SIGNATURE), 0);
        return read(
                view.bytes(),
                view.bodyOffset(),
                view.isLittleEndian(),
                view.bytes(),
                types,
                types + view.length(HeaderField.SIGNATURE));
    }

    /** Starts at the first value of a body that was checked against this signature. */
    BodyReader read(MemorySegment body, ByteOrder order, Signature signature) {
        byte[] codes = SignatureCheck.codes(signature);
        return read(
                body,
                0,
                order == ByteOrder.LITTLE_ENDIAN,
                MemorySegment.ofArray(codes),
                0,
                codes.length);
    }

    private BodyReader read(
            MemorySegment memory,
            int start,
            boolean little,
            MemorySegment types,
            int from,
            int to) {
        bytes = memory;
        at = start;
        swapped = little != (ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN);
        skip.begin(memory, start, little);
        program = types;
        next = from;
        programEnd = to;
        depth = 0;
        return this;
    }

    /** {@return whether there is another value in the current container, or in the body} */
    public boolean hasNext() {
        return kind() != 0;
    }

    /** {@return the type code of the next value in the current container, 0 if there is none} */
    public char kind() {
        if (depth > 0 && kinds[depth - 1] == 'a' && at >= ends[depth - 1]) {
            return 0;
        }
        if (next >= programEnd) {
            return 0;
        }
        byte code = program.get(JAVA_BYTE, next);
        return code == ')' || code == '}' ? 0 : (char) code;
    }

    /** {@return the type of the next value in the current container, empty if there is none} */
    public Signature type() {
        if (!hasNext()) {
            return Signature.EMPTY;
        }
        return SignatureCheck.checked(program, next, TypeCode.end(program, next) - next);
    }

    /**
     * Reads a {@code y}, from 0 to 255.
     *
     * @return the value
     */
    public int readByte() {
        int from = take('y', 1, 1);
        return bytes.get(JAVA_BYTE, from) & 0xff;
    }

    /**
     * Reads a {@code b}.
     *
     * @return the value
     */
    public boolean readBoolean() {
        return word(take('b', 4, 4)) != 0;
    }

    /**
     * Reads an {@code n}.
     *
     * @return the value
     */
    public short readInt16() {
        return half(take('n', 2, 2));
    }

    /**
     * Reads a {@code q}, from 0 to 65,535.
     *
     * @return the value
     */
    public int readUint16() {
        return half(take('q', 2, 2)) & 0xffff;
    }

    /**
     * Reads an {@code i}.
     *
     * @return the value
     */
    public int readInt32() {
        return word(take('i', 4, 4));
    }

    /**
     * Reads a {@code u}, from 0 to 2^32 - 1.
     *
     * @return the value
     */
    public long readUint32() {
        return Integer.toUnsignedLong(word(take('u', 4, 4)));
    }

    /**
     * Reads an {@code x}.
     *
     * @return the value
     */
    public long readInt64() {
        return longWord(take('x', 8, 8));
    }

    /**
     * Reads a {@code t}.
     *
     * @return the 64 bits of the unsigned value
     */
    public long readUint64() {
        return longWord(take('t', 8, 8));
    }

    /**
     * Reads a {@code d}.
     *
     * @return the value
     */
    public double readDouble() {
        return Double.longBitsToDouble(longWord(take('d', 8, 8)));
    }

    /**
     * Reads an {@code h}: an index into the message's descriptors, which may have no descriptor
     * there.
     *
     * @return the index
     */
    public int readHandle() {
        return word(take('h', 4, 4));
    }

    /**
     * Reads an {@code s}.
     *
     * @return the value
     */
    public String readString() {
        return text('s');
    }

    /**
     * Reads an {@code o}.
     *
     * @return the value
     */
    public String readObjectPath() {
        return text('o');
    }

    /**
     * Reads a {@code g}.
     *
     * @return the value
     */
    public Signature readSignature() {
        int from = take('g', 1, 1);
        int length = bytes.get(JAVA_BYTE, from) & 0xff;
        at = from + 1 + length + 1;
        return SignatureCheck.checked(bytes, from + 1L, length);
    }

    /**
     * Reads an {@code ay} at once.
     *
     * @return the value
     */
    public byte[] readBytes() {
        expect('a');
        if (program.get(JAVA_BYTE, next + 1L) != 'y') {
            throw expected("ay");
        }
        enterArray();
        byte[] copy = TextBytes.copy(bytes, at, ends[depth - 1] - at);
        leave();
        return copy;
    }

    /** Enters an {@code a}: its elements come next while {@link #hasNext}, then {@link #leave}. */
    public BodyReader enterArray() {
        expect('a');
        int from = skip.align(at, 4);
        int element = next + 1;
        int start = skip.align(from + 4, TypeCode.alignment(program.get(JAVA_BYTE, element)));
        return enter('a', element, start + word(from), start, element);
    }

    /** Enters a {@code (}: its members come next, then {@link #leave}. */
    public BodyReader enterStruct() {
        expect('(');
        return enter('(', 0, 0, skip.align(at, 8), next + 1);
    }

    /** Enters a <code>{</code>: key and value come next, then {@link #leave}. */
    public BodyReader enterDictEntry() {
        expect('{');
        return enter('{', 0, 0, skip.align(at, 8), next + 1);
    }

    /**
     * Enters a {@code v}: a value of the returned type comes next, then {@link #leave}.
     *
     * @return the type of the value
     */
    public Signature enterVariant() {
        expect('v');
        int length = bytes.get(JAVA_BYTE, at) & 0xff;
        int types = at + 1;
        outer[depth] = program;
        enter('v', next + 1, programEnd, types + length + 1, types);
        program = bytes;
        programEnd = types + length;
        return SignatureCheck.checked(bytes, types, length);
    }

    /** Leaves the container that was entered last, and skips its values that were not read. */
    public BodyReader leave() {
        if (depth == 0) {
            throw new IllegalStateException("no container was entered");
        }
        int frame = depth - 1;
        if (kinds[frame] == 'a') {
            at = ends[frame];
            next = TypeCode.end(program, places[frame]);
        } else {
            while (hasNext()) {
                skip();
            }
            if (kinds[frame] == 'v') {
                program = outer[frame];
                programEnd = ends[frame];
                next = places[frame];
            } else {
                next++;
            }
        }
        depth = frame;
        repeat();
        return this;
    }

    /** Skips the next value, whatever its type. */
    public BodyReader skip() {
        if (!hasNext()) {
            throw new IllegalStateException("nothing is left to skip");
        }
        at = skip.value(program, next, at);
        next = skip.next();
        repeat();
        return this;
    }

    private String text(char code) {
        int from = take(code, 4, 4);
        int length = word(from);
        at = from + 4 + length + 1;
        return TextBytes.utf8(bytes, from + 4L, length);
    }

    private int take(char code, int alignment, int size) {
        expect(code);
        int from = skip.align(at, alignment);
        at = from + size;
        next++;
        repeat();
        return from;
    }

    private void expect(char code) {
        if (kind() != code) {
            throw expected(String.valueOf(code));
        }
    }

    private IllegalStateException expected(String wanted) {
        char there = kind();
        return new IllegalStateException(
                "the next value is "
                        + (there == 0 ? "none" : "'" + type() + "'")
                        + ", not "
                        + wanted);
    }

    private BodyReader enter(char kind, int place, int end, int start, int types) {
        kinds[depth] = (byte) kind;
        places[depth] = place;
        ends[depth] = end;
        depth++;
        at = start;
        next = types;
        return this;
    }

    /**
     * Returns to the element type of an array after a value, since all elements have the same type.
     */
    private void repeat() {
        if (depth > 0 && kinds[depth - 1] == 'a') {
            next = places[depth - 1];
        }
    }

    private short half(int from) {
        short half = bytes.get(JAVA_SHORT_UNALIGNED, from);
        return swapped ? Short.reverseBytes(half) : half;
    }

    private int word(int from) {
        int word = bytes.get(JAVA_INT_UNALIGNED, from);
        return swapped ? Integer.reverseBytes(word) : word;
    }

    private long longWord(int from) {
        long word = bytes.get(JAVA_LONG_UNALIGNED, from);
        return swapped ? Long.reverseBytes(word) : word;
    }
}
