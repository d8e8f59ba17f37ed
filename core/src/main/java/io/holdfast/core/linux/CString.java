package io.holdfast.core.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** C strings in native memory. */
final class CString {
    private CString() {}

    /**
     * Writes the text, NUL-ended.
     *
     * @return the offset behind the NUL
     * @throws IllegalArgumentException if it holds a NUL or has no room
     */
    static long put(MemorySegment memory, long offset, String text) {
        byte[] bytes = bytes(text);
        if (offset + bytes.length > memory.byteSize()) {
            throw new IllegalArgumentException("too long: " + text.substring(0, 60) + "…");
        }
        MemorySegment.copy(bytes, 0, memory, JAVA_BYTE, offset, bytes.length);
        return offset + bytes.length;
    }

    /** The text as UTF-8 with its NUL; a NUL inside is refused. */
    static byte[] bytes(String text) {
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(
                    "a NUL character in \"" + text.replace('\0', '?') + "\"");
        }
        return (text + '\0').getBytes(StandardCharsets.UTF_8);
    }

    static String get(MemorySegment memory, long offset, int length) {
        byte[] bytes = new byte[length];
        MemorySegment.copy(memory, JAVA_BYTE, offset, bytes, 0, length);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
