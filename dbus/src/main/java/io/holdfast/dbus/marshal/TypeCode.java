package io.holdfast.dbus.marshal;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;

/** The layout of the types that the letters of a signature stand for. */
public final class TypeCode {
    private static final int BASIC = 0x80;
    private static final int FIXED = 0x40;
    private static final int SIZE = 0x0f;

    /** For each code: its alignment, and whether it is basic and of a fixed size. */
    private static final byte[] TRAITS = new byte[128];

    static {
        TRAITS['y'] = (byte) (BASIC | FIXED | 1);
        for (char c : "nq".toCharArray()) {
            TRAITS[c] = (byte) (BASIC | FIXED | 2);
        }
        for (char c : "biuh".toCharArray()) {
            TRAITS[c] = (byte) (BASIC | FIXED | 4);
        }
        for (char c : "xtd".toCharArray()) {
            TRAITS[c] = (byte) (BASIC | FIXED | 8);
        }
        TRAITS['s'] = (byte) (BASIC | 4);
        TRAITS['o'] = (byte) (BASIC | 4);
        TRAITS['g'] = (byte) (BASIC | 1);
        TRAITS['v'] = 1;
        TRAITS['a'] = 4;
        TRAITS['('] = 8;
        TRAITS['{'] = 8;
    }

    private TypeCode() {}

    /** Returns whether it is a basic type, which may also be the key of a dict entry. */
    static boolean isBasic(int code) {
        return code >= 0 && (TRAITS[code] & BASIC) != 0;
    }

    /** Returns whether all values have the same size, which is also their alignment. */
    static boolean isFixed(int code) {
        return (TRAITS[code] & FIXED) != 0;
    }

    /** Returns the alignment: 1, 2, 4 or 8. */
    static int alignment(int code) {
        return TRAITS[code] & SIZE;
    }

    static int align(int position, int alignment) {
        return (position + alignment - 1) & -alignment;
    }

    /** Returns the end of the complete type at a position of a valid signature. */
    public static int end(byte[] codes, int start) {
        return end(MemorySegment.ofArray(codes), start);
    }

    /** Returns the end of the complete type at a position of a valid signature. */
    static int end(MemorySegment codes, int start) {
        int at = start;
        while (codes.get(JAVA_BYTE, at) == 'a') {
            at++;
        }
        int open = 0;
        do {
            switch (codes.get(JAVA_BYTE, at++)) {
                case '(', '{' -> open++;
                case ')', '}' -> open--;
                default -> {}
            }
        } while (open > 0);
        return at;
    }
}
