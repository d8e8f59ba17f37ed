package io.holdfast.dbus.marshal;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;

/**
 * Checks values against a signature in the same message: the signature is the program, its letters
 * the instructions. Positions count from the start of the message. Allocates nothing unless it
 * refuses.
 */
final class BodyCheck {
    private static final boolean NATIVE_IS_LITTLE =
            ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;

    private MemorySegment bytes = MemorySegment.NULL;
    private long base;
    private boolean swapped;

    /** The code of the header field that is being checked, 0 for the body. */
    private int field;

    /** The position in the signature after the type of the value that was checked last. */
    private int next;

    /**
     * Caches where the bracket closes that opens at a position of a signature (indexed by its low 8
     * bits: no signature is longer), so that a million empty arrays of a long type cost no more
     * than one. An entry holds the turn and the position of the opening; {@link #closings} holds
     * the position after the closing.
     */
    private final long[] openings = new long[256];

    private final int[] closings = new int[256];
    private long turn;

    void begin(MemorySegment message, long start, boolean little) {
        bytes = message;
        base = start;
        swapped = little != NATIVE_IS_LITTLE;
        turn++;
    }

    /**
     * Checks the values of a whole body.
     *
     * @param signature the position of the first letter of a signature that is known to be valid
     */
    void body(int signature, int signatureLength, int start, int end) {
        field = 0;
        int at = start;
        int program = signature;
        int programEnd = signature + signatureLength;
        while (program < programEnd) {
            at = value(program, at, end, 0);
            program = next;
        }
        if (at != end) {
            throw refuse(at, (end - at) + " more bytes than its signature declares");
        }
    }

    /** Checks the variant of an unknown header field. */
    int field(int code, int start, int end, int depth) {
        field = code;
        return variant(start, end, depth);
    }

    /** Checks one value of the complete type at {@code program}, and returns its end. */
    private int value(int program, int start, int end, int depth) {
        next = program + 1;
        return switch (bytes.get(JAVA_BYTE, base + program)) {
            case 'y' -> room(start, 1, end);
            case 'b' -> bool(start, end);
            case 'n', 'q' -> room(pad(start, 2, end), 2, end);
            case 'i', 'u', 'h' -> room(pad(start, 4, end), 4, end);
            case 'x', 't', 'd' -> room(pad(start, 8, end), 8, end);
            case 's' -> string(start, end);
            case 'o' -> path(start, end);
            case 'g' -> signature(start, end);
            case 'v' -> {
                int after = variant(start, end, deeper(start, depth));
                next = program + 1;
                yield after;
            }
            case 'a' -> array(program, start, end, deeper(start, depth));
            default -> struct(program, start, end, deeper(start, depth));
        };
    }

    /** Checks a struct or a dict entry. */
    private int struct(int program, int start, int end, int depth) {
        int at = pad(start, 8, end);
        int member = program + 1;
        byte code;
        do {
            at = value(member, at, end, depth);
            member = next;
            code = bytes.get(JAVA_BYTE, base + member);
        } while (code != ')' && code != '}');
        next = member + 1;
        return at;
    }

    private int array(int program, int start, int end, int depth) {
        int at = pad(start, 4, end);
        room(at, 4, end);
        int size = word(at);
        if (size < 0 || size > WireLimits.MAX_ARRAY) {
            throw refuse(at, "an array of " + Integer.toUnsignedLong(size) + " bytes, over 2^26");
        }
        int element = program + 1;
        int code = bytes.get(JAVA_BYTE, base + element);
        int alignment = TypeCode.alignment(code);
        int first = pad(at + 4, alignment, end);
        if (size > end - first) {
            throw refuse(at, "an array of " + size + " bytes where " + (end - first) + " remain");
        }
        int stop = first + size;
        if (TypeCode.isFixed(code)) {
            if ((size & (alignment - 1)) != 0) {
                throw refuse(at, "an array of " + size + " bytes, its elements take " + alignment);
            }
            if (code == 'b') {
                for (int p = first; p < stop; p += 4) {
                    bool(p, stop);
                }
            }
            next = element + 1;
            return stop;
        }
        if (size == 0) {
            next = skipType(element);
            return first;
        }
        at = first;
        while (at < stop) {
            at = value(element, at, stop, depth);
        }
        return at;
    }

