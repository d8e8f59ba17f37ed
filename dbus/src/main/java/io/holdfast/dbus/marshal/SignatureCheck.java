package io.holdfast.dbus.marshal;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.holdfast.dbus.wire.Signature;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** Checks the bytes of signatures. */
public final class SignatureCheck {
    private SignatureCheck() {}

    /** Makes a signature from bytes that {@link #check} has accepted. */
    static Signature checked(MemorySegment bytes, long offset, int length) {
        return Signature.of(TextBytes.ascii(bytes, offset, length));
    }

    /** Returns the type codes. */
    static byte[] codes(Signature signature) {
        return signature.toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    /**
     * {@return the position of the first error in these bytes as a signature, or -1 if they are
     * valid}
     *
     * @param length the number of bytes
     */
    public static int check(MemorySegment bytes, long offset, int length) {
        if (length > WireLimits.MAX_SIGNATURE) {
            return WireLimits.MAX_SIGNATURE;
        }
        int at = 0;
        while (at < length) {
            int end = completeType(bytes, offset, at, length, 0, 0);
            if (end < 0) {
                return ~end;
            }
            at = end;
        }
        return -1;
    }

    /** Checks as {@link #check} does, and that the bytes are exactly one complete type. */
    static int checkSingle(MemorySegment bytes, long offset, int length) {
        if (length == 1) {
            return TypeCode.isBasic(bytes.get(JAVA_BYTE, offset))
                            || bytes.get(JAVA_BYTE, offset) == 'v'
                    ? -1
                    : 0;
        }
        if (length < 1 || length > WireLimits.MAX_SIGNATURE) {
            return 0;
        }
        int end = completeType(bytes, offset, 0, length, 0, 0);
        if (end < 0) {
            return ~end;
        }
        return end == length ? -1 : end;
    }

    /**
     * Returns the end of the complete type at {@code start}, or the complement of the position of
     * the error.
     */
    private static int completeType(
            MemorySegment bytes, long offset, int start, int length, int arrays, int structs) {
        int at = start;
        int depth = arrays;
        while (at < length && bytes.get(JAVA_BYTE, offset + at) == 'a') {
            depth++;
            if (depth > WireLimits.MAX_NESTING) {
                return ~at;
            }
            at++;
        }
        if (at >= length) {
            return ~at;
        }
        int code = bytes.get(JAVA_BYTE, offset + at);
        if (TypeCode.isBasic(code) || code == 'v') {
            return at + 1;
        }
        if (structs == WireLimits.MAX_NESTING) {
            return ~at;
        }
        if (code == '(') {
            int end = at + 1;
            do {
                end = completeType(bytes, offset, end, length, depth, structs + 1);
            } while (end >= 0 && end < length && bytes.get(JAVA_BYTE, offset + end) != ')');
            return end < 0 ? end : end < length ? end + 1 : ~end;
        }
        if (code == '{' && at > start) {
            if (at + 1 >= length || !TypeCode.isBasic(bytes.get(JAVA_BYTE, offset + at + 1))) {
                return ~(at + 1);
            }
            int end = completeType(bytes, offset, at + 2, length, depth, structs + 1);
            if (end < 0) {
                return end;
            }
            return end < length && bytes.get(JAVA_BYTE, offset + end) == '}' ? end + 1 : ~end;
        }
        return ~at;
    }
}
