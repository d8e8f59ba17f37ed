package io.holdfast.manager.unit.value;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.manager.unit.Quote;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Splits a value into words at blanks. Quotes may be anywhere in a word and keep blanks; they are
 * removed.
 */
public final class WordReader {
    /** The meaning of a backslash. */
    public enum Backslash {
        /** A C escape; an unknown one is refused. */
        C_ESCAPE,
        /**
         * A C escape; an unknown one stays in the word, with the character after the backslash,
         * even a blank, and is reported by {@link #unknownEscape}.
         */
        C_ESCAPE_OR_KEPT,
        /** The next character is taken literally; there has to be one. */
        LITERAL_NEXT,
        /** The same, but it stays before a colon and a backslash, for {@link #parts}. */
        LITERAL_NEXT_OF_PARTS,
        /** No meaning: it belongs to the word (unit names). */
        KEPT
    }

    private final byte[] text;
    private final Backslash backslash;
    private final boolean relaxed;
    private int at;
    private boolean unknownEscape;
    private int lowestByte = 1; // that an escape may stand for

    public WordReader(String text, Backslash backslash) {
        this(text, backslash, false);
    }

    private WordReader(String text, Backslash backslash, boolean relaxed) {
        this.text = text.getBytes(UTF_8);
        this.backslash = backslash;
        this.relaxed = relaxed;
    }

    /**
     * Returns all words; an open quote ends with the text, and a backslash at its end is ignored.
     */
    public static List<String> splitRelaxed(String text) {
        return new WordReader(text, Backslash.LITERAL_NEXT, true).rest();
    }

    /**
     * Returns the words from here on.
     *
     * @throws IllegalArgumentException as {@link #next}
     */
    public List<String> rest() {
        List<String> words = new ArrayList<>();
        for (String word = next(); word != null; word = next()) {
            words.add(word);
        }
        return words;
    }

    /** Returns what colons without a backslash separate, without the backslashes. */
    public static List<String> parts(String word) {
        List<String> parts = new ArrayList<>();
        StringBuilder part = new StringBuilder();
        for (int i = 0; i < word.length(); i++) {
            char c = word.charAt(i);
            if (c == ':') {
                parts.add(part.toString());
                part.setLength(0);
            } else {
                part.append(c == '\\' && i + 1 < word.length() ? word.charAt(++i) : c);
            }
        }
        parts.add(part.toString());
        return parts;
    }

    /**
     * Returns the bytes of a text with C escapes, which may stand for any bytes, even for 0.
     *
     * @throws IllegalArgumentException if a backslash begins no escape
     */
    public static byte[] unescape(String text) {
        WordReader reader = new WordReader(text, Backslash.C_ESCAPE);
        reader.lowestByte = 0;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (; reader.at < reader.text.length; reader.at++) {
            if (reader.text[reader.at] == '\\') {
                reader.escape(bytes);
            } else {
                bytes.write(reader.text[reader.at]);
            }
        }
        return bytes.toByteArray();
    }

    /** {@return whether a word had a backslash that starts no C escape} */
    boolean unknownEscape() {
        return unknownEscape;
    }

    /**
     * Skips a word, if it comes next, unquoted.
     *
     * @return false if another word comes next
     */
    boolean skip(String word) {
        skipBlanks();
        int end = at + word.length();
        if (end > text.length || (end < text.length && !isBlank(text[end]))) {
            return false;
        }
        for (int i = 0; i < word.length(); i++) {
            if (text[at + i] != word.charAt(i)) {
                return false;
            }
        }
        at = end;
        return true;
    }

    /**
     * Returns the next word, null after the last.
     *
     * @throws IllegalArgumentException for a quote that is not closed, for a backslash without
     *     meaning, and for escapes that are not valid UTF-8
     */
    public @Nullable String next() {
        skipBlanks();
        if (at == text.length) {
            return null;
        }
        ByteArrayOutputStream word = new ByteArrayOutputStream();
        int quote = 0;
        for (; at < text.length; at++) {
            byte c = text[at];
            if (c == '\\' && backslash != Backslash.KEPT) {
                escape(word);
            } else if (quote != 0) {
                if (c == quote) {
                    quote = 0;
                } else {
                    word.write(c);
                }
            } else if (c == '\'' || c == '"') {
                quote = c;
            } else if (isBlank(c)) {
                break;
            } else {
                word.write(c);
            }
        }
        if (quote != 0 && !relaxed) {
            throw new IllegalArgumentException("the quote " + (char) quote + " is never closed");
        }
        return decoded(word);
    }

    private static String decoded(ByteArrayOutputStream bytes) {
        try {
            return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes.toByteArray())).toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("escapes that make up no UTF-8", e);
        }
    }

    private void skipBlanks() {
        while (at < text.length && isBlank(text[at])) {
            at++;
        }
    }

    private static boolean isBlank(byte c) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
    }

    /** Reads the escape at a backslash; stops at its last byte. */
    private void escape(ByteArrayOutputStream word) {
        boolean hasParts = backslash == Backslash.LITERAL_NEXT_OF_PARTS;
        if (hasParts || backslash == Backslash.LITERAL_NEXT) {
            if (at + 1 < text.length) {
                byte next = text[++at];
                if (hasParts && (next == ':' || next == '\\')) {
                    word.write('\\');
                }
                word.write(next);
            } else if (!relaxed) {
                throw new IllegalArgumentException("nothing follows the backslash at the end");
            }
            return;
        }
        int next = at + 1 < text.length ? text[at + 1] : -1;
        int simple = "abfnrtv\\\"'s".indexOf(next);
        if (next >= 0 && simple >= 0) {
            word.write("\u0007\b\f\n\r\t\u000b\\\"' ".charAt(simple));
            at++;
            return;
        }
        int digits =
                switch (next) {
                    case 'x' -> 2;
                    case 'u' -> 4;
                    case 'U' -> 8;
                    case '0', '1', '2', '3', '4', '5', '6', '7' -> 3;
                    default -> 0;
                };
        boolean octal = digits == 3;
        long code = digits == 0 ? -1 : number(octal ? at + 1 : at + 2, digits, octal ? 8 : 16);
        boolean oneByte = digits == 2 || octal;
        boolean valid =
                oneByte
                        ? code >= lowestByte && code <= 0xff
                        : code > 0
                                && code <= Character.MAX_CODE_POINT
                                && !(code >= Character.MIN_SURROGATE
                                        && code <= Character.MAX_SURROGATE);
        if (!valid) {
            unknown(word);
            return;
        }
        if (oneByte) {
            word.write((int) code);
        } else {
            word.writeBytes(Character.toString((int) code).getBytes(UTF_8));
        }
        at += octal ? digits : digits + 1;
    }

    private void unknown(ByteArrayOutputStream word) {
        if (backslash == Backslash.C_ESCAPE) {
            String escape = new String(text, at, text.length - at, UTF_8);
            throw new IllegalArgumentException(
                    "the backslash of " + Quote.of(escape) + " begins no escape");
        }
        unknownEscape = true;
        word.write('\\');
        if (at + 1 < text.length) {
            word.write(text[++at]);
        }
    }

    private long number(int from, int digits, int radix) {
        if (from + digits > text.length) {
            return -1;
        }
        long value = 0;
        for (int i = from; i < from + digits; i++) {
            int digit = HexFormat.isHexDigit(text[i]) ? HexFormat.fromHexDigit(text[i]) : radix;
            if (digit >= radix) {
                return -1;
            }
            value = value * radix + digit;
        }
        return value;
    }
}
