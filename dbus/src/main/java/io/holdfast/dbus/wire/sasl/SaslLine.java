package io.holdfast.dbus.wire.sasl;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.holdfast.dbus.marshal.WireLimits;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * One line of the authentication, collected from bytes in any pieces. It ends with CR LF; a lone LF
 * is part of the line.
 */
final class SaslLine {
    private static final int FIRST_ROOM = 96;

    private byte[] bytes = {};
    private int length; // including the received part of CR LF
    private boolean complete;

    /**
     * Consumes bytes up to the end of the line, and returns how many. Afterwards the line is
     * complete or too long, or all bytes are consumed.
     */
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

    /**
     * Returns the text of the line without CR LF, and starts the next line. A byte outside ASCII
     * becomes a character above U+007F.
     */
    String take() {
        String text = new String(bytes, 0, length - 2, StandardCharsets.ISO_8859_1);
        length = 0;
        complete = false;
        return text;
    }

    /** Returns the text without surrounding spaces; other white space stays. */
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
