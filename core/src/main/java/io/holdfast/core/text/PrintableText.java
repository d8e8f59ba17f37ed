package io.holdfast.core.text;

/**
 * Escapes text of other users, so that one line of a terminal or a log can show it.
 *
 * <p>A service's output, a notify message, a D-Bus message, the name of a process or of a file can
 * hold escape sequences that a terminal executes, newlines that forge a log line, and bidirectional
 * controls that display a line in a false order. All of these become visible escapes here; letters
 * of any script and emoji stay as they are.
 *
 * <p>The escapes are those of JSON, so a JSON document that passes through here keeps its meaning.
 * A backslash is not escaped: systemd's unit names ({@code dev-disk\x2dby.device}) stay readable,
 * and escaping a text twice changes nothing more. A tab becomes spaces.
 *
 * <p>Code that prints or logs text escapes it at the last step, and nowhere before.
 */
public final class PrintableText {
    /** The end of a line that was cut. */
    public static final String CUT = " […]";

    private static final int TAB = 8;
    private static final int DELETE = 0x7F;
    private static final int LATIN_1 = 0xA0; // the first character behind the C1 controls

    private PrintableText() {}

    /** Returns the text with everything escaped that a terminal or a log must not receive. */
    public static String of(String text) {
        return of(text, Integer.MAX_VALUE);
    }

    /**
     * Returns the escaped text, cut with {@link #CUT} if it has more than {@code most} characters.
     * The text beyond them is not examined.
     *
     * @param most the maximum number of characters, without {@link #CUT}
     */
    public static String of(String text, int most) {
        int printable = printablePrefix(text, most);
        if (printable == text.length()) {
            return text;
        }
        StringBuilder line = new StringBuilder(text.length() < most ? text.length() + TAB : most);
        line.append(text, 0, printable);
        for (int i = printable; i < text.length(); ) {
            int before = line.length();
            int c = text.codePointAt(i);
            append(c, line);
            if (line.length() > most) {
                line.setLength(before);
                return line.append(CUT).toString();
            }
            i += Character.charCount(c);
        }
        return line.toString();
    }

    /** Counts the leading characters that need no escape, {@code most} at most. */
    private static int printablePrefix(String text, int most) {
        int i = 0;
        while (i < text.length()) {
            int c = text.codePointAt(i);
            int next = i + Character.charCount(c);
            if (next > most || !isPrintable(c, i == 0 ? ' ' : text.charAt(i - 1))) {
                break;
            }
            i = next;
        }
        return i;
    }

    private static void append(int c, StringBuilder line) {
        char last = line.isEmpty() ? ' ' : line.charAt(line.length() - 1);
        if (c == '\t') {
            line.repeat(' ', TAB - line.length() % TAB);
        } else if (isPrintable(c, last)) {
            line.appendCodePoint(c);
        } else {
            switch (c) {
                case '\n' -> line.append("\\n");
                case '\r' -> line.append("\\r");
                case '\b' -> line.append("\\b");
                case '\f' -> line.append("\\f");
                default -> {
                    for (char unit : Character.toChars(c)) {
                        escape(unit, line);
                    }
                }
            }
        }
    }

    private static void escape(char unit, StringBuilder line) {
        line.append("\\u");
        for (int shift = 12; shift >= 0; shift -= 4) {
            line.append(Character.forDigit(unit >> shift & 0xF, 16));
        }
    }

    /**
     * @param before the character that precedes it in the line
     */
    private static boolean isPrintable(int c, char before) {
        if (c < LATIN_1) {
            return c >= ' ' && c < DELETE;
        }
        if (joinsOrVaries(c)) {
            return before >= LATIN_1;
        }
        return switch (Character.getType(c)) {
            case Character.FORMAT, // bidirectional controls, zero-width spaces, tags
                    Character.SURROGATE, // half of a pair
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR ->
                    false;
            default -> !isInvisible(c);
        };
    }

    /**
     * Zero-width joiners and variation selectors: emoji, Persian and Indic words need them, and
     * behind ASCII they only make one name look like another.
     */
    private static boolean joinsOrVaries(int c) {
        return c == 0x200C
                || c == 0x200D
                || (c >= 0xFE00 && c <= 0xFE0F)
                || (c >= 0xE0100 && c <= 0xE01EF);
    }

    /** Letters and marks that show nothing, and the rest of the plane of tags. */
    private static boolean isInvisible(int c) {
        return switch (c) {
            case 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0 -> true;
            case 0x180B, 0x180C, 0x180D, 0x180F, 0x2065 -> true;
            default -> c >= 0xE0000 && c <= 0xE0FFF;
        };
    }
}
