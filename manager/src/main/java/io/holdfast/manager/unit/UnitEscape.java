package io.holdfast.manager.unit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HexFormat;

/**
 * Escapes text in unit names as {@code systemd-escape} does: {@code /} becomes {@code -}, every
 * other byte that a name cannot contain becomes {@code \xNN}.
 */
public final class UnitEscape {
    private UnitEscape() {}

    /** Escapes text as a part of a unit name. */
    public static String escape(String text) {
        StringBuilder escaped = new StringBuilder(text.length());
        byte[] bytes = text.getBytes(UTF_8);
        for (int i = 0; i < bytes.length; i++) {
            char c = (char) (bytes[i] & 0xff);
            if (c == '/') {
                escaped.append('-');
            } else if (c == '-' || c == '\\' || !isPlain(c) || (i == 0 && c == '.')) {
                appendHex(escaped, c);
            } else {
                escaped.append(c);
            }
        }
        return escaped.toString();
    }

    /**
     * Returns the text that was escaped.
     *
     * @throws IllegalArgumentException for a backslash that does not start {@code \xNN}, and if the
     *     result is not UTF-8 or has a NUL
     */
    public static String unescape(String escaped) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(escaped.length());
        byte[] in = escaped.getBytes(UTF_8);
        for (int i = 0; i < in.length; i++) {
            if (in[i] == '-') {
                bytes.write('/');
            } else if (in[i] != '\\') {
                bytes.write(in[i]);
            } else if (i + 3 < in.length
                    && in[i + 1] == 'x'
                    && HexFormat.isHexDigit(in[i + 2])
                    && HexFormat.isHexDigit(in[i + 3])) {
                bytes.write(
                        HexFormat.fromHexDigit(in[i + 2]) << 4 | HexFormat.fromHexDigit(in[i + 3]));
                i += 3;
            } else {
                throw new IllegalArgumentException(
                        "not an escaped name: " + Quote.of(escaped) + " (\\ without xNN)");
            }
        }
        String text = decode(bytes.toByteArray(), escaped);
        if (text.indexOf(0) >= 0) {
            throw new IllegalArgumentException(
                    "not an escaped name: " + Quote.of(escaped) + " (NUL)");
        }
        return text;
    }

    /**
     * Escapes a path as a part of a unit name: {@code /} becomes {@code -}; outer and double
     * slashes are removed.
     */
    public static String escapePath(String path) {
        Deque<String> parts = new ArrayDeque<>();
        for (String part : path.split("/")) {
            if (part.equals("..")) {
                parts.pollLast();
            } else if (!part.isEmpty() && !part.equals(".")) {
                parts.addLast(part);
            }
        }
        return parts.isEmpty() ? "-" : escape(String.join("/", parts));
    }

    /**
     * Returns the absolute path that was escaped.
     *
     * @throws IllegalArgumentException if no path escapes to this
     */
    public static String unescapePath(String escaped) {
        if (escaped.equals("-")) {
            return "/";
        }
        String path = "/" + unescape(escaped);
        boolean normal = !escaped.isEmpty() && !path.endsWith("/") && !path.contains("//");
        for (String part : path.split("/")) {
            normal &= !part.equals(".") && !part.equals("..");
        }
        if (!normal) {
            throw new IllegalArgumentException("not an escaped path: " + Quote.of(escaped));
        }
        return path;
    }

    /** Escapes only characters that no unit name can contain, for names that people type. */
    public static String escapeInvalid(String text) {
        StringBuilder escaped = new StringBuilder(text.length());
        for (byte b : text.getBytes(UTF_8)) {
            char c = (char) (b & 0xff);
            if (c == '/') {
                escaped.append('-');
            } else if (c == '@' || isPlain(c)) {
                escaped.append(c);
            } else {
                appendHex(escaped, c);
            }
        }
        return escaped.toString();
    }

    /** {@return whether a name may contain the character} {@code @} has separate rules. */
    static boolean isPlain(char c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || ":-_.\\".indexOf(c) >= 0;
    }

    private static void appendHex(StringBuilder to, char c) {
        to.append("\\x").append(HexFormat.of().toHexDigits((byte) c));
    }

    private static String decode(byte[] bytes, String escaped) {
        try {
            return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(
                    "not an escaped name: " + Quote.of(escaped) + " (not UTF-8)", e);
        }
    }
}
