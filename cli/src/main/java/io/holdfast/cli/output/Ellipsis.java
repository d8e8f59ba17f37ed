package io.holdfast.cli.output;

import io.holdfast.core.text.PrintableText;

/** Shortens a text for a column. Its middle goes, since names differ at their ends. */
public final class Ellipsis {
    private static final String MARK = "…";

    private Ellipsis() {}

    /**
     * The text as it is printed, in at most that many characters.
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
