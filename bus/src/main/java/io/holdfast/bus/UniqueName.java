package io.holdfast.bus;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;

/** Unique names as this bus gives them: ":1." and a number, never used twice. */
final class UniqueName {
    private static final int FIRST_DIGIT = 3;
    private static final int MAX_DIGITS = 18; // no overflow of a long

    private UniqueName() {}

    /** The number in a unique name, or -1 if this bus would never give that name. */
    static long number(MemorySegment bytes, int offset, int length) {
        int digits = length - FIRST_DIGIT;
        if (digits < 1
                || digits > MAX_DIGITS
                || bytes.get(JAVA_BYTE, offset) != ':'
                || bytes.get(JAVA_BYTE, offset + 1) != '1'
                || bytes.get(JAVA_BYTE, offset + 2) != '.') {
            return -1;
        }
        long number = 0;
        for (int i = FIRST_DIGIT; i < length; i++) {
            int digit = bytes.get(JAVA_BYTE, offset + i) - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            number = number * 10 + digit;
        }
        boolean leadingZero = digits > 1 && bytes.get(JAVA_BYTE, offset + FIRST_DIGIT) == '0';
        return leadingZero ? -1 : number;
    }
}
