package io.holdfast.core.sys;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;

/**
 * C strings in native memory. The kernel's are bytes: those that are no UTF-8 are kept as the lone
 * surrogates U+DC80 to U+DCFF, and go back to the kernel as the bytes that they were.
 */
public final class CString {
    private static final int ESCAPE = 0xDC00;

    private CString() {}

    /**
     * Writes the text, NUL-ended.
     *
     * @return the offset behind the NUL
     * @throws IllegalArgumentException if it holds a NUL or has no room
     */
    public static int put(ByteBuffer memory, int offset, String text) {
        byte[] bytes = bytes(text);
        if (offset + bytes.length > memory.capacity()) {
            throw new IllegalArgumentException("too long: " + text.substring(0, 60) + "…");
        }
        memory.put(offset, bytes);
        return offset + bytes.length;
    }

    /** The text with its NUL; a NUL inside is refused. */
    public static byte[] bytes(String text) {
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(
                    "a NUL character in \"" + text.replace('\0', '?') + "\"");
        }
        return encode(text + '\0');
    }

    static String get(ByteBuffer memory, int offset, int length) {
        byte[] bytes = new byte[length];
        memory.get(offset, bytes);
        return decode(bytes);
    }

    /** What {@link #decode} read, byte for byte; any other text as UTF-8. */
    public static byte[] encode(String text) {
        if (!hasEscape(text)) {
            return text.getBytes(UTF_8);
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length() + 8);
        text.codePoints()
                .forEach(point -> {
                    if (point <= 0xFFFF && isEscape((char) point)) { // not half of a pair
                        bytes.write(point - ESCAPE);
                    } else {
                        bytes.writeBytes(Character.toString(point).getBytes(UTF_8));
                    }
                });
        return bytes.toByteArray();
    }

    /** UTF-8; a byte that is none becomes a lone surrogate, so that nothing is lost. */
    public static String decode(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length);
        CharsetDecoder decoder = UTF_8.newDecoder();
        for (; ; ) {
            CoderResult result = decoder.decode(in, out, true);
            if (!result.isMalformed()) {
                return out.flip().toString();
            }
            for (int i = result.length(); i > 0; i--) {
                out.put((char) (ESCAPE + (in.get() & 0xFF)));
            }
            decoder.reset();
        }
    }

    private static boolean hasEscape(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (isEscape(text.charAt(i))) {
                return true;
            }
        }
        return false;
    }

    private static boolean isEscape(char c) {
        return c >= ESCAPE + 0x80 && c <= ESCAPE + 0xFF;
    }
}