    private int variant(int start, int end, int depth) {
        int after = text1(start, end);
        int program = start + 1;
        int length = after - start - 2;
        int error = SignatureCheck.checkSingle(bytes, base + program, length);
        if (error >= 0) {
            throw refuse(program + error, "a variant's signature that is no single complete type");
        }
        return value(program, after, end, depth);
    }

    private int string(int start, int end) {
        int at = pad(start, 4, end);
        int after = text(at, end);
        if (!Syntax.isUtf8(bytes, base + at + 4, after - at - 5)) {
            throw refuse(at + 4, "not UTF-8, or with a NUL");
        }
        return after;
    }

    private int path(int start, int end) {
        int at = pad(start, 4, end);
        int after = text(at, end);
        if (!Syntax.isObjectPath(bytes, base + at + 4, after - at - 5)) {
            throw refuse(at + 4, "not an object path");
        }
        return after;
    }

    private int signature(int start, int end) {
        int after = text1(start, end);
        int error = SignatureCheck.check(bytes, base + start + 1, after - start - 2);
        if (error >= 0) {
            throw refuse(start + 1 + error, "not a signature");
        }
        return after;
    }

    /** Checks the length and the NUL of a text with a length of four bytes, and returns its end. */
    private int text(int at, int end) {
        room(at, 4, end);
        int length = word(at);
        if (length < 0 || length > end - at - 5) {
            throw refuse(
                    at,
                    "a text of "
                            + Integer.toUnsignedLong(length)
                            + " bytes and a NUL where "
                            + (end - at - 4)
                            + " remain");
        }
        int nul = at + 4 + length;
        if (bytes.get(JAVA_BYTE, base + nul) != 0) {
            throw refuse(nul, "no NUL after the text");
        }
        return nul + 1;
    }

    /** Checks the length and the NUL of a text with a length of one byte, and returns its end. */
    private int text1(int at, int end) {
        room(at, 1, end);
        int length = bytes.get(JAVA_BYTE, base + at) & 0xff;
        if (length > end - at - 2) {
            throw refuse(
                    at,
                    "a signature of "
                            + length
                            + " bytes and a NUL where "
                            + (end - at - 1)
                            + " remain");
        }
        int nul = at + 1 + length;
        if (bytes.get(JAVA_BYTE, base + nul) != 0) {
            throw refuse(nul, "no NUL after the signature");
        }
        return nul + 1;
    }

    private int bool(int start, int end) {
        int at = pad(start, 4, end);
        int after = room(at, 4, end);
        if ((word(at) & ~1) != 0) {
            throw refuse(at, "a boolean that is neither 0 nor 1");
        }
        return after;
    }

    private int word(int at) {
        int word = bytes.get(JAVA_INT_UNALIGNED, base + at);
        return swapped ? Integer.reverseBytes(word) : word;
    }

    private int room(int at, int size, int end) {
        if (size > end - at) {
            throw refuse(at, size + " bytes needed where " + (end - at) + " remain");
        }
        return at + size;
    }

    private int pad(int at, int alignment, int end) {
        int aligned = (at + alignment - 1) & -alignment;
        return aligned == at ? at : padding(at, aligned, end);
    }

    /** Checks padding of up to 7 bytes, which must be zero. */
    private int padding(int at, int aligned, int end) {
        if (aligned > end) {
            throw refuse(at, "ends within padding");
        }
        for (int i = at; i < aligned; i++) {
            if (bytes.get(JAVA_BYTE, base + i) != 0) {
                throw refuse(i, "padding that is not zero");
            }
        }
        return aligned;
    }

    private int deeper(int at, int depth) {
        if (depth == WireLimits.MAX_DEPTH) {
            throw refuse(at, "more than " + WireLimits.MAX_DEPTH + " containers deep");
        }
        return depth + 1;
    }

    /** Returns the position after the complete type at {@code program}. */
    private int skipType(int program) {
        int at = program;
        byte code = bytes.get(JAVA_BYTE, base + at);
        while (code == 'a') {
            code = bytes.get(JAVA_BYTE, base + ++at);
        }
        if (code != '(' && code != '{') {
            return at + 1;
        }
        int slot = at & 0xff;
        long opening = turn << 32 | at;
        if (openings[slot] != opening) {
            openings[slot] = opening;
            closings[slot] = (int) (TypeCode.end(bytes, Math.toIntExact(base + at)) - base);
        }
        return closings[slot];
    }

    private ProtocolException refuse(int at, String reason) {
        return new ProtocolException(
                field == 0 ? "body" : "header field " + HeaderField.nameOf(field), at, reason);
    }
}
