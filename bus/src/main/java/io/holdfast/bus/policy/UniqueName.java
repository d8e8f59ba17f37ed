package io.holdfast.bus.policy;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.US_ASCII;

import io.holdfast.core.sys.SysTime;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;

/**
 * The unique names that a bus gives: {@code :1.N}, as dbus-daemon and dbus-broker do, and as some
 * programs expect. N counts the connections. A bus that has died and its successor must not give
 * the same name: a message to a client of the dead bus reaches no client then, instead of a wrong
 * one.
 *
 * <p>So N begins with the microseconds since boot ({@link #firstOfSuccessor}). That clock cannot be
 * set and runs faster than any bus accepts connections, so that a bus that begins later begins with
 * a higher number than its predecessor has reached. This needs no file. Only a bus at an address
 * that was made for it has no predecessor and begins with 0.
 */
public final class UniqueName {
    private static final String PREFIX = ":1.";
    private static final byte[] PREFIX_BYTES = PREFIX.getBytes(US_ASCII);
    private static final int MAX_DIGITS = 18; // no overflow of a long

    private UniqueName() {}

    /** Returns the first number of a bus that may have a predecessor in this boot. */
    public static long firstOfSuccessor() {
        return TimeUnit.NANOSECONDS.toMicros(SysTime.sinceBoot());
    }

    public static String of(long number) {
        return PREFIX + number;
    }

    /**
     * Returns the number in a unique name; {@link Party#NOBODY} if no bus of ours gives such a
     * name.
     */
    public static long number(String name) {
        byte[] bytes = name.getBytes(US_ASCII);
        return number(MemorySegment.ofArray(bytes), 0, bytes.length);
    }

    /** Returns the number in a unique name, from the bytes of a message. */
    public static long number(MemorySegment bytes, int offset, int length) {
        int digits = length - PREFIX_BYTES.length;
        if (digits < 1 || digits > MAX_DIGITS) {
            return Party.NOBODY;
        }
        for (int i = 0; i < PREFIX_BYTES.length; i++) {
            if (bytes.get(JAVA_BYTE, offset + i) != PREFIX_BYTES[i]) {
                return Party.NOBODY;
            }
        }
        long number = 0;
        for (int i = PREFIX_BYTES.length; i < length; i++) {
            int digit = bytes.get(JAVA_BYTE, offset + i) - '0';
            if (digit < 0 || digit > 9) {
                return Party.NOBODY;
            }
            number = number * 10 + digit;
        }
        boolean leadingZero =
                digits > 1 && bytes.get(JAVA_BYTE, offset + PREFIX_BYTES.length) == '0';
        return leadingZero ? Party.NOBODY : number;
    }
}
