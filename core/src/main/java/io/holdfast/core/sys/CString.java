package io.holdfast.core.sys;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;

/**
 * C strings in native memory. The kernel's strings are bytes: a byte that is not UTF-8 is decoded
 * to a lone surrogate, U+DC80 to U+DCFF, and encoded back to the same byte.
 */
public final class CString {
    private static final int ESCAPE = 0xDC00;

    private CString() {}

    /**
     * Writes a text and a NUL to memory.
     *
     * @return the offset behind the NUL
     * @throws IllegalArgumentException if the text holds a NUL or does not fit
     */
    public static int put(ByteBuffer memory, int offset, String text) {
        byte[] bytes = bytes(text);
        if (offset + bytes.length > memory.capacity()) {
            throw new IllegalArgumentException("too long: " + text.substring(0, 60) + "…");
        }
        memory.put(offset, bytes);
        return offset + bytes.length;
    }

    /** Returns the bytes of a text and a NUL; throws if the text holds a NUL. */
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

    /** Returns the bytes that {@link #decode} read; encodes any other text as UTF-8. */
    public static byte[] encode(String text) {
        if (!hasEscape(text)) {
            return text.getBytes(UTF_8);
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length() + 8);
        text.codePoints()
                .forEach(point -> {
                    if (point <= 0xFFFF && isEscape((char) point)) { // a lone surrogate, no pair
                        bytes.write(point - ESCAPE);
                    } else {
                        bytes.writeBytes(Character.toString(point).getBytes(UTF_8));
                    }
                });
        return bytes.toByteArray();
    }

    /** Decodes UTF-8; a byte that is not UTF-8 becomes a lone surrogate, so nothing is lost. */
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
