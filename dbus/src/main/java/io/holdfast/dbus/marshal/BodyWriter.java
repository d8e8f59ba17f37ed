package io.holdfast.dbus.marshal;

import io.holdfast.dbus.wire.Signature;
import java.util.Arrays;

/**
 * Writes the values of a body in the order of its signature. A value of another type than the
 * signature has next is refused with an IllegalStateException that names the position.
 */
public final class BodyWriter {
    private static final int FRAMES = WireLimits.MAX_DEPTH;

    private final WireBuffer buffer;
    private final MessageWriter message;
    private Signature signature = Signature.EMPTY;
    private byte[] codes = new byte[0];

    /** The position in {@link #codes} of the next value's type. */
    private int next;

    /** The open containers: the type of each, and what its end needs. */
    private final byte[] kinds = new byte[FRAMES];

    private final int[] places = new int[FRAMES];
    private final int[] sizes = new int[FRAMES];
    private final int[] starts = new int[FRAMES];
    private final Signature[] outer = new Signature[FRAMES];
    private int depth;

    BodyWriter(WireBuffer buffer, MessageWriter message) {
        this.buffer = buffer;
        this.message = message;
        Arrays.fill(outer, Signature.EMPTY);
    }

    BodyWriter begin(Signature types) {
        use(types);
        next = 0;
        depth = 0;
        return this;
    }

    /** {@return the types of the body, or of the variant that was begun last} */
    public Signature signature() {
        return signature;
    }

    /** {@return the type code of the next value in the current container, 0 if there is none} */
    public char kind() {
        if (next >= codes.length || codes[next] == ')' || codes[next] == '}') {
            return 0;
        }
        return (char) codes[next];
    }

    /** Returns the type code of the elements of the array that comes next. */
    char elementKind() {
        return (char) codes[next + 1];
    }

    /** {@return the writer of the message, for {@link MessageWriter#finish}} */
    public MessageWriter end() {
        requireComplete();
        return message;
    }

    /** Writes a {@code y}. */
    public BodyWriter putByte(int value) {
        take('y');
        buffer.putByte(value);
        return done();
    }

    /** Writes a {@code b}. */
    public BodyWriter putBoolean(boolean value) {
        take('b');
        buffer.putInt(value ? 1 : 0);
        return done();
    }

    /** Writes an {@code n}. */
    public BodyWriter putInt16(int value) {
        take('n');
        buffer.putShort(value);
        return done();
    }

    /** Writes a {@code q}. */
    public BodyWriter putUint16(int value) {
        take('q');
        buffer.putShort(value);
        return done();
    }

    /** Writes an {@code i}. */
    public BodyWriter putInt32(int value) {
        take('i');
        buffer.putInt(value);
        return done();
    }

    /** Writes a {@code u}. */
    public BodyWriter putUint32(int value) {
        take('u');
        buffer.putInt(value);
        return done();
    }

    /** Writes an {@code x}. */
    public BodyWriter putInt64(long value) {
        take('x');
        buffer.putLong(value);
        return done();
    }

    /** Writes a {@code t}. */
    public BodyWriter putUint64(long value) {
        take('t');
        buffer.putLong(value);
        return done();
    }

    /** Writes a {@code d}. */
    public BodyWriter putDouble(double value) {
        take('d');
        buffer.putLong(Double.doubleToRawLongBits(value));
        return done();
    }

    /** Writes an {@code h}: an index into the message's descriptors. */
    public BodyWriter putHandle(int index) {
        take('h');
        buffer.putInt(index);
        return done();
    }

    /** Writes an {@code s}. */
    public BodyWriter putString(String value) {
        take('s');
        buffer.putText(value);
        return done();
    }

    /** Writes an {@code o}. */
    public BodyWriter putObjectPath(String path) {
        take('o');
        if (!Syntax.isObjectPath(path)) {
            throw new IllegalArgumentException("not an object path: '" + path + "'");
        }
        buffer.putText(path);
        return done();
    }

    /** Writes a {@code g}. */
    public BodyWriter putSignature(Signature value) {
        take('g');
        buffer.putSignature(value);
        return done();
    }

