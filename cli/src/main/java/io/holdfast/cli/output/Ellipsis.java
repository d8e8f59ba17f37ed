package io.holdfast.cli.output;

import io.holdfast.core.text.PrintableText;

/**
 * Shortens a text to fit into a column. The middle is left out, because names differ at their ends.
 */
public final class Ellipsis {
    private static final String MARK = "…";

    private Ellipsis() {}

    /**
     * Returns the printable text, in at most {@code width} characters.
     *
     * @param width 1 or more
     */
    public static String middle(String text, int width) {
        String printed = PrintableText.of(text);
        int length = printed.codePointCount(0, printed.length());
        if (length <= width) {
            return printed;
        }
        int front = width / 2;
        int back = width - front - 1;
        return printed.substring(0, printed.offsetByCodePoints(0, front))
                + MARK
                + printed.substring(printed.offsetByCodePoints(printed.length(), -back));
    }
}
