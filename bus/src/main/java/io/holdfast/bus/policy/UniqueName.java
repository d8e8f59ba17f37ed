package io.holdfast.bus.policy;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.US_ASCII;

import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.SysTime;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The unique names that the buses of this process give: {@code :1.G.N}. G is the generation, the
 * pidfs id of this process, and N counts the connections of all of its buses. So no bus gives a
 * name that another has given since the machine was booted, and a message to a client of a bus that
 * has died reaches no client, instead of a wrong one.
 *
 * <p>The kernel gives a pidfs id once per boot (Linux 6.9); reading it takes neither a file nor a
 * clock. On older kernels, G is the time since boot at which this class was loaded, in
 * milliseconds: that clock cannot be set, and a bus that takes the place of a dead one is started
 * later. The names begin with {@code :1.}, as those of dbus-daemon and dbus-broker do, because some
 * programs take that for the mark of a unique name.
 */
public final class UniqueName {
    private static final String PREFIX = ":1." + Long.toUnsignedString(generation()) + ".";
    private static final byte[] PREFIX_BYTES = PREFIX.getBytes(US_ASCII);
    private static final int MAX_DIGITS = 18; // no overflow of a long
    private static final AtomicLong NEXT = new AtomicLong();

    private UniqueName() {}

    private static long generation() {
        try (PidFd self = PidFd.self()) {
            return self.processId()
                    .pidfdId()
                    .orElseGet(() -> Duration.ofNanos(SysTime.sinceBoot()).toMillis());
        }
    }

    /** Returns the number of the next connection to any bus of this process. */
    public static long next() {
        return NEXT.getAndIncrement();
    }

    /** Returns the name with a number. */
    public static String of(long number) {
        return PREFIX + number;
    }

    /**
     * Returns the number in a unique name; {@link Party#NOBODY} if it is no name of this process.
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