    /** Writes an {@code ay} at once. */
    public BodyWriter putBytes(byte[] value) {
        if (kind() != 'a' || elementKind() != 'y') {
            throw expected("ay");
        }
        beginArray();
        buffer.putBytes(value);
        return endArray();
    }

    /**
     * Begins an {@code a}: any number of values of its element type follow, then {@link #endArray}.
     */
    public BodyWriter beginArray() {
        room();
        take('a');
        buffer.putInt(0);
        sizes[depth] = buffer.length() - 4;
        buffer.align(TypeCode.alignment(codes[next]));
        starts[depth] = buffer.length();
        return open('a', next);
    }

    /**
     * Ends the array that was begun last; it may be empty.
     *
     * @throws IllegalStateException if the container that was begun last is no array
     * @throws IllegalArgumentException if the elements are longer than {@link WireLimits#MAX_ARRAY}
     */
    public BodyWriter endArray() {
        close('a');
        int size = buffer.length() - starts[depth];
        if (size > WireLimits.MAX_ARRAY) {
            throw new IllegalArgumentException("an array of " + size + " bytes, over 2^26");
        }
        buffer.patchInt(sizes[depth], size);
        next = TypeCode.end(codes, next);
        return done();
    }

    /** Begins a {@code (}: its members follow, then {@link #endStruct}. */
    public BodyWriter beginStruct() {
        room();
        take('(');
        buffer.align(8);
        return open('(', next);
    }

    /**
     * Ends the struct that was begun last.
     *
     * @throws IllegalStateException if the container that was begun last is no struct, or lacks
     *     members
     */
    public BodyWriter endStruct() {
        take(')');
        close('(');
        return done();
    }

    /** Begins a <code>{</code>: key and value follow, then {@link #endDictEntry}. */
    public BodyWriter beginDictEntry() {
        room();
        take('{');
        buffer.align(8);
        return open('{', next);
    }

    /**
     * Ends the entry that was begun last.
     *
     * @throws IllegalStateException if the container that was begun last is no dict entry, or lacks
     *     its key or value
     */
    public BodyWriter endDictEntry() {
        take('}');
        close('{');
        return done();
    }

    /** Begins a {@code v}: one value of this type follows, then {@link #endVariant}. */
    public BodyWriter beginVariant(Signature type) {
        if (!type.isSingle()) {
            throw new IllegalArgumentException("not one complete type: '" + type + "'");
        }
        room();
        take('v');
        buffer.putSignature(type);
        outer[depth] = signature;
        open('v', next);
        use(type);
        next = 0;
        return this;
    }

    /**
     * Ends the variant that was begun last.
     *
     * @throws IllegalStateException if the container that was begun last is no variant, or lacks
     *     its value
     */
    public BodyWriter endVariant() {
        if (next != codes.length) {
            throw expected("the end of the variant");
        }
        close('v');
        use(outer[depth]);
        next = places[depth];
        return done();
    }

    void requireComplete() {
        if (depth != 0 || next != codes.length) {
            throw new IllegalStateException(
                    "a body of '" + signature + "' lacks what starts at character " + next);
        }
    }

    private void use(Signature types) {
        signature = types;
        codes = SignatureCheck.codes(types);
    }

    private void take(char code) {
        if (next >= codes.length || codes[next] != code) {
            throw expected(String.valueOf(code));
        }
        next++;
    }

    private IllegalStateException expected(String given) {
        return new IllegalStateException(
                "the signature '"
                        + signature
                        + "' has at character "
                        + next
                        + (next < codes.length ? " '" + (char) codes[next] + "'" : " its end")
                        + ", not "
                        + given);
    }

    /**
     * Returns to the element type of an array after a value, since all elements have the same type.
     */
    private BodyWriter done() {
        if (depth > 0 && kinds[depth - 1] == 'a') {
            next = places[depth - 1];
        }
        return this;
    }

    private void room() {
        if (depth == FRAMES) {
            throw new IllegalArgumentException("more than " + FRAMES + " containers deep");
        }
    }

    private BodyWriter open(char kind, int place) {
        kinds[depth] = (byte) kind;
        places[depth] = place;
        depth++;
        return this;
    }

    private void close(char kind) {
        if (depth == 0 || kinds[depth - 1] != kind) {
            throw new IllegalStateException("no '" + kind + "' is open here");
        }
        depth--;
    }
}
