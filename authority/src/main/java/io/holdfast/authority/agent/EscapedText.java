package io.holdfast.authority.agent;

import java.io.ByteArrayOutputStream;

/**
 * The escapes of the protocol between polkit's agents and their helper: a text of PAM without a
 * newline at its end, as a C string, so that no text can start a new protocol line. A byte that is
 * not printable ASCII becomes three octal digits. The receiver decodes it; a text that is shown to
 * people is escaped by {@link io.holdfast.core.text.PrintableText}.
 */
final class EscapedText {
    private static final String LETTERS = "bfnrtv";
    private static final byte[] MEANT = {'\b', '\f', '\n', '\r', '\t', 0x0b};

    private EscapedText() {}

    static byte[] escape(byte[] text) {
        int length = text.length;
        if (length > 0 && text[length - 1] == '\n') {
            length--;
        }
        ByteArrayOutputStream line = new ByteArrayOutputStream(length + 16);
        for (int i = 0; i < length; i++) {
            escape(text[i], line);
        }
        return line.toByteArray();
    }

    private static void escape(byte b, ByteArrayOutputStream line) {
        int letter = letter(b);
        if (letter >= 0) {
            line.write('\\');
            line.write(LETTERS.charAt(letter));
        } else if (b == '"' || b == '\\') {
            line.write('\\');
            line.write(b);
        } else if (b >= ' ' && b < 0x7f) {
            line.write(b);
        } else {
            line.write('\\');
            line.write('0' + (b >> 6 & 3));
            line.write('0' + (b >> 3 & 7));
            line.write('0' + (b & 7));
        }
    }

    private static int letter(byte b) {
        for (int i = 0; i < MEANT.length; i++) {
            if (MEANT[i] == b) {
                return i;
            }
        }
        return -1;
    }

    /** Decodes a line. A sequence that is not an escape stands for itself. */
    static byte[] unescape(byte[] line, int from) {
        ByteArrayOutputStream text = new ByteArrayOutputStream(line.length - from);
        int at = from;
        while (at < line.length) {
            byte b = line[at++];
            if (b != '\\' || at == line.length) {
                text.write(b);
                continue;
            }
            byte escaped = line[at++];
            if (isOctal(escaped)) {
                int value = escaped - '0';
                for (int digits = 1;
                        digits < 3 && at < line.length && isOctal(line[at]);
                        digits++) {
                    value = value * 8 + line[at++] - '0';
                }
                text.write(value);
            } else {
                int letter = LETTERS.indexOf(escaped);
                text.write(letter >= 0 ? MEANT[letter] : escaped);
            }
        }
        return text.toByteArray();
    }

    private static boolean isOctal(byte b) {
        return b >= '0' && b <= '7';
    }
}
