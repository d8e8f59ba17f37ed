package io.holdfast.dbus.wire.sasl;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.holdfast.dbus.wire.WireLimits;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * One line of the authentication, put together from bytes that come in any pieces. It ends with CR
 * LF; an LF alone belongs to it.
 */
final class SaslLine {
    private static final int FIRST_ROOM = 96;

    private byte[] bytes = {};
    private int length; // with what has come of CR LF
    private boolean complete;

    /** Takes bytes up to the end of the line: how many. Afterwards it is complete, or too long. */
    int read(MemorySegment from, long offset, int count) {
        int taken = 0;
        while (taken < count && !complete && !isTooLong()) {
            byte b = from.get(JAVA_BYTE, offset + taken++);
            if (length == bytes.length) {
                bytes = Arrays.copyOf(bytes, Math.max(FIRST_ROOM, 2 * length));
            }
            bytes[length++] = b;
            complete = b == '\n' && length >= 2 && bytes[length - 2] == '\r';
        }
        return taken;
    }

    boolean isComplete() {
        return complete;
    }

    boolean isTooLong() {
        return !complete && length >= WireLimits.MAX_LINE;
    }

    /** The text without its end; the next line begins. A byte that is no ASCII is above U+007F. */
    String take() {
        String text = new String(bytes, 0, length - 2, StandardCharsets.ISO_8859_1);
        length = 0;
        complete = false;
        return text;
    }

    /** The text without spaces around it; other white space belongs to it. */
    static String trim(String text) {
        int start = 0;
        int end = text.length();
        while (start < end && text.charAt(start) == ' ') {
            start++;
        }
        while (start < end && text.charAt(end - 1) == ' ') {
            end--;
        }
        return text.substring(start, end);
    }
}
